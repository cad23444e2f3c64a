#include "providers/embedded/provider.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "core/engine.h"
#include "core/exchange.h"
#include "dialects/openai/dialect.h"
#include "platform/net/loop.h"

namespace causeway::embedded {
namespace {

struct FakeLease final : EngineLease {
  FakeLease(int& count, bool tools) : held(count), tools_known(tools) { ++held; }
  ~FakeLease() override { --held; }
  const http::Endpoint& endpoint() const override { return address; }
  bool knows_tools() const override { return tools_known; }
  int& held;
  bool tools_known;
  http::Endpoint address;
};

/// An engine with a model of each kind that gives out slots at once, or the error that it is
/// told.
class FakeEngine final : public Engine {
 public:
  FakeEngine() {
    EngineModel chat;
    chat.name = "small";
    chat.aliases = {"default"};
    chat.system_prompt = "You are a \"helpful\" assistant.";
    EngineModel vectors;
    vectors.name = "vectors";
    vectors.aliases = {"v"};
    vectors.kind = EngineModelKind::Embeddings;
    entries_ = {std::make_shared<const EngineModel>(chat),
                std::make_shared<const EngineModel>(vectors)};
  }
  Task<Result<std::unique_ptr<EngineLease>>> acquire(std::string model, Monotonic deadline,
                                                     net::Loop&, Cancel&) override {
    asked = model;
    wait = deadline;
    if (error) co_return std::unexpected(*error);
    co_return std::make_unique<FakeLease>(held, knows_tools);
  }
  std::vector<EngineModel> models() const override { return {*entries_[0], *entries_[1]}; }
  std::shared_ptr<const EngineModel> find(std::string_view model,
                                          EngineModelKind kind) const override {
    for (const auto& entry : entries_) {
      const auto& aliases = entry->aliases;
      const bool known_as = std::find(aliases.begin(), aliases.end(), model) != aliases.end();
      if (entry->name == model || (known_as && entry->kind == kind)) return entry;
    }
    return nullptr;
  }
  std::string no_catalogue() const override { return why; }
  std::vector<EngineStatus> status(std::size_t) const override { return {}; }
  Result<void> load(std::string_view) override { return {}; }
  Result<void> unload(std::string_view) override { return {}; }
  Result<void> pull(std::string_view) override { return {}; }
  void configure(std::vector<EngineModel>) override {}
  Task<void> stop() override { co_return; }

  std::optional<Error> error;
  std::string asked, why;
  Monotonic wait{};
  int held = 0;
  bool knows_tools = true;

 private:
  std::vector<std::shared_ptr<const EngineModel>> entries_;
};

class EmbeddedTest : public testing::Test {
 protected:
  Result<Call> address(OperationKind kind, std::string body, const std::string& model) {
    operation_.kind = kind;
    exchange_.index.clear();
    body_ = body + std::string(64, '\0');
    auto read = dialect_.read(operation_, {}, std::string_view(body_).substr(0, body.size()),
                              exchange_.index);
    EXPECT_TRUE(read) << read.error().message;
    exchange_.context = &context_;
    exchange_.operation = &operation_;
    target_.upstream_model = model;
    attempt_.target = &target_;
    attempt_.request = Request(exchange_.index);
    return run_ready(provider_->wait_address(exchange_, attempt_));
  }
  Result<Call> chat(const std::string& messages, const std::string& model = "default") {
    return address(OperationKind::Chat, R"({"model":"m","messages":[)" + messages + "]}", model);
  }

  openai::OpenAiDialect dialect_;
  FakeEngine engine_;
  std::unique_ptr<Provider> provider_ = std::move(*make_provider("local", {}, dialect_, &engine_));
  net::Loop loop_;
  SystemClock clock_;
  LoopContext context_{.index = 0, .loop = &loop_, .client = nullptr, .clock = &clock_};
  SlotLayout layout_;
  Operation operation_;
  std::string body_;
  Exchange exchange_{layout_};
  Target target_;
  Attempt attempt_;
};

TEST_F(EmbeddedTest, HoldsASlotAsLongAsTheCall) {
  {
    const auto call = chat(R"({"role":"user","content":"hi"})");
    ASSERT_TRUE(call) << call.error().message;
    EXPECT_EQ(call->target, "/v1/chat/completions");
    EXPECT_NE(call->endpoint, nullptr);
    EXPECT_TRUE(call->fields.empty()) << "nothing of the caller's goes along";
    EXPECT_EQ(engine_.held, 1);
    EXPECT_GT(engine_.wait, clock_.now());
  }
  EXPECT_EQ(engine_.held, 0);
}

TEST_F(EmbeddedTest, TellsTheSystemPromptOfAModel) {
  EXPECT_EQ(provider_->default_system_prompt("default"), "You are a \"helpful\" assistant.");
  EXPECT_EQ(provider_->default_system_prompt("vectors"), "");
  EXPECT_EQ(provider_->default_system_prompt("nosuch"), "");
}

TEST_F(EmbeddedTest, AsksTheEngineForTheModelBehindAnAlias) {
  ASSERT_TRUE(chat(R"({"role":"user","content":"hi"})"));
  EXPECT_EQ(engine_.asked, "small");
  const auto call = address(OperationKind::Embeddings, R"({"model":"m","input":"x"})", "v");
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(engine_.asked, "vectors");
  EXPECT_EQ(call->target, "/v1/embeddings");
  EXPECT_FALSE(attempt_.request.edited());
}

TEST_F(EmbeddedTest, SaysWhatAModelCannotDo) {
  const auto call = chat(R"({"role":"user","content":"hi"})", "vectors");
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().kind, ErrorKind::InvalidRequest);
  EXPECT_NE(call.error().message.find("makes embeddings"), std::string::npos);
  EXPECT_EQ(chat(R"({"role":"user","content":"hi"})", "none").error().kind, ErrorKind::NotFound);
  EXPECT_EQ(chat(R"({"role":"user","content":"hi"})", "none").error().message,
            "The embedded provider \"local\" has no model \"none\".");
  engine_.why = "The list of models was not found.";
  EXPECT_EQ(
      chat(R"({"role":"user","content":"hi"})", "none").error().message,
      "The embedded provider \"local\" has no model \"none\". The list of models was not found.");
  EXPECT_FALSE(provider_->serves(OperationKind::Chat, "vectors"));
  EXPECT_TRUE(provider_->serves(OperationKind::Embeddings, "vectors"));
  EXPECT_TRUE(provider_->serves(OperationKind::Chat, "default"));
  EXPECT_FALSE(provider_->serves(OperationKind::Embeddings, "default"));
  EXPECT_FALSE(provider_->serves(OperationKind::Chat, "v"));
}

TEST_F(EmbeddedTest, APictureForAModelOfTextIsNotTheEnginesFault) {
  const std::string_view body =
      R"({"error":{"code":500,"message":"image input is not supported - hint: …"}})";
  const Error error = provider_->classify(dialect_, 500, {}, body);
  EXPECT_EQ(error.kind, ErrorKind::InvalidRequest);
  EXPECT_EQ(error.code, "model_not_suited");
  EXPECT_TRUE(error.retryable) << "another target may see";
  EXPECT_EQ(provider_->classify(dialect_, 500, {}, "{}").kind, ErrorKind::UpstreamFailed);
  EXPECT_FALSE(provider_->serves(OperationKind::Transcription, "default"));
}

TEST_F(EmbeddedTest, BusyEngineIsRetryableElsewhere) {
  Error busy;
  busy.kind = ErrorKind::RateLimited;
  busy.retry_after = std::chrono::seconds(3);
  engine_.error = busy;
  const auto call = chat(R"({"role":"user","content":"hi"})");
  ASSERT_FALSE(call);
  EXPECT_TRUE(call.error().retryable);
  EXPECT_EQ(call.error().retry_after, std::chrono::seconds(3));
  EXPECT_FALSE(attempt_.request.edited()) << "nothing was put in for a call that is not made";
}

TEST_F(EmbeddedTest, SaysToolsInTextOnlyWhereTheTemplateKnowsNone) {
  const std::string plain = R"({"role":"user","content":"hi"})";
  const std::string result = plain + R"(,{"role":"tool","tool_call_id":"c","content":"1"})";
  const std::string tools = plain + R"(],"tools":[{"type":"function","function":{"name":"f"}})";
  for (const auto& [messages, said] : {std::pair(plain, false), {result, true}, {tools, true}}) {
    engine_.knows_tools = true;
    auto call = chat(messages);
    ASSERT_TRUE(call) << call.error().message;
    EXPECT_EQ(call->dialect, nullptr);
    engine_.knows_tools = false;
    call = chat(messages);
    ASSERT_TRUE(call) << call.error().message;
    EXPECT_EQ(call->dialect != nullptr, said) << messages;
  }
}

TEST(EmbeddedConfig, AppliesTheProvidersAndTheModelsOwnSettings) {
  EngineModel known;
  known.name = "small";
  known.source.artifact = "small";
  EmbeddedConfig config;
  config.slots = 2;
  ModelConfig changed, own;
  changed.slots = 7;
  own.url = "https://hub.example/x.gguf";
  own.sha256 = std::string(64, 'a');
  own.kind = EngineModelKind::Embeddings;
  config.models = {{"small", {}, changed}, {"mine", {}, own}};
  const auto models = entries(config, {known});
  ASSERT_TRUE(models) << models.error().message;
  ASSERT_EQ(models->size(), 2u);
  EXPECT_EQ((*models)[0].slots, 7u);
  EXPECT_EQ((*models)[0].source.artifact, "small");
  EXPECT_EQ((*models)[1].name, "mine");
  EXPECT_EQ((*models)[1].source.url, own.url);
  EXPECT_EQ((*models)[1].kind, EngineModelKind::Embeddings);
  own.sha256.clear();
  config.models = {{"mine", {}, own}};
  EXPECT_FALSE(entries(config, {known})) << "a url needs its checksum";
}

}  // namespace
}  // namespace causeway::embedded
