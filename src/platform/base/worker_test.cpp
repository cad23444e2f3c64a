#include "platform/base/worker.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <future>
#include <thread>

namespace causeway {
namespace {

TEST(WorkerGroup, RunsEveryAcceptedJobBeforeItStops) {
  std::atomic<int> ran{0};
  {
    WorkerGroup group("test", 2, 1000);
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(group.submit([&ran] { ++ran; }));
  }
  EXPECT_EQ(ran, 500);
}

TEST(WorkerGroup, AFullQueueAnswersBusyAtOnce) {
  std::promise<void> gate;
  std::promise<void> started;
  WorkerGroup group("files", 1, 2);
  ASSERT_TRUE(group.submit([&] {
    started.set_value();
    gate.get_future().wait();
  }));
  started.get_future().wait();
  EXPECT_TRUE(group.submit([] {}));
  EXPECT_TRUE(group.submit([] {}));
  auto refused = group.submit([] {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Overloaded);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_EQ(group.queued(), 2u);
  gate.set_value();
  group.stop();
  EXPECT_EQ(group.submit([] {}).error().kind, ErrorKind::Unavailable);
}

TEST(WorkerGroup, ThreadsCarryTheNameAndBlockSignals) {
  std::promise<std::pair<std::string, bool>> seen;
  WorkerGroup group("sqlite", 1, 4);
  ASSERT_TRUE(group.submit([&] {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    seen.set_value({name, sigismember(&mask, SIGTERM) == 1});
  }));
  auto [name, blocked] = seen.get_future().get();
  EXPECT_EQ(name, "sqlite-0");
  EXPECT_TRUE(blocked);
}

// A loop in miniature: callbacks come in from the worker, and run on the test's thread.
struct Inbox {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::move_only_function<void()>> posted;
  void post(std::move_only_function<void()> f) {
    std::lock_guard lock(mutex);
    posted.push_back(std::move(f));
    wake.notify_one();
  }
  void run_one() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return !posted.empty(); });
    auto f = std::move(posted.front());
    posted.pop_front();
    lock.unlock();
    f();
  }
};

Task<void> ask(WorkerGroup& group, Inbox& inbox, Result<int>& out, std::thread::id& ran_on,
               std::thread::id& resumed_on) {
  out = co_await offload(
      group, [&inbox](auto f) { inbox.post(std::move(f)); },
      [&ran_on]() -> Result<int> {
        ran_on = std::this_thread::get_id();
        return 42;
      });
  resumed_on = std::this_thread::get_id();
}

TEST(Offload, RunsInTheGroupAndResumesOnTheLoop) {
  WorkerGroup group("test", 1, 4);
  Inbox inbox;
  Result<int> out = 0;
  std::thread::id ran_on;
  std::thread::id resumed_on;
  spawn(ask(group, inbox, out, ran_on, resumed_on));
  EXPECT_EQ(*out, 0);
  inbox.run_one();
  EXPECT_EQ(*out, 42);
  EXPECT_NE(ran_on, std::this_thread::get_id());
  EXPECT_EQ(resumed_on, std::this_thread::get_id());
}

TEST(Offload, BusyComesBackWithoutWaiting) {
  WorkerGroup group("test", 1, 0);
  Inbox inbox;
  Result<int> out = 0;
  std::thread::id a;
  std::thread::id b;
  spawn(ask(group, inbox, out, a, b));
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, ErrorKind::Overloaded);
}

}  // namespace
}  // namespace causeway
