#include "engine/supervisor.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>

#include "platform/http/client.h"
#include "platform/net/loop.h"
#include "platform/process/spawner.h"

namespace causeway::engine {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

Monotonic in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

struct Call {
  std::optional<Result<std::unique_ptr<EngineLease>>> result;
  Cancel cancel;
};

Task<void> acquire_into(Engine& engine, std::string model, Monotonic deadline, net::Loop& loop,
                        Call& call) {
  call.result.emplace(co_await engine.acquire(model, deadline, loop, call.cancel));
}

Task<void> stop_into(Engine& engine, bool& done) {
  co_await engine.stop();
  done = true;
}

Task<void> request_into(http::Client& client, const http::Endpoint& endpoint, std::string target,
                        std::optional<int>& status) {
  Cancel cancel;
  const http::ClientRequest request{
      .method = "GET", .target = target, .fields = {}, .body = {}, .timeouts = {}};
  auto answer = co_await client.call(endpoint, request, cancel);
  status = answer ? (*answer)->head().status : 0;
}

/// An engine whose llama-server is the fake one.
class SupervisorTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/engine-test-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    options_.places.cache = folder_ + "/cache";
    options_.places.program = folder_ + "/llama-server";
    options_.places.logs = folder_;
    options_.data_folder = folder_;
    options_.backoff = {.first = 100ms, .longest = 400ms, .jitter = 0};
    options_.tick = 10ms;
    fs::create_symlink(fs::read_symlink("/proc/self/exe"), options_.places.program);
  }
  void TearDown() override {
    if (engine_) {
      bool done = false;
      spawn(stop_into(*engine_, done));
      EXPECT_TRUE(loop_.run_until([&] { return done; }, 10s)) << "the engine does not stop";
      EXPECT_EQ(spawner_.running(), 0u) << "a child is left behind";
      calls_.clear();
      engine_.reset();
    }
    fs::remove_all(folder_);
  }

  ModelEntry model(const std::string& name, const std::string& behaviour) {
    const std::string path = folder_ + "/" + name + ".gguf";
    std::ofstream(path) << "GGUF " << behaviour;
    ModelEntry entry;
    entry.name = name;
    entry.source.path = path;
    entry.slots = 2;
    entry.max_waiting = 2;
    return entry;
  }
  void make(std::vector<ModelEntry> models) {
    auto engine = make_engine(options_, std::move(models), loop_, spawner_);
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = std::move(*engine);
  }
  Call& start(const std::string& name, std::chrono::milliseconds limit = 20s) {
    calls_.push_back(std::make_unique<Call>());
    spawn(acquire_into(*engine_, name, in(limit), loop_, *calls_.back()));
    return *calls_.back();
  }
  bool until(std::move_only_function<bool()> done, std::chrono::milliseconds limit = 10s) {
    return loop_.run_until(std::move(done), limit);
  }
  bool settles(Call& call) {
    return until([&] { return call.result.has_value(); });
  }
  ModelStatus status(const std::string& name) {
    for (auto& status : engine_->status(50)) {
      if (status.entry.name == name) return status;
    }
    return {};
  }
  bool reaches(const std::string& name, State state) {
    return until([&, name] { return status(name).state == state; });
  }
  /// The HTTP status that the model's child answers.
  int call_child(const EngineLease& lease, const std::string& target) {
    const auto client = http::make_client(loop_);
    std::optional<int> status;
    spawn(request_into(*client, lease.endpoint(), target, status));
    until([&] { return status.has_value(); });
    return status.value_or(-1);
  }

  std::string folder_;
  EngineOptions options_;
  net::Loop loop_;
  process::Spawner spawner_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(SupervisorTest, LoadsOnFirstUseAndAnswers) {
  make({model("a", "load_ms=150")});
  EXPECT_EQ(status("a").state, State::Stopped);
  const auto began = std::chrono::steady_clock::now();
  Call& call = start("a");
  ASSERT_TRUE(settles(call));
  ASSERT_TRUE(*call.result) << call.result->error().message;
  EXPECT_GE(std::chrono::steady_clock::now() - began, 150ms) << "before its health said ok";
  EXPECT_EQ(call_child(***call.result, "/v1/anything"), 200);
  const auto now = status("a");
  EXPECT_EQ(now.state, State::Ready);
  EXPECT_GT(now.pid, 0);
  EXPECT_EQ(now.slots_busy, 1u);
  EXPECT_EQ(now.slots_total, 2u);
  EXPECT_GE(now.load_time, 150ms);
  EXPECT_GT(now.resident_bytes, 0u);
  ASSERT_FALSE(now.log.empty());
  EXPECT_EQ(now.log.back(), "fake engine for a");
  EXPECT_TRUE(fs::exists(folder_ + "/engine-a.log"));
}

TEST_F(SupervisorTest, SocketsLieInAPrivateFolder) {
  make({model("a", "")});
  Call& call = start("a");
  ASSERT_TRUE(settles(call) && *call.result);
  const fs::path socket = (**call.result)->endpoint().unix_path;
  EXPECT_TRUE(fs::is_socket(socket));
  EXPECT_EQ(fs::status(socket.parent_path()).permissions(), fs::perms::owner_all);
}

TEST_F(SupervisorTest, AChildIsNoNicerThanWeAre) {
  make({model("a", "")});
  ASSERT_TRUE(settles(start("a")));
  const auto child = static_cast<id_t>(status("a").pid);
  EXPECT_EQ(getpriority(PRIO_PROCESS, child), getpriority(PRIO_PROCESS, 0));
}

TEST_F(SupervisorTest, UnknownModelIsNotFound) {
  make({model("a", "")});
  Call& call = start("b");
  ASSERT_TRUE(call.result);
  EXPECT_EQ(call.result->error().kind, ErrorKind::NotFound);
  EXPECT_FALSE(engine_->load("b"));
  EXPECT_FALSE(engine_->unload("b"));
  EXPECT_EQ(engine_->pull("a").error().code, "nothing_to_fetch");
}

TEST_F(SupervisorTest, AliasesAreKnownEverywhere) {
  auto chat = model("chat", "");
  chat.aliases = {"default"};
  auto vectors = model("vectors", "");
  vectors.aliases = {"v"};
  vectors.kind = ModelKind::Embeddings;
  make({chat, vectors});
  EXPECT_EQ(engine_->find("default", ModelKind::Chat)->name, "chat");
  EXPECT_EQ(engine_->find("vectors", ModelKind::Chat)->name, "vectors");
  EXPECT_EQ(engine_->find("v", ModelKind::Embeddings)->name, "vectors");
  EXPECT_EQ(engine_->find("v", ModelKind::Chat), nullptr);
  ASSERT_TRUE(engine_->load("default"));
  EXPECT_TRUE(reaches("chat", State::Ready));
  ASSERT_TRUE(engine_->unload("default"));
  EXPECT_TRUE(reaches("chat", State::Stopped));
  EXPECT_EQ(engine_->pull("v").error().code, "nothing_to_fetch");
}

TEST_F(SupervisorTest, ANameWinsOverAnAlias) {
  auto shipped = model("shipped", "");
  shipped.aliases = {"default"};
  make({shipped, model("default", "")});
  EXPECT_EQ(engine_->find("default", ModelKind::Chat)->name, "default");
  ASSERT_TRUE(engine_->load("default"));
  EXPECT_TRUE(reaches("default", State::Ready));
  EXPECT_EQ(status("shipped").state, State::Stopped);
}

TEST_F(SupervisorTest, MissingProgramSaysWhatMendsItAndIsPickedUpLater) {
  options_.places.program.clear();
  make({model("a", "")});
  Call& call = start("a");
  ASSERT_TRUE(settles(call));
  ASSERT_FALSE(*call.result);
  EXPECT_EQ(call.result->error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(call.result->error().code, "engine_missing");
  EXPECT_NE(call.result->error().message.find("scripts/deps"), std::string::npos);
  EXPECT_EQ(status("a").state, State::Absent);
  ASSERT_TRUE(engine_->load("a"));
  fs::create_directories(folder_ + "/cache/engine/current");
  fs::copy_symlink(folder_ + "/llama-server", folder_ + "/cache/engine/current/llama-server");
  // The program's own name must be kept for the fake: a copy, since links are resolved.
  fs::remove(folder_ + "/cache/engine/current/llama-server");
  fs::create_hard_link(fs::read_symlink("/proc/self/exe"),
                       folder_ + "/cache/engine/current/llama-server");
  EXPECT_TRUE(reaches("a", State::Ready));
}

TEST_F(SupervisorTest, MissingFileSaysSo) {
  auto entry = model("a", "");
  fs::remove(entry.source.path);
  make({entry});
  Call& call = start("a");
  ASSERT_TRUE(settles(call));
  EXPECT_EQ(call.result->error().code, "model_missing");
  EXPECT_NE(status("a").reason.find("a.gguf"), std::string::npos);
  std::ofstream(entry.source.path) << "no model";
  EXPECT_EQ(status("a").state, State::Absent);
}

TEST_F(SupervisorTest, WaitEndsAtItsDeadlineWhileLoading) {
  make({model("a", "load_ms=60000")});
  Call& call = start("a", 100ms);
  ASSERT_TRUE(settles(call));
  EXPECT_EQ(call.result->error().kind, ErrorKind::Overloaded);
  EXPECT_EQ(call.result->error().code, "model_loading");
  EXPECT_TRUE(call.result->error().retry_after);
  EXPECT_EQ(status("a").state, State::Starting);
}

TEST_F(SupervisorTest, FullQueueIsRefused) {
  make({model("a", "")});
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(settles(start("a")));
  start("a");
  start("a");
  Call& refused = start("a");
  ASSERT_TRUE(refused.result);
  EXPECT_EQ(refused.result->error().kind, ErrorKind::RateLimited);
  EXPECT_EQ(status("a").waiting, 2u);
}

TEST_F(SupervisorTest, BrokenModelFailsWithItsLastWordsAndBacksOff) {
  make({model("a", "exit=3")});
  Call& call = start("a");
  ASSERT_TRUE(settles(call));
  EXPECT_EQ(call.result->error().code, "engine_failed");
  const auto failed = status("a");
  EXPECT_EQ(failed.state, State::Failed);
  EXPECT_NE(failed.reason.find("exit code 3"), std::string::npos);
  EXPECT_NE(failed.reason.find("the fake model is broken"), std::string::npos);
  EXPECT_EQ(failed.restarts, 1u);
  Call& again = start("a");
  ASSERT_TRUE(again.result) << "refused at once during the pause";
  // Once the file is mended, the next request after the pause finds it well.
  std::ofstream(folder_ + "/a.gguf") << "GGUF fine";
  std::this_thread::sleep_for(1050ms);  // the shortest wait that callers are told
  Call& later = start("a");
  ASSERT_TRUE(settles(later));
  EXPECT_TRUE(*later.result);
}

TEST_F(SupervisorTest, RestartsAfterACrashAndServesWhoWaits) {
  auto entry = model("a", "");
  entry.slots = 1;
  make({entry});
  Call& first = start("a");
  ASSERT_TRUE(settles(first) && *first.result);
  const auto pid = status("a").pid;
  Call& waits = start("a");
  EXPECT_EQ(call_child(***first.result, "/crash"), 0) << "the call fails";
  ASSERT_TRUE(settles(waits));
  ASSERT_TRUE(*waits.result) << waits.result->error().message;
  const auto now = status("a");
  EXPECT_NE(now.pid, pid);
  EXPECT_EQ(now.restarts, 1u);
  EXPECT_EQ(now.slots_busy, 1u) << "the lease of the old child does not count";
  first.result.reset();
  EXPECT_EQ(status("a").slots_busy, 1u);
}

TEST_F(SupervisorTest, KeptModelIsRestartedWithoutRequests) {
  auto entry = model("a", "");
  entry.preload = true;
  make({entry});
  ASSERT_TRUE(reaches("a", State::Ready)) << "preloaded";
  const auto pid = status("a").pid;
  kill(pid, SIGKILL);
  ASSERT_TRUE(until([&] { return status("a").restarts == 1; }));
  ASSERT_TRUE(reaches("a", State::Ready));
  EXPECT_NE(status("a").pid, pid);
}

TEST_F(SupervisorTest, StopsWhenIdleAndStartsAgain) {
  auto entry = model("a", "");
  entry.idle_stop = 1s;
  make({entry});
  Call& call = start("a");
  ASSERT_TRUE(settles(call) && *call.result);
  std::this_thread::sleep_for(1100ms);
  bool turned = false;
  loop_.post([&] { turned = true; });
  until([&] { return turned; });
  EXPECT_EQ(status("a").state, State::Ready) << "in use";
  call.result.reset();
  ASSERT_TRUE(reaches("a", State::Stopped));
  EXPECT_EQ(status("a").pid, 0);
  Call& again = start("a");
  ASSERT_TRUE(settles(again));
  EXPECT_TRUE(*again.result);
}

TEST_F(SupervisorTest, UnloadWaitsForRequests) {
  make({model("a", "")});
  Call& call = start("a");
  ASSERT_TRUE(settles(call) && *call.result);
  ASSERT_TRUE(engine_->unload("a"));
  EXPECT_FALSE(until([&] { return status("a").state != State::Ready; }, 200ms));
  call.result.reset();
  EXPECT_TRUE(reaches("a", State::Stopped));
}

TEST_F(SupervisorTest, StubbornChildIsKilledAtTheEnd) {
  make({model("a", "stubborn")});
  Call& call = start("a");
  ASSERT_TRUE(settles(call) && *call.result);
  // TearDown stops the engine and finds no child.
}

TEST_F(SupervisorTest, NeverReadyIsGivenUp) {
  auto entry = model("a", "hang");
  entry.start_timeout = 1s;
  make({entry});
  Call& call = start("a");
  ASSERT_TRUE(settles(call));
  EXPECT_EQ(call.result->error().code, "engine_failed");
  EXPECT_NE(status("a").reason.find("not ready after 1 s"), std::string::npos);
}

TEST_F(SupervisorTest, LongestIdleModelMakesRoom) {
  options_.max_loaded = 1;
  make({model("a", ""), model("b", "")});
  Call& a = start("a");
  ASSERT_TRUE(settles(a) && *a.result);
  Call& b = start("b");
  EXPECT_FALSE(until([&] { return b.result.has_value(); }, 200ms)) << "a is in use";
  a.result.reset();
  ASSERT_TRUE(settles(b));
  EXPECT_TRUE(*b.result);
  EXPECT_EQ(status("a").state, State::Stopped);
}

TEST_F(SupervisorTest, ConfigureKeepsWhatDidNotChange) {
  const auto a = model("a", ""), b = model("b", "");
  make({a, b});
  Call& call_a = start("a");
  Call& call_b = start("b");
  ASSERT_TRUE(settles(call_a) && settles(call_b));
  const auto pid_a = status("a").pid, pid_b = status("b").pid;
  auto changed = b;
  changed.slots = 1;
  engine_->configure({a, changed});
  EXPECT_EQ(status("a").pid, pid_a);
  Call& fresh = start("b");
  ASSERT_TRUE(settles(fresh));
  ASSERT_TRUE(*fresh.result);
  EXPECT_NE(status("b").pid, pid_b);
  EXPECT_EQ(kill(pid_b, 0), 0) << "the old one still serves its request";
  EXPECT_EQ(call_child(***call_b.result, "/v1/x"), 200);
  call_b.result.reset();
  EXPECT_TRUE(until([&] { return kill(pid_b, 0) != 0; })) << "and then ends";
  engine_->configure({});
  EXPECT_TRUE(engine_->models().empty());
}

TEST_F(SupervisorTest, MetricsAreRead) {
  make({model("a", "")});
  Call& call = start("a");
  ASSERT_TRUE(settles(call) && *call.result);
  ASSERT_TRUE(until([&] { return status("a").tokens_total == 42; }));
  EXPECT_DOUBLE_EQ(status("a").tokens_per_second, 7.5);
  EXPECT_EQ(status("a").requests_total, 1u);
}

TEST_F(SupervisorTest, LeaksNoDescriptors) {
  auto entry = model("a", "");
  make({entry});
  const auto open_files = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator{});
  };
  std::optional<std::ptrdiff_t> before;
  for (int i = 0; i < 4; ++i) {
    Call& call = start("a");
    ASSERT_TRUE(settles(call) && *call.result);
    call.result.reset();
    ASSERT_TRUE(engine_->unload("a"));
    ASSERT_TRUE(reaches("a", State::Stopped));
    if (!before) before = open_files();
  }
  // The pipe of a child's output is closed a moment after its end.
  EXPECT_TRUE(until([&] { return open_files() <= *before; }));
}

TEST_F(SupervisorTest, StopSendsWaitersAway) {
  make({model("a", "load_ms=60000")});
  Call& call = start("a");
  ASSERT_TRUE(reaches("a", State::Starting));
  bool done = false;
  spawn(stop_into(*engine_, done));
  ASSERT_TRUE(until([&] { return done; }));
  ASSERT_TRUE(settles(call));
  EXPECT_EQ(call.result->error().code, "stopping");
}

}  // namespace
}  // namespace causeway::engine
