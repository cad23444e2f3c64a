#include "platform/process/spawner.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

#include "platform/process/exec_child.h"

namespace causeway::process {
namespace {

using namespace std::chrono_literals;

/// Runs a shell script as a child and waits for its end.
struct Run {
  std::vector<std::string> lines;
  Exit exit;
  pid_t pid = 0;
};

SpawnOptions script(const std::string& text) {
  SpawnOptions options;
  options.program = "/bin/sh";
  options.arguments = {"-c", text};
  return options;
}

Run run(Spawner& spawner, SpawnOptions options) {
  // Shared, because the callbacks run on the spawner's thread.
  auto out = std::make_shared<Run>();
  auto ended = std::make_shared<std::promise<void>>();
  options.on_started = [out](pid_t pid) { out->pid = pid; };
  options.on_line = [out](std::string_view line) { out->lines.emplace_back(line); };
  options.on_exit = [out, ended](const Exit& exit) {
    out->exit = exit;
    ended->set_value();
  };
  auto future = ended->get_future();
  spawner.spawn(std::move(options));
  EXPECT_EQ(future.wait_for(20s), std::future_status::ready);
  return *out;
}

std::size_t open_files() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

bool is_there(pid_t pid) { return kill(pid, 0) == 0; }

// Where init reaps late, an ended process is still in the table, but has no memory any more.
bool ends_within(pid_t pid, std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
    if (!is_there(pid) || resident_bytes(pid) == 0) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

TEST(Spawner, ReportsLinesAndExitCode) {
  Spawner spawner;
  const auto result = run(spawner, script("echo one; echo two >&2; printf three; exit 7"));
  EXPECT_EQ(result.lines, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(result.exit.code, 7);
  EXPECT_EQ(result.exit.signal, 0);
  EXPECT_EQ(result.exit.reason, "exit code 7");
  EXPECT_FALSE(is_there(result.pid)) << "a zombie is left";
  EXPECT_EQ(spawner.running(), 0u);
}

TEST(Spawner, GivesOnlyTheEnvironmentThatIsWrittenOut) {
  setenv("CAUSEWAY_TEST_SECRET", "do-not-pass", 1);
  Spawner spawner;
  auto options = script("/usr/bin/env");
  options.environment = {"GREETING=hello"};
  const auto result = run(spawner, std::move(options));
  bool greeted = false;
  for (const auto& line : result.lines) {
    EXPECT_EQ(line.find("do-not-pass"), std::string::npos);
    greeted = greeted || line == "GREETING=hello";
  }
  EXPECT_TRUE(greeted);
  unsetenv("CAUSEWAY_TEST_SECRET");
}

TEST(Spawner, ChildHasOnlyStandardDescriptorsAndDefaultSignals) {
  signal(SIGPIPE, SIG_IGN);  // as the program does; must not be inherited
  Spawner spawner;
  const auto result = run(spawner, script("ls -l /proc/self/fd | grep -c -- '->'; "
                                          "grep -E '^Sig(Blk|Ign)' /proc/self/status"));
  ASSERT_EQ(result.lines.size(), 3u);
  EXPECT_LE(std::stoi(result.lines[0]), 4);  // 0, 1, 2 and what ls itself opens
  // Signals 32 and 33 are the C library's own.
  constexpr std::uint64_t kUsual = 0x7fff'ffff;
  for (const auto& line : {result.lines[1], result.lines[2]}) {
    EXPECT_EQ(std::stoull(line.substr(line.find('\t') + 1), nullptr, 16) & kUsual, 0u) << line;
  }
}

TEST(Spawner, AppliesLimits) {
  Spawner spawner;
  auto options = script("ulimit -n; ulimit -v; ulimit -c; nice; cat /proc/self/oom_score_adj; pwd");
  options.environment = {"PATH=/usr/bin:/bin"};
  options.limits = {
      .address_space = 256 << 20, .open_files = 99, .nice = 5, .oom_score_adjust = 400};
  options.folder = "/usr";
  const auto result = run(spawner, std::move(options));
  const auto nice = std::to_string(std::min(getpriority(PRIO_PROCESS, 0) + 5, 19));
  EXPECT_EQ(result.lines, (std::vector<std::string>{"99", "262144", "0", nice, "400", "/usr"}));
}

TEST(Spawner, MissingProgramIsAnExitWithReason) {
  Spawner spawner;
  SpawnOptions options;
  options.program = "/nonexistent/engine";
  const auto result = run(spawner, std::move(options));
  EXPECT_FALSE(result.exit.started);
  EXPECT_NE(result.exit.reason.find("/nonexistent/engine"), std::string::npos);
  EXPECT_EQ(result.pid, 0);
}

TEST(Spawner, TerminatesPolitelyThenByForce) {
  Spawner spawner;
  for (const bool stubborn : {false, true}) {
    auto options = script(stubborn ? "trap '' TERM; echo up; while :; do sleep 0.05; done"
                                   : "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep "
                                     "0.05; done");
    options.environment = {"PATH=/usr/bin:/bin"};
    std::promise<void> up;
    std::promise<Exit> ended;
    std::vector<std::string> lines;
    options.on_line = [&](std::string_view line) {
      lines.emplace_back(line);
      if (line == "up") up.set_value();
    };
    options.on_exit = [&](const Exit& exit) { ended.set_value(exit); };
    auto child = spawner.spawn(std::move(options));
    up.get_future().wait();
    const auto began = std::chrono::steady_clock::now();
    child.terminate(stubborn ? 200ms : 10s);
    const Exit exit = ended.get_future().get();
    const auto took = std::chrono::steady_clock::now() - began;
    if (stubborn) {
      EXPECT_EQ(exit.signal, SIGKILL);
      EXPECT_GE(took, 200ms);
    } else {
      EXPECT_EQ(exit.code, 3);
      EXPECT_EQ(lines.back(), "bye");
    }
    EXPECT_LT(took, 5s);
    child.terminate(0ms);  // after the end: nothing happens
  }
}

TEST(Spawner, EndsGrandchildrenWithTheChild) {
  Spawner spawner;
  auto options = script("sleep 1000 & echo $!; exit 0");
  options.environment = {"PATH=/usr/bin:/bin"};
  const auto result = run(spawner, std::move(options));
  ASSERT_EQ(result.lines.size(), 1u);
  const pid_t grandchild = std::stoi(result.lines[0]);
  EXPECT_TRUE(ends_within(grandchild, 5s));
}

TEST(Spawner, DestructorEndsChildren) {
  Exit seen;
  pid_t pid = 0;
  {
    Spawner spawner;
    std::promise<pid_t> started;
    auto options = script("exec sleep 1000");
    options.environment = {"PATH=/usr/bin:/bin"};
    options.on_started = [&](pid_t p) { started.set_value(p); };
    options.on_exit = [&](const Exit& exit) { seen = exit; };
    spawner.spawn(std::move(options));
    pid = started.get_future().get();
    EXPECT_TRUE(is_there(pid));
  }
  EXPECT_FALSE(is_there(pid));
  EXPECT_NE(seen.signal, 0);
}

TEST(Spawner, LeaksNoDescriptorsAndNoZombies) {
  Spawner spawner;
  run(spawner, script("true"));
  const auto before = open_files();
  for (int i = 0; i < 30; ++i) run(spawner, script("echo line"));
  SpawnOptions missing;
  missing.program = "/nonexistent";
  run(spawner, std::move(missing));
  EXPECT_EQ(open_files(), before);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left to be reaped";
}

TEST(Spawner, LoudChildIsBoundedAndEnds) {
  Spawner spawner;
  auto options = script("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done");
  options.log_limits = {.line_bytes = 100, .lines_per_second = 10, .burst = 50};
  const auto result = run(spawner, std::move(options));
  EXPECT_EQ(result.exit.code, 0);
  EXPECT_GE(result.lines.size(), 50u);
  EXPECT_LT(result.lines.size(), 500u);
  EXPECT_NE(result.lines.back().find("dropped"), std::string::npos);
}

// The parent is killed without a chance to clean up: the kernel must end the child.
TEST(Spawner, ChildDiesWhenTheParentIsKilled) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string out = std::to_string(ends[1]);
  const pid_t parent = fork();
  if (parent == 0) {
    execl("/proc/self/exe", "process_test", "parent-with-child", out.c_str(), nullptr);
    _exit(1);
  }
  close(ends[1]);
  pid_t child = 0;
  ASSERT_EQ(read(ends[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  close(ends[0]);
  ASSERT_TRUE(is_there(child));
  ASSERT_EQ(kill(parent, SIGKILL), 0);
  waitpid(parent, nullptr, 0);
  EXPECT_TRUE(ends_within(child, 3s));
}

// Run as `process_test parent-with-child FD`: writes the child's pid to FD and waits to be killed.
int parent_with_child(int out) {
  Spawner spawner;
  auto options = script("trap '' TERM; exec sleep 1000");
  options.environment = {"PATH=/usr/bin:/bin"};
  options.on_started = [out](pid_t pid) {
    [[maybe_unused]] const auto written = write(out, &pid, sizeof pid);
  };
  spawner.spawn(std::move(options));
  for (;;) pause();
}

TEST(ExecChild, RefusesWrongArguments) {
  Spawner spawner;
  const auto try_with = [&](std::vector<std::string> arguments) {
    SpawnOptions options;
    options.program = std::filesystem::read_symlink("/proc/self/exe");
    options.arguments = std::move(arguments);
    return run(spawner, std::move(options));
  };
  EXPECT_EQ(try_with({kExecChildVerb}).exit.code, 126);
  EXPECT_EQ(try_with({kExecChildVerb, "--", "/bin/true"}).exit.code, 126) << "no --parent";
  EXPECT_EQ(try_with({kExecChildVerb, "--parent=1x", "--", "/bin/true"}).exit.code, 126);
  EXPECT_EQ(try_with({kExecChildVerb, "--what=1", "--", "/bin/true"}).exit.code, 126);
  // The parent that is named is not the real one: as if it had ended in between.
  EXPECT_EQ(try_with({kExecChildVerb, "--parent=1", "--", "/bin/true"}).exit.code, 126);
  EXPECT_EQ(try_with({kExecChildVerb, "--parent=" + std::to_string(getpid()), "--", "/etc/passwd"})
                .exit.code,
            127);
}

TEST(Process, ResidentBytes) {
  EXPECT_GT(resident_bytes(getpid()), 100'000u);
  EXPECT_EQ(resident_bytes(0x3fffffff), 0u);
}

}  // namespace
}  // namespace causeway::process

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], causeway::process::kExecChildVerb) == 0) {
    return causeway::process::exec_child_main(argc, argv);
  }
  if (argc > 2 && std::strcmp(argv[1], "parent-with-child") == 0) {
    return causeway::process::parent_with_child(std::atoi(argv[2]));
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
