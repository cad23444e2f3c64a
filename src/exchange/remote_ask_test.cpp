// A question from one loop that is answered on another.
#include "exchange/remote_ask.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "platform/net/loop.h"

namespace causeway::exchange {
namespace {

using namespace std::chrono_literals;

/// Gives so many pieces, then an answer or an error.
class Pieces final : public Asker {
 public:
  Task<Result<Answer>> ask(Question question) override {
    thread = std::this_thread::get_id();
    for (int i = 0; i < pieces && question.sink; ++i) {
      if (question.cancel->requested()) break;
      given = i + 1;
      auto writing = question.sink(std::to_string(i));
      auto written = co_await std::move(writing);
      if (!written) {
        refused = true;
        co_return pass(std::move(written));
      }
    }
    if (waits) {
      Signal left;
      question.cancel->on_request([&left] { left.set(); });
      waiting = true;
      co_await left;
      question.cancel->on_request(nullptr);
    }
    if (question.cancel && question.cancel->requested()) {
      co_return fail(ErrorKind::Cancelled, Origin::Client, "withdrawn");
    }
    if (question.sent) question.sent->provider = "p";
    if (fails) co_return fail(ErrorKind::Timeout, Origin::Upstream, "too late");
    co_return Answer{200, {}, question.body};
  }
  int pieces = 0;
  bool waits = false, fails = false;
  std::atomic<int> given{0};
  std::atomic<bool> waiting{false}, refused{false};
  std::thread::id thread;
};

class RemoteAsk : public ::testing::Test {
 protected:
  RemoteAsk()
      : thread_([this] { away.run(); }),
        asker([this](auto action) { home.post(std::move(action)); },
              {{[this](auto action) { away.post(std::move(action)); }, &pieces}}) {}
  ~RemoteAsk() override {
    away.post([this] { away.stop(); });
    thread_.join();
  }
  static Task<void> into(Task<Result<Answer>> asking, std::optional<Result<Answer>>& out) {
    auto answer = co_await std::move(asking);
    out.emplace(std::move(answer));
  }
  void begin(Question question) { spawn(into(asker.ask(std::move(question)), answer)); }
  bool until(std::move_only_function<bool()> done) { return home.run_until(std::move(done), 10s); }
  bool answered() {
    return until([this] { return answer.has_value(); });
  }

  net::Loop home{-1};
  net::Loop away{0};
  std::thread thread_;

 public:
  Pieces pieces;
  RemoteAsker asker;
  std::optional<Result<Answer>> answer;
  std::vector<std::string> taken;
  std::unique_ptr<Signal> held;  // while it is not set, no piece is taken
};

Task<Result<void>> take(RemoteAsk* test, std::string piece, std::thread::id home) {
  EXPECT_EQ(std::this_thread::get_id(), home);
  Signal* const held = test->held.get();
  if (held) co_await *held;
  test->taken.push_back(std::move(piece));
  co_return Result<void>{};
}

Question with_sink(RemoteAsk* test) {
  Question question;
  question.sink = [test, home = std::this_thread::get_id()](std::string_view piece) {
    return take(test, std::string(piece), home);
  };
  return question;
}

TEST_F(RemoteAsk, AnAnswerComesBackFromTheOtherThread) {
  Question question;
  question.body = "hello";
  Sent sent;
  question.sent = &sent;
  begin(std::move(question));
  ASSERT_TRUE(answered());
  ASSERT_TRUE(*answer) << answer->error().message;
  EXPECT_EQ((*answer)->body, "hello");
  EXPECT_EQ(sent.provider, "p");
  EXPECT_NE(pieces.thread, std::this_thread::get_id());
}

TEST_F(RemoteAsk, ErrorsAsWell) {
  pieces.fails = true;
  begin({});
  ASSERT_TRUE(answered());
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().kind, ErrorKind::Timeout);
}

TEST_F(RemoteAsk, PiecesComeInOrderAndAllOfThem) {
  pieces.pieces = 1000;
  begin(with_sink(this));
  ASSERT_TRUE(answered());
  ASSERT_EQ(taken.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(taken[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST_F(RemoteAsk, ASlowReaderHoldsTheWriter) {
  pieces.pieces = 100;
  held = std::make_unique<Signal>();
  begin(with_sink(this));
  EXPECT_FALSE(home.run_until([] { return false; }, 50ms));
  EXPECT_EQ(pieces.given, 1) << "the second one waits until the first was taken";
  held->set();
  ASSERT_TRUE(answered());
  EXPECT_EQ(taken.size(), 100u);
}

TEST_F(RemoteAsk, ASinkThatFailsEndsIt) {
  pieces.pieces = 100;
  Question question;
  question.sink = [](std::string_view) -> Task<Result<void>> {
    co_return fail(ErrorKind::Cancelled, Origin::Client, "gone");
  };
  begin(std::move(question));
  ASSERT_TRUE(answered());
  EXPECT_FALSE(*answer);
  EXPECT_TRUE(pieces.refused);
  EXPECT_EQ(pieces.given, 1);
}

TEST_F(RemoteAsk, CancelReachesTheOtherLoop) {
  pieces.waits = true;
  Cancel cancel;
  Question question;
  question.cancel = &cancel;
  begin(std::move(question));
  ASSERT_TRUE(until([this] { return pieces.waiting.load(); }));
  cancel.request();
  ASSERT_TRUE(answered());
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().kind, ErrorKind::Cancelled);
}

TEST_F(RemoteAsk, OneThatWasCancelledBeforeDoesNotRun) {
  pieces.pieces = 3;
  Cancel cancel;
  cancel.request();
  Question question = with_sink(this);
  question.cancel = &cancel;
  begin(std::move(question));
  ASSERT_TRUE(answered());
  EXPECT_FALSE(*answer);
  EXPECT_TRUE(taken.empty());
}

TEST_F(RemoteAsk, CloseEndsWhatWaitsForItsReaderToo) {
  pieces.pieces = 100;
  held = std::make_unique<Signal>();
  begin(with_sink(this));
  ASSERT_TRUE(until([this] { return pieces.given == 1; }));
  asker.close();
  held->set();
  ASSERT_TRUE(answered());
  ASSERT_FALSE(*answer);
  answer.reset();
  begin({});
  ASSERT_TRUE(answered());
  EXPECT_EQ(answer->error().kind, ErrorKind::Unavailable);
}

}  // namespace
}  // namespace causeway::exchange
