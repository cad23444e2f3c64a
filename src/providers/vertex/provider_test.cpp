#include "providers/vertex/provider.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "core/exchange.h"
#include "dialects/anthropic/vertex.h"
#include "dialects/gemini/vertex.h"
#include "platform/crypto/testing/key.h"
#include "platform/crypto/text.h"
#include "platform/text/json_writer.h"
#include "providers/vertex/key_file.h"

namespace causeway::vertex {
namespace {

class VertexTest : public ::testing::Test {
 protected:
  ~VertexTest() override { std::filesystem::remove(path_); }

  Result<std::unique_ptr<Provider>> make() {
    return make_provider("v", config_, {gemini_, anthropic_}, tokens_, [this](const char* name) {
      const auto found = variables_.find(name);
      return found == variables_.end() ? nullptr : found->second.c_str();
    });
  }

  std::string write_key_file(std::string_view project = "file-project") {
    std::string text;
    text::JsonWriter json(text);
    json.begin_object().field("type", "service_account").field("project_id", project);
    json.field("private_key_id", "k1").field("private_key", crypto::testing::rsa_pem());
    json.field("client_email", "me@x.example").end_object();
    std::ofstream(path_) << text;
    return path_;
  }

  Call call(const Provider& provider, const std::string& model,
            OperationKind kind = OperationKind::Chat) {
    target_.upstream_model = model;
    attempt_.target = &target_;
    operation_.kind = kind;
    operation_.dialect = &plain_gemini_;
    exchange_.operation = &operation_;
    auto made = provider.address(exchange_, attempt_);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }

  std::string host_of(std::string location) {
    config_.location = std::move(location);
    const auto provider = make();
    return provider ? call(**provider, "gemini-2.5-flash").endpoint->host : "";
  }

  std::string path_ = ::testing::TempDir() + "vertex-key-" + std::to_string(::getpid()) + ".json";
  VertexConfig config_;
  gemini::GeminiDialect plain_gemini_;
  gemini::VertexDialect gemini_{plain_gemini_};
  anthropic::AnthropicDialect plain_anthropic_;
  anthropic::VertexDialect anthropic_{plain_anthropic_};
  AccessTokens tokens_;
  std::map<std::string, std::string> variables_;
  SlotLayout layout_;
  Operation operation_;
  Exchange exchange_{layout_};
  Target target_;
  Attempt attempt_;
};

TEST_F(VertexTest, EachLocationHasItsHost) {
  config_.metadata = true;
  config_.project = "p";
  EXPECT_EQ(host_of(""), "aiplatform.googleapis.com");
  EXPECT_EQ(host_of("global"), "aiplatform.googleapis.com");
  EXPECT_EQ(host_of("europe-west4"), "europe-west4-aiplatform.googleapis.com");
  EXPECT_EQ(host_of("eu"), "aiplatform.eu.rep.googleapis.com");
  config_.base_url = "http://10.0.0.1:8000/proxy/v1";
  const auto provider = make();
  ASSERT_TRUE(provider);
  EXPECT_EQ(call(**provider, "gemini-x").target,
            "/proxy/v1beta1/projects/p/locations/eu/publishers/google/models/"
            "gemini-x:generateContent");
}

TEST_F(VertexTest, TheModelSaysWhoPublishesIt) {
  config_.metadata = true;
  config_.project = "p";
  const auto made = make();
  ASSERT_TRUE(made);
  const Provider& provider = **made;
  const std::string place = "/projects/p/locations/global/";
  EXPECT_EQ(call(provider, "claude-opus-4@20250514").target,
            "/v1" + place + "publishers/anthropic/models/claude-opus-4%4020250514:rawPredict");
  EXPECT_EQ(call(provider, "claude-opus-4", OperationKind::CountTokens).target,
            "/v1" + place + "publishers/anthropic/models/count-tokens:rawPredict");
  EXPECT_EQ(call(provider, "endpoints/12").target,
            "/v1beta1" + place + "endpoints/12:generateContent");
  EXPECT_EQ(call(provider, "../a?b").target,
            "/v1beta1" + place + "publishers/google/models/..%2Fa%3Fb:generateContent");
  exchange_.index.stream = true;
  EXPECT_EQ(call(provider, "claude-opus-4").target,
            "/v1" + place + "publishers/anthropic/models/claude-opus-4:streamRawPredict");
  EXPECT_EQ(call(provider, "gemini-x").target,
            "/v1beta1" + place + "publishers/google/models/gemini-x:streamGenerateContent?alt=sse");
  EXPECT_EQ(&provider.dialect(operation_, {"", nullptr, "claude-opus-4", 1}), &anthropic_);
  EXPECT_EQ(&provider.dialect(operation_, {"", nullptr, "gemini-x", 1}), &gemini_);
}

TEST_F(VertexTest, EmbeddingsAreAskedForAsTheModelWantsIt) {
  config_.metadata = true;
  config_.project = "p";
  const auto provider = make();
  ASSERT_TRUE(provider);
  const auto method = [&](const std::string& model, std::uint32_t inputs) {
    exchange_.index.inputs = inputs;
    const Call made = call(**provider, model, OperationKind::Embeddings);
    return std::string(made.target.substr(made.target.rfind(':')));
  };
  EXPECT_EQ(method("text-embedding-005", 2), ":predict");
  EXPECT_EQ(method("gemini-embedding-001", 1), ":embedContent");
  EXPECT_EQ(method("gemini-embedding-001", 2), ":batchEmbedContents");
  EXPECT_FALSE((*provider)->serves(OperationKind::Embeddings, "claude-opus-4"));
}

TEST_F(VertexTest, TheEnvironmentFillsWhatIsOpen) {
  variables_ = {{"GOOGLE_APPLICATION_CREDENTIALS", write_key_file()},
                {"GOOGLE_CLOUD_LOCATION", "us-east5"}};
  const auto of_the_file = make();
  ASSERT_TRUE(of_the_file) << of_the_file.error().message;
  EXPECT_TRUE((*of_the_file)->waits());
  EXPECT_TRUE(call(**of_the_file, "gemini-x")
                  .target.starts_with("/v1beta1/projects/file-project/locations/us-east5/"));
  variables_["GOOGLE_CLOUD_PROJECT"] = "named";
  EXPECT_TRUE(call(**make(), "gemini-x").target.starts_with("/v1beta1/projects/named/"));
  config_.project = "configured";
  EXPECT_TRUE(call(**make(), "gemini-x").target.starts_with("/v1beta1/projects/configured/"));
}

TEST_F(VertexTest, AnApiKeyNeedsNoProjectAndNoToken) {
  variables_ = {{"GOOGLE_CLOUD_PROJECT", "p"}};
  config_.api_key = Secret("key");
  const auto provider = make();
  ASSERT_TRUE(provider);
  EXPECT_FALSE((*provider)->waits());
  const Call made = call(**provider, "gemini-x");
  EXPECT_EQ(made.target, "/v1beta1/publishers/google/models/gemini-x:generateContent");
  EXPECT_EQ(http::find(made.fields, "x-goog-api-key"), "key");
}

TEST_F(VertexTest, GooglesErrorsAreReadAlsoWhereClaudeWasAsked) {
  config_.api_key = Secret("key");
  const auto provider = make();
  ASSERT_TRUE(provider);
  const Error busy = (*provider)->classify(anthropic_, 429, {},
                                           R"([{"error":{"code":429,"message":"Quota exceeded",
      "status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"9s"}]}}])");
  EXPECT_EQ(busy.kind, ErrorKind::RateLimited);
  EXPECT_EQ(busy.retry_after, std::chrono::seconds(9));
  const Error missing = (*provider)->classify(anthropic_, 404, {},
                                              R"({"error":{"code":404,"message":"Publisher Model
      `projects/secret/x` was not found","status":"NOT_FOUND"}})");
  EXPECT_EQ(missing.kind, ErrorKind::NotFound);
  EXPECT_EQ(missing.message.find("secret"), std::string::npos);
  const Error long_prompt = (*provider)->classify(
      anthropic_, 400, {},
      R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long"}})");
  EXPECT_EQ(long_prompt.kind, ErrorKind::ContextTooLong);
}

TEST_F(VertexTest, TheGrantIsSignedForAnHour) {
  const auto file = read_key_file(write_key_file());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->token_uri, "https://oauth2.googleapis.com/token");
  const auto request = jwt_grant(*file, "/token", Wall(std::chrono::seconds(1000)));
  ASSERT_TRUE(request);
  const std::string body(request->body.reveal());
  const std::string front =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  ASSERT_TRUE(body.starts_with(front)) << body;
  const std::string token = body.substr(front.size());
  const auto first = token.find('.'), last = token.rfind('.');
  EXPECT_EQ(crypto::from_base64url(token.substr(first + 1, last - first - 1)),
            R"({"iss":"me@x.example","scope":"https://www.googleapis.com/auth/cloud-platform",)"
            R"("aud":"https://oauth2.googleapis.com/token","iat":1000,"exp":4600})");
  EXPECT_TRUE(crypto::testing::verifies(token.substr(0, last),
                                        *crypto::from_base64url(token.substr(last + 1))));
}

TEST_F(VertexTest, SaysWhatIsWrongWithAKeyFile) {
  const auto wrong = [&](const std::string& content) {
    std::ofstream(path_) << content;
    const auto file = read_key_file(path_);
    return file ? "nothing" : file.error().message;
  };
  const std::string front = "the key file " + path_ + " ";
  EXPECT_EQ(wrong("[]"), front + "is no JSON object");
  EXPECT_EQ(wrong("{}"), front + "has no \"type\"");
  EXPECT_EQ(wrong(R"({"type":"external_account"})"),
            front + "is of type \"external_account\"; only service_account is known");
  EXPECT_EQ(wrong(R"({"type":"service_account","client_email":5})"),
            front + "has no \"client_email\"");
  EXPECT_EQ(wrong(R"({"type":"service_account","client_email":"a","private_key":"-"})"),
            front + "has a private_key that is no private key in PEM, or one with a password");
  EXPECT_EQ(wrong(std::string(70'000, ' ')), front + "has over 64 KiB");
  std::filesystem::remove(path_);
  const auto absent = read_key_file(path_);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().message, front + "cannot be opened: No such file or directory");
  EXPECT_FALSE(read_key_file("/"));
}

TEST_F(VertexTest, AProjectMustBeKnown) {
  config_.metadata = true;
  const auto provider = make();
  ASSERT_FALSE(provider);
  EXPECT_NE(provider.error().message.find("project is missing"), std::string::npos);
}

}  // namespace
}  // namespace causeway::vertex
