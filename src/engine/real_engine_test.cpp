// With the real llama-server and the real models, where they are in the cache; skipped elsewhere.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/manifest.h"
#include "engine/places.h"
#include "engine/supervisor.h"
#include "platform/http/client.h"
#include "platform/net/loop.h"
#include "platform/process/spawner.h"

namespace causeway::engine {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;

struct Answer {
  std::optional<std::string> error;
  int status = 0;
  std::string body;
  bool done = false;
};

Task<void> ask(Engine& engine, http::Client& client, net::Loop& loop, std::string model,
               std::string path, std::string body, Answer& out) {
  Cancel cancel;
  const auto deadline = std::chrono::steady_clock::now() + 90s;
  auto lease = co_await engine.acquire(model, deadline, loop, cancel);
  if (!lease) {
    out.error = lease.error().message;
  } else {
    const std::string_view piece = body;
    const http::Field type{"Content-Type", "application/json"};
    const http::ClientRequest request{.method = "POST",
                                      .target = path,
                                      .fields = {&type, 1},
                                      .body = {&piece, 1},
                                      .timeouts = {}};
    auto answer = co_await client.call((*lease)->endpoint(), request, cancel);
    if (!answer) {
      out.error = answer.error().message;
    } else {
      out.status = (*answer)->head().status;
      auto text = co_await (*answer)->read_all(1 << 20);
      if (text) out.body = std::string(*text);
    }
  }
  out.done = true;
}

Task<void> stop_into(Engine& engine, bool& done) {
  co_await engine.stop();
  done = true;
}

/// One engine for all of these tests: a model is loaded once.
struct World {
  Places places = find_places(fs::read_symlink("/proc/self/exe").string());
  net::Loop loop;
  std::unique_ptr<http::Client> client = http::make_client(loop);
  process::Spawner spawner;
  std::unique_ptr<Engine> engine;
};

class RealEngineTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto world = std::make_unique<World>();
    if (!find_program(world->places)) return;
    auto models = read_manifest(CAUSEWAY_SOURCE_DIR "/third_party/manifest");
    ASSERT_TRUE(models);
    EngineOptions options;
    options.places = world->places;
    options.fetch_on_first_use = false;
    auto engine = make_engine(options, *models, world->loop, world->spawner);
    ASSERT_TRUE(engine) << engine.error().message;
    world->engine = std::move(*engine);
    world_ = std::move(world);
  }
  static void TearDownTestSuite() {
    if (!world_) return;
    bool done = false;
    spawn(stop_into(*world_->engine, done));
    EXPECT_TRUE(world_->loop.run_until([&] { return done; }, 15s));
    EXPECT_EQ(world_->spawner.running(), 0u);
    world_->engine.reset();
    world_.reset();
  }
  void SetUp() override {
    if (!world_) GTEST_SKIP() << "llama-server is not built";
  }
  /// The model of that kind, if its file is here.
  std::optional<std::string> model(ModelKind kind) {
    const auto entry = world_->engine->find("default", kind);
    if (!entry || !find_model(*entry, world_->places)) return std::nullopt;
    return entry->name;
  }
  Answer& start(const std::string& model, const std::string& path, const std::string& body) {
    answers_.push_back(std::make_unique<Answer>());
    spawn(ask(*world_->engine, *world_->client, world_->loop, model, path, body, *answers_.back()));
    return *answers_.back();
  }
  json::value finish(Answer& answer) {
    EXPECT_TRUE(world_->loop.run_until([&] { return answer.done; }, 100s));
    EXPECT_FALSE(answer.error) << *answer.error;
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.body.empty() ? json::value{} : json::parse(answer.body);
  }
  std::string chat(Answer& answer) {
    const auto value = finish(answer);
    return value.is_object()
               ? std::string(value.at_pointer("/choices/0/message/content").as_string())
               : std::string();
  }
  ModelStatus status(const std::string& name) {
    for (auto& status : world_->engine->status(100)) {
      if (status.entry.name == name) return status;
    }
    return {};
  }

  static inline std::unique_ptr<World> world_;
  std::vector<std::unique_ptr<Answer>> answers_;
};

constexpr auto kQuestion = R"({"temperature":0,"max_tokens":8,"messages":[
  {"role":"system","content":"You are a helpful assistant."},
  {"role":"user","content":"What is the capital of France?"}]})";

TEST_F(RealEngineTest, ChatsWithSeveralAtOnceAndSurvivesAKill) {
  const auto name = model(ModelKind::Chat);
  if (!name) GTEST_SKIP() << "the chat model is not here";
  for (int i = 0; i < 5; ++i) start(*name, "/v1/chat/completions", kQuestion);  // more than slots
  for (auto& answer : answers_) {
    EXPECT_NE(chat(*answer).find("Paris"), std::string::npos) << answer->body;
  }
  const auto before = status(*name);
  EXPECT_EQ(before.state, State::Ready);
  EXPECT_GT(before.resident_bytes, 50u << 20);
  EXPECT_GT(before.load_time, 0ms);
  for (const auto& line : before.log) {
    EXPECT_EQ(line.find("France"), std::string::npos) << "people's words in the log: " << line;
  }
  kill(before.pid, SIGKILL);
  ASSERT_TRUE(world_->loop.run_until([&] { return status(*name).restarts == 1; }, 10s));
  EXPECT_NE(chat(start(*name, "/v1/chat/completions", kQuestion)).find("Paris"), std::string::npos);
  EXPECT_NE(status(*name).pid, before.pid);
}

TEST_F(RealEngineTest, StructuredOutput) {
  const auto name = model(ModelKind::Chat);
  if (!name) GTEST_SKIP() << "the chat model is not here";
  const auto text = chat(start(*name, "/v1/chat/completions", R"({"temperature":0,"max_tokens":60,
    "messages":[{"role":"system","content":"You are a helpful assistant."},
                {"role":"user","content":"Anna is 34 years old."}],
    "response_format":{"type":"json_schema","json_schema":{"name":"person","strict":true,"schema":{
      "type":"object","properties":{"name":{"type":"string","maxLength":20},"age":{"type":"integer"}},
      "required":["name","age"],"additionalProperties":false}}}})"));
  boost::system::error_code error;
  const auto person = json::parse(text, error);
  ASSERT_FALSE(error) << text;
  EXPECT_TRUE(person.at("name").is_string() && person.at("age").is_int64()) << text;
}

TEST_F(RealEngineTest, TooLongIsAnErrorOfTheRequest) {
  const auto name = model(ModelKind::Chat);
  if (!name) GTEST_SKIP() << "the chat model is not here";
  std::string words;
  for (int i = 0; i < 6000; ++i) words += "word ";
  auto& answer = start(*name, "/v1/chat/completions",
                       R"({"messages":[{"role":"user","content":")" + words + R"("}]})");
  ASSERT_TRUE(world_->loop.run_until([&] { return answer.done; }, 100s));
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_NE(answer.body.find("exceed_context_size_error"), std::string::npos) << answer.body;
}

TEST_F(RealEngineTest, Embeds) {
  const auto name = model(ModelKind::Embeddings);
  if (!name) GTEST_SKIP() << "the embedding model is not here";
  const auto value = finish(start(*name, "/v1/embeddings",
                                  R"({"input":["A cat sits on the mat.","A kitten is on a rug.",
                                               "The stock market fell sharply."]})"));
  std::vector<std::vector<double>> vectors;
  for (const auto& item : value.at("data").as_array()) {
    auto& vector = vectors.emplace_back();
    for (const auto& x : item.at("embedding").as_array()) vector.push_back(x.to_number<double>());
  }
  ASSERT_EQ(vectors.size(), 3u);
  ASSERT_EQ(vectors[0].size(), 384u);
  const auto cosine = [&](std::size_t a, std::size_t b) {
    double sum = 0;
    for (std::size_t i = 0; i < vectors[a].size(); ++i) sum += vectors[a][i] * vectors[b][i];
    return sum;
  };
  EXPECT_NEAR(cosine(0, 0), 1, 1e-3);
  EXPECT_GT(cosine(0, 1), 0.5);
  EXPECT_LT(cosine(0, 2), 0.3);
}

}  // namespace
}  // namespace causeway::engine
