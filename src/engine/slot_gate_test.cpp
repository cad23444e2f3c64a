#include "engine/slot_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "platform/net/loop.h"

namespace causeway::engine {
namespace {

using namespace std::chrono_literals;

Monotonic in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

http::Endpoint endpoint() {
  http::Endpoint endpoint;
  endpoint.unix_path = "/run/test.sock";
  return endpoint;
}

/// One request in progress.
struct Call {
  std::optional<Result<std::unique_ptr<EngineLease>>> result;
  Cancel cancel;
};

Task<void> acquire_into(std::shared_ptr<SlotGate> gate, Monotonic deadline, net::Loop& loop,
                        Call& call) {
  call.result.emplace(co_await gate->acquire(deadline, loop, call.cancel));
}

class SlotGateTest : public testing::Test {
 protected:
  void TearDown() override {  // whoever still waits is sent away
    gate_->refuse({}, in(1s));
    turn();
  }
  Call& start(Monotonic deadline = in(10s)) {
    calls_.push_back(std::make_unique<Call>());
    spawn(acquire_into(gate_, deadline, loop_, *calls_.back()));
    return *calls_.back();
  }
  bool settles(Call& call) {
    return loop_.run_until([&] { return call.result.has_value(); }, 2s);
  }
  void turn() {  // lets the loop run what was posted
    bool done = false;
    loop_.post([&] { done = true; });
    loop_.run_until([&] { return done; }, 2s);
  }

  net::Loop loop_;
  int demands_ = 0;
  std::vector<std::unique_ptr<Call>> calls_;
  std::shared_ptr<SlotGate> gate_ =
      std::make_shared<SlotGate>(endpoint(), 3, [this] { ++demands_; });
};

TEST_F(SlotGateTest, GrantsFreeSlotsAtOnceAndInOrder) {
  gate_->open(2);
  Call& a = start();
  Call& b = start();
  ASSERT_TRUE(a.result && *a.result) << "without waiting";
  ASSERT_TRUE(b.result && *b.result);
  EXPECT_EQ((**a.result)->endpoint().unix_path, "/run/test.sock");
  Call& c = start();
  Call& d = start();
  EXPECT_FALSE(c.result);
  EXPECT_EQ(gate_->counts().waiting, 2u);
  a.result.reset();
  ASSERT_TRUE(settles(c));
  EXPECT_TRUE(*c.result);
  EXPECT_FALSE(d.result) << "first come, first served";
  b.result.reset();
  ASSERT_TRUE(settles(d));
  EXPECT_EQ(gate_->counts().busy, 2u);
  EXPECT_EQ(gate_->counts().granted, 4u);
  EXPECT_EQ(demands_, 0);
}

TEST_F(SlotGateTest, FullQueueIsRateLimitedWithAWaitHint) {
  gate_->open(1);
  start();
  for (int i = 0; i < 3; ++i) start();
  Call& refused = start();
  ASSERT_TRUE(refused.result);
  ASSERT_FALSE(*refused.result);
  const Error& error = refused.result->error();
  EXPECT_EQ(error.kind, ErrorKind::RateLimited);
  EXPECT_TRUE(error.retryable);
  EXPECT_GE(error.retry_after.value(), 1s);
  EXPECT_LE(error.retry_after.value(), 60s);
}

TEST_F(SlotGateTest, WaitEndsAtItsDeadline) {
  gate_->open(1);
  start();
  Call& late = start(in(10s));
  gate_->sweep(in(0ms));
  turn();
  EXPECT_FALSE(late.result);
  gate_->sweep(in(11s));
  ASSERT_TRUE(settles(late));
  EXPECT_EQ(late.result->error().kind, ErrorKind::Overloaded);
  EXPECT_EQ(late.result->error().code, "engine_busy");
  EXPECT_EQ(gate_->counts().waiting, 0u);
}

TEST_F(SlotGateTest, ClosedGateAsksForAChildAndWaits) {
  gate_->close(5s);
  Call& waits = start();
  Call& late = start(in(0ms));
  EXPECT_EQ(demands_, 2);
  gate_->sweep(in(1ms));
  ASSERT_TRUE(settles(late));
  EXPECT_EQ(late.result->error().code, "model_loading");
  EXPECT_EQ(late.result->error().retry_after, 5s);
  gate_->open(1);
  ASSERT_TRUE(settles(waits));
  EXPECT_TRUE(*waits.result);
}

TEST_F(SlotGateTest, RefusalFailsWaitersAndNewcomersUntilItsTime) {
  gate_->close();
  Call& waiting = start();
  Error error;
  error.kind = ErrorKind::Unavailable;
  error.message = "no file";
  gate_->refuse(error, in(500ms));
  ASSERT_TRUE(settles(waiting));
  EXPECT_EQ(waiting.result->error().message, "no file");
  Call& newcomer = start();
  ASSERT_TRUE(newcomer.result);
  EXPECT_EQ(newcomer.result->error().kind, ErrorKind::Unavailable);
  EXPECT_TRUE(newcomer.result->error().retry_after);
  std::this_thread::sleep_for(510ms);
  demands_ = 0;
  Call& later = start();
  EXPECT_FALSE(later.result);
  EXPECT_EQ(demands_, 1);
  gate_->open(1);
  ASSERT_TRUE(settles(later));
}

TEST_F(SlotGateTest, CancelEndsAWaitAndKeepsTheOrder) {
  gate_->open(1);
  Call& holder = start();
  Call& cancelled = start();
  Call& next = start();
  cancelled.cancel.request();
  ASSERT_TRUE(settles(cancelled));
  EXPECT_EQ(cancelled.result->error().kind, ErrorKind::Cancelled);
  holder.result.reset();
  ASSERT_TRUE(settles(next));
  EXPECT_TRUE(*next.result);
  Call& before = *calls_.emplace_back(std::make_unique<Call>());
  before.cancel.request();
  spawn(acquire_into(gate_, in(1s), loop_, before));
  EXPECT_EQ(before.result->error().kind, ErrorKind::Cancelled);
}

TEST_F(SlotGateTest, CancelBetweenGrantAndResumptionHandsTheSlotOn) {
  gate_->open(1);
  Call& holder = start();
  Call& granted = start();
  Call& next = start();
  holder.result.reset();     // grants, and posts the resumption
  granted.cancel.request();  // which has not run yet
  ASSERT_TRUE(settles(granted));
  EXPECT_EQ(granted.result->error().kind, ErrorKind::Cancelled);
  ASSERT_TRUE(settles(next));
  EXPECT_TRUE(*next.result);
  EXPECT_EQ(gate_->counts().busy, 1u);
}

TEST_F(SlotGateTest, LeasesOfAnEarlierChildDoNotCount) {
  gate_->open(1);
  Call& old = start();
  gate_->close();
  gate_->open(1);
  EXPECT_EQ(gate_->counts().busy, 0u);
  Call& fresh = start();
  ASSERT_TRUE(fresh.result && *fresh.result);
  old.result.reset();
  EXPECT_EQ(gate_->counts().busy, 1u) << "the old lease gave back what the new child does not have";
}

TEST_F(SlotGateTest, ClosesOnlyWhenIdle) {
  gate_->open(1);
  Call& holder = start();
  EXPECT_FALSE(gate_->close_if_idle_since(in(1s)));
  holder.result.reset();
  EXPECT_FALSE(gate_->close_if_idle_since(in(-1s))) << "used after that time";
  EXPECT_TRUE(gate_->close_if_idle_since(in(1s)));
  Call& wakes = start();
  EXPECT_FALSE(wakes.result);
  EXPECT_EQ(demands_, 1);
  gate_->open(1);
  ASSERT_TRUE(settles(wakes));
}

// A request's frame may be destroyed while it waits: nothing of it may be touched afterwards.
struct Holder {
  struct promise_type {
    Holder get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};
Holder hold(std::shared_ptr<SlotGate> gate, net::Loop& loop, Cancel& cancel) {
  [[maybe_unused]] const auto lease = co_await gate->acquire(in(10s), loop, cancel);
}

TEST_F(SlotGateTest, SurvivesDestroyedWaiters) {
  gate_->open(1);
  Call& holder = start();
  Cancel cancel;
  const auto waiting = hold(gate_, loop_, cancel);
  const auto granted = hold(gate_, loop_, cancel);
  waiting.handle.destroy();
  EXPECT_EQ(gate_->counts().waiting, 1u);
  holder.result.reset();     // grants to the second, whose resumption is posted
  granted.handle.destroy();  // before it runs
  turn();
  EXPECT_EQ(gate_->counts().busy, 0u);
  cancel.request();
}

// Many loops fight for few slots: never more holders than slots, and everybody is served or told.
TEST(SlotGate, ManyThreads) {
  constexpr int kThreads = 4, kCallers = 8, kRounds = 200;
  constexpr std::size_t kSlots = 3;
  auto gate = std::make_shared<SlotGate>(endpoint(), 16, [] {});
  struct Shared {
    std::atomic<int> holding{0}, most{0}, granted{0}, refused{0}, late{0}, cancelled{0};
  } shared;
  struct Worker {
    static Task<void> caller(std::shared_ptr<SlotGate> g, net::Loop& loop, Shared& s, int seed,
                             int& running) {
      for (int i = 0; i < kRounds; ++i) {
        Cancel cancel;
        const int kind = (seed * 31 + i * 7) % 10;
        if (kind == 0) loop.post([&cancel] { cancel.request(); });
        auto lease = co_await g->acquire(in(kind == 1 ? 1ms : 5000ms), loop, cancel);
        if (lease) {
          const int now = ++s.holding;
          int most = s.most;
          while (now > most && !s.most.compare_exchange_weak(most, now)) {
          }
          ++s.granted;
          if (i % 3 == 0) co_await loop.sleep(0ms);
          --s.holding;
        } else if (lease.error().kind == ErrorKind::RateLimited) {
          ++s.refused;
        } else if (lease.error().kind == ErrorKind::Cancelled) {
          ++s.cancelled;
        } else {
          ++s.late;
        }
        co_await loop.sleep(0ms);  // also lets the posted cancel run while it is there
      }
      if (--running == 0) loop.stop();
    }
  };
  gate->open(kSlots);
  std::atomic<bool> stop = false;
  std::thread sweeper([&] {
    while (!stop) {
      gate->sweep(std::chrono::steady_clock::now());
      std::this_thread::sleep_for(1ms);
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      net::Loop loop(t);
      int running = kCallers;
      for (int c = 0; c < kCallers; ++c) {
        spawn(Worker::caller(gate, loop, shared, t * kCallers + c, running));
      }
      if (running > 0) loop.run();
    });
  }
  for (auto& thread : threads) thread.join();
  stop = true;
  sweeper.join();
  EXPECT_LE(shared.most, static_cast<int>(kSlots));
  EXPECT_EQ(shared.granted + shared.refused + shared.late + shared.cancelled,
            kThreads * kCallers * kRounds);
  EXPECT_GT(shared.granted, kThreads * kRounds);
  EXPECT_EQ(gate->counts().busy, 0u);
  EXPECT_EQ(gate->counts().waiting, 0u);
}

}  // namespace
}  // namespace causeway::engine
