#include "providers/bedrock/provider.h"

#include <gtest/gtest.h>

#include <map>

#include "core/exchange.h"
#include "dialects/converse/dialect.h"

namespace causeway::bedrock {
namespace {

class BedrockTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Provider>> make() {
    return make_provider("aws", config_, dialect_, [this](const char* name) {
      const auto found = variables_.find(name);
      return found == variables_.end() ? nullptr : found->second.c_str();
    });
  }

  Call call(const Provider& provider, const std::string& model, bool stream = false) {
    target_.upstream_model = model;
    attempt_.target = &target_;
    attempt_.translated = R"({"messages":[]})";
    exchange_.context = &context_;
    exchange_.operation = &operation_;
    exchange_.index.stream = stream;
    auto made = provider.address(exchange_, attempt_);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }

  BedrockConfig config_;
  converse::ConverseDialect dialect_;
  std::map<std::string, std::string> variables_;
  ManualClock clock_;
  LoopContext context_{.index = 0, .loop = nullptr, .client = nullptr, .clock = &clock_};
  SlotLayout layout_;
  Operation operation_;
  Exchange exchange_{layout_};
  Target target_;
  Attempt attempt_;
};

TEST_F(BedrockTest, TakesRegionAndCredentialsFromAwssVariables) {
  variables_ = {{"AWS_REGION", "eu-west-1"},
                {"AWS_ACCESS_KEY_ID", "AKID"},
                {"AWS_SECRET_ACCESS_KEY", "secret"},
                {"AWS_SESSION_TOKEN", "session"}};
  const auto provider = make();
  ASSERT_TRUE(provider) << provider.error().message;
  const Call made = call(**provider, "eu.anthropic.claude-sonnet-4-5-20250929-v1:0");
  EXPECT_EQ(made.endpoint->host, "bedrock-runtime.eu-west-1.amazonaws.com");
  EXPECT_TRUE(made.endpoint->tls);
  EXPECT_EQ(made.target, "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse");
  EXPECT_EQ(http::find(made.fields, "x-amz-security-token"), "session");
  EXPECT_EQ(http::find(made.fields, "x-amz-date"), "19700101T000000Z");
  const auto authorization = http::find(made.fields, "authorization").value_or("");
  EXPECT_TRUE(authorization.starts_with(
      "AWS4-HMAC-SHA256 Credential=AKID/19700101/eu-west-1/bedrock/aws4_request, "))
      << authorization;
}

TEST_F(BedrockTest, AStreamHasAPathOfItsOwn) {
  config_.region = "us-east-1";
  config_.api_key = Secret("key");
  const auto provider = make();
  ASSERT_TRUE(provider);
  const Call made = call(**provider, "arn:aws:bedrock:us-east-1:1:inference-profile/p", true);
  EXPECT_EQ(made.target,
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fp/converse-stream");
  EXPECT_EQ(http::find(made.fields, "authorization"), "Bearer key");
  EXPECT_FALSE(http::find(made.fields, "x-amz-date"));
}

TEST_F(BedrockTest, AnApiKeyWinsOverTheEnvironmentsCredentials) {
  variables_ = {{"AWS_ACCESS_KEY_ID", "AKID"},
                {"AWS_SECRET_ACCESS_KEY", "secret"},
                {"AWS_DEFAULT_REGION", "us-west-2"},
                {"AWS_BEARER_TOKEN_BEDROCK", "bearer"}};
  const auto provider = make();
  ASSERT_TRUE(provider);
  EXPECT_EQ(http::find(call(**provider, "m").fields, "authorization"), "Bearer bearer");
  config_.access_key_id = "OTHER";
  config_.secret_access_key = Secret("s");
  const auto configured = make();
  ASSERT_TRUE(configured);
  const Call made = call(**configured, "m");
  EXPECT_NE(http::find(made.fields, "authorization").value_or("").find("Credential=OTHER/"),
            std::string_view::npos);
}

TEST_F(BedrockTest, SaysWhatIsMissing) {
  const auto no_region = make();
  ASSERT_FALSE(no_region);
  EXPECT_NE(no_region.error().message.find("region"), std::string::npos);
  config_.region = "us-east-1";
  variables_ = {{"AWS_ACCESS_KEY_ID", "AKID"}};
  const auto no_credentials = make();
  ASSERT_FALSE(no_credentials);
  EXPECT_NE(no_credentials.error().message.find("credentials"), std::string::npos);
}

TEST_F(BedrockTest, ChinaHasADomainOfItsOwn) {
  config_.region = "cn-north-1";
  config_.api_key = Secret("key");
  const auto provider = make();
  ASSERT_TRUE(provider);
  EXPECT_EQ(call(**provider, "m").endpoint->host, "bedrock-runtime.cn-north-1.amazonaws.com.cn");
}

}  // namespace
}  // namespace causeway::bedrock
