// Large requests are read and looked through by other threads; the loop goes on.
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "core/stage.h"
#include "exchange/testing/fakes.h"
#include "platform/base/worker.h"
#include "platform/net/loop.h"

namespace causeway::exchange {
namespace {

using namespace std::chrono_literals;
using testing::completion;
using testing::FakeStream;
using testing::World;

constexpr std::size_t kLarge = 300 * 1024;

std::string ask(std::size_t text_bytes) {
  return R"({"model":"m","messages":[{"role":"user","content":")" + std::string(text_bytes, 'x') +
         R"("}]})";
}

// Large, but not by its texts.
std::string ask_with_picture() {
  return R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":)"
         R"({"url":"data:)" +
         std::string(kLarge, 'A') + R"("}}]}]})";
}

/// Notes on which thread it ran.
class Reads final : public Stage {
 public:
  Reads(std::string_view name, unsigned hooks) : name_(name), hooks_(hooks) {}
  std::string_view name() const override { return name_; }
  unsigned hooks() const override { return hooks_ | kOnRequest | kOnDone; }
  Verdict on_request(Exchange& exchange) override {
    thread = std::this_thread::get_id();
    for (Text text : exchange.request.texts()) bytes += text.get().size();
    if (slow) std::this_thread::sleep_for(200ms);
    return refuse ? Verdict(fail(ErrorKind::ContentFiltered, Origin::Us, "no")) : go_on();
  }
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override {
    ++done;
    status = outcome.status;
    marks = exchange.marks;
  }
  bool slow = false, refuse = false;
  std::thread::id thread;
  std::size_t bytes = 0;
  int done = 0, status = 0;
  std::vector<StageMark> marks;

 private:
  std::string_view name_;
  unsigned hooks_;
};

/// A world with a loop and a CPU group whose threads can be kept busy.
class Large : public ::testing::Test {
 protected:
  void begin(std::vector<Stage*> stages) {
    world = std::make_unique<World>(std::move(stages));
    world->context().loop = &loop;
    world->context().cpu = &cpu;
  }
  std::unique_ptr<FakeStream> send(std::string body) {
    world->client.scripts.push_back({.pieces = {completion("ok")}});
    auto stream = std::make_unique<FakeStream>(http::Method::Post, "/v1/chat/completions", body);
    loop.post([this, &s = *stream] { world->serve(s); });
    return stream;
  }
  bool until(std::move_only_function<bool()> done, std::chrono::milliseconds limit = 10s) {
    return loop.run_until(std::move(done), limit);
  }
  void keep_busy() {
    const auto taken = cpu.submit([this] { free.wait(); });
    ASSERT_TRUE(taken) << taken.error().message;
    while (cpu.queued() > 0) std::this_thread::yield();
  }

  net::Loop loop{0, 10ms};
  WorkerGroup cpu{"cpu", 1, 1};
  std::latch free{1};
  std::unique_ptr<World> world;
};

TEST_F(Large, ALargeBodyIsReadWhileOthersAreServed) {
  begin({});
  keep_busy();
  auto large = send(ask(kLarge));
  auto small = send(ask(10));
  ASSERT_TRUE(until([&] { return small->finished; }));
  EXPECT_EQ(small->status, 200);
  EXPECT_EQ(large->status, 0) << "it waits for the thread that the test holds";
  free.count_down();
  ASSERT_TRUE(until([&] { return large->finished; }));
  EXPECT_EQ(large->status, 200);
  EXPECT_EQ(large->body, completion("ok"));
  EXPECT_NE(world->client.sent[1].find(std::string(kLarge, 'x')), std::string::npos);
}

TEST_F(Large, HooksThatReadTextsRunOffTheLoopAndTheOthersOnIt) {
  Reads first("first", 0), scan("scan", kReadsTexts), again("again", kReadsTexts), last("last", 0);
  scan.slow = true;
  begin({&first, &scan, &again, &last});
  auto stream = send(ask(kLarge));
  ASSERT_TRUE(until([&] { return last.done > 0; }));
  EXPECT_EQ(stream->status, 200);
  const auto here = std::this_thread::get_id();
  EXPECT_EQ(first.thread, here);
  EXPECT_NE(scan.thread, here);
  EXPECT_EQ(scan.thread, again.thread);
  EXPECT_EQ(last.thread, here);
  EXPECT_EQ(scan.bytes, kLarge);
  // Head and request hook of the entry, then one each, in order, each with its own time.
  ASSERT_EQ(last.marks.size(), 6u);
  for (std::size_t i = 2; i < 6; ++i) EXPECT_EQ(last.marks[i].stage, i - 1);
  EXPECT_GE(last.marks[3].nanoseconds, 200'000'000u);
  EXPECT_LT(last.marks[5].nanoseconds, 100'000'000u) << "not the way back to the loop";
}

TEST_F(Large, WhereTheTextsAreSmallTheHooksStayOnTheLoop) {
  Reads scan("scan", kReadsTexts);
  begin({&scan});
  for (const auto& body : {ask(10), ask_with_picture()}) {
    auto stream = send(body);
    ASSERT_TRUE(until([&] { return stream->finished; }));
    EXPECT_EQ(stream->status, 200);
    EXPECT_EQ(scan.thread, std::this_thread::get_id());
  }
}

TEST_F(Large, RefusalsComeBackFromThere) {
  Reads scan("scan", kReadsTexts);
  scan.refuse = true;
  begin({&scan});
  auto refused = send(ask(kLarge));
  ASSERT_TRUE(until([&] { return scan.done > 0; }));
  EXPECT_EQ(refused->status, 400);
  auto broken = send("{" + std::string(kLarge, ' '));
  ASSERT_TRUE(until([&] { return broken->finished; }));
  EXPECT_EQ(broken->status, 400);
  EXPECT_NE(broken->body.find("invalid_json"), std::string::npos);
  EXPECT_TRUE(world->client.sent.empty());
}

/// Occupies the CPU group's thread when the attempt of a large request begins.
class Occupies final : public Stage {
 public:
  explicit Occupies(std::move_only_function<void()> occupy) : occupy_(std::move(occupy)) {}
  std::string_view name() const override { return "occupies"; }
  unsigned hooks() const override { return kOnAttempt; }
  Verdict on_attempt(Exchange& exchange, Attempt&) override {
    if (exchange.index.body.size() > kLarge) {
      occupy_();
      done = true;
    }
    return go_on();
  }
  bool done = false;

 private:
  std::move_only_function<void()> occupy_;
};

TEST_F(Large, ALargeRequestIsTranslatedWhileOthersAreServed) {
  Occupies occupies([this] { keep_busy(); });
  begin({&occupies});
  world->client.scripts.push_back({.pieces = {completion("ok")}});
  FakeStream large(http::Method::Post, "/v1/messages",
                   R"({"max_tokens":9,)" + ask(kLarge).substr(1));
  loop.post([&] { world->serve(large); });
  ASSERT_TRUE(until([&] { return occupies.done && cpu.queued() == 1; }));
  auto small = send(ask(10));
  ASSERT_TRUE(until([&] { return small->finished; }));
  EXPECT_EQ(small->status, 200);
  EXPECT_FALSE(large.finished);
  free.count_down();
  ASSERT_TRUE(until([&] { return large.finished; }));
  EXPECT_EQ(large.status, 200) << large.body;
}

TEST_F(Large, SoIsALargeRequestWithTheModelInManyPlaces) {
  Occupies occupies([this] { keep_busy(); });
  begin({&occupies});
  world->client.scripts.push_back(
      {.pieces = {
           R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}]})"}});
  FakeStream large(http::Method::Post, "/v1/embeddings",
                   R"({"model":"m","input":")" + std::string(kLarge, 'x') + R"("})");
  loop.post([&] { world->serve(large); });
  ASSERT_TRUE(until([&] { return occupies.done && cpu.queued() == 1; }));
  EXPECT_FALSE(large.finished);
  free.count_down();
  ASSERT_TRUE(until([&] { return large.finished; }));
  EXPECT_EQ(large.status, 200) << large.body;
}

TEST_F(Large, AChatThatNeedsNoTranslationWaitsForNoThread) {
  Occupies occupies([this] { keep_busy(); });
  begin({&occupies});
  auto large = send(ask(kLarge));
  EXPECT_TRUE(until([&] { return large->finished; }, 2s));
  EXPECT_TRUE(occupies.done);
  EXPECT_EQ(large->status, 200);
  free.count_down();
  ASSERT_TRUE(until([&] { return large->finished; }));
}

TEST_F(Large, AFullQueueIsTold) {
  begin({});
  keep_busy();
  auto waits = send(ask(kLarge));
  auto refused = send(ask(kLarge));
  ASSERT_TRUE(until([&] { return refused->finished; }));
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->fields["retry-after"], "1");
  EXPECT_NE(refused->body.find("too_many_large_requests"), std::string::npos);
  free.count_down();
  ASSERT_TRUE(until([&] { return waits->finished; }));
  EXPECT_EQ(waits->status, 200);
}

TEST_F(Large, AClientThatLeavesMeanwhileIsNoticedAfterwards) {
  Reads scan("scan", kReadsTexts), always("always", 0);
  begin({&always, &scan});
  keep_busy();
  auto stream = send(ask(kLarge));
  ASSERT_TRUE(until([&] { return cpu.queued() == 1; }));
  stream->leave();
  EXPECT_EQ(world->running(), 1u) << "what another thread may look at stays";
  free.count_down();
  ASSERT_TRUE(until([&] { return world->running() == 0; }));
  EXPECT_EQ(stream->status, 0);
  EXPECT_EQ(scan.thread, std::thread::id()) << "nobody waits for it any more";
  EXPECT_TRUE(world->client.sent.empty());
}

TEST_F(Large, QuestionsAreReadThereToo) {
  Reads scan("scan", kReadsTexts);
  begin({&scan});
  world->client.scripts.push_back({.pieces = {completion("ok")}});
  std::optional<Result<Answer>> answer;
  const auto asks = [](World* where, std::optional<Result<Answer>>* out) -> Task<void> {
    Question question;
    question.body = ask(kLarge);
    out->emplace(co_await where->ask(std::move(question)));
  };
  loop.post([&] { spawn(asks(world.get(), &answer)); });
  ASSERT_TRUE(until([&] { return answer.has_value(); }));
  ASSERT_TRUE(answer->has_value()) << answer->error().message;
  EXPECT_NE(scan.thread, std::this_thread::get_id());
}

}  // namespace
}  // namespace causeway::exchange
