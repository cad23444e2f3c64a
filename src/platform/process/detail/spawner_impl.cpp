#include "platform/process/detail/spawner_impl.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

namespace causeway::process {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReadPerTurn = 64 * 1024;  // so that one loud child does not starve the rest
constexpr std::size_t kReadAtEnd = 1024 * 1024;
constexpr milliseconds kPollWithoutPidfd{100};

Monotonic now() { return std::chrono::steady_clock::now(); }

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// posix_spawn's two option objects, with what every child gets: no input, both outputs into the
/// pipe, nothing else open, default signals, a process group of its own (so that Ctrl-C on the
/// terminal reaches only us, who then decide when the children end).
class SpawnSettings {
 public:
  explicit SpawnSettings(int output) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, output, 1);
    posix_spawn_file_actions_adddup2(&files_, output, 2);
    posix_spawn_file_actions_addclosefrom_np(&files_, 3);
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&files_);
  }
  const posix_spawn_file_actions_t* files() const { return &files_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

/// Reads what is there, at most `limit` bytes. False at the end of the stream.
bool read_lines(RunningChild& child, std::size_t limit) {
  std::array<char, 8192> buffer;
  for (std::size_t total = 0; child.output && total < limit;) {
    const ssize_t got = read(child.output.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    child.lines.add({buffer.data(), static_cast<std::size_t>(got)}, now());
    total += static_cast<std::size_t>(got);
  }
  return true;
}

/// Not glibc's pidfd_open: its header in Debian 12 lacks the extern "C".
Descriptor open_pidfd(pid_t pid) {
  return Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

/// The signal goes to the group, the pid is not reused before the child is reaped by this thread.
void signal_group(const RunningChild& child, int signal) {
  if (kill(-child.pid, signal) != 0) kill(child.pid, signal);
}

Exit exit_of(const siginfo_t& info) {
  Exit exit;
  if (info.si_code == CLD_EXITED) {
    exit.code = info.si_status;
    exit.reason = "exit code " + std::to_string(info.si_status);
  } else {
    exit.signal = info.si_status;
    const char* name = sigdescr_np(info.si_status);
    exit.reason =
        "signal " + std::to_string(info.si_status) + " (" + (name ? name : "unknown") + ")";
  }
  return exit;
}

Exit never_started(std::string reason) {
  Exit exit;
  exit.started = false;
  exit.reason = std::move(reason);
  return exit;
}

}  // namespace

void Descriptor::reset() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

SpawnerImpl::SpawnerImpl(std::string self)
    : self_(std::move(self)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw_errno("eventfd");
  // The thread takes no signals of the program: they belong to whoever handles them.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "spawner");
}

void SpawnerImpl::push(Command command) {
  {
    std::lock_guard lock(mutex_);
    commands_.push_back(std::move(command));
  }
  wake();
}

void SpawnerImpl::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

void SpawnerImpl::stop_and_join() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  thread_.join();
}

void SpawnerImpl::run() {
  for (;;) {
    obey(take_commands());
    if (ending_ && children_.empty()) return;
    wait_for_events();
    kill_overdue();
    reap();
  }
}

std::vector<Command> SpawnerImpl::take_commands() {
  std::vector<Command> commands;
  std::lock_guard lock(mutex_);
  commands.swap(commands_);
  if (stopping_ && !std::exchange(ending_, true)) {
    for (auto& child : children_) {
      commands.emplace_back(TerminateCommand{child.id, Spawner::kLastGrace});
    }
  }
  return commands;
}

void SpawnerImpl::obey(std::vector<Command> commands) {
  for (auto& command : commands) {
    if (auto* spawn = std::get_if<SpawnCommand>(&command)) {
      start(std::move(*spawn));
      continue;
    }
    const auto& end = std::get<TerminateCommand>(command);
    auto child = std::ranges::find(children_, end.id, &RunningChild::id);
    if (child != children_.end()) begin_termination(*child, end.grace);
  }
}

void SpawnerImpl::start(SpawnCommand command) {
  auto& options = command.options;
  const auto refuse = [&](std::string reason) {
    --running;
    if (options.on_exit) options.on_exit(never_started(std::move(reason)));
  };
  if (ending_) return refuse("the program ends");
  if (access(options.program.c_str(), X_OK) != 0) {
    return refuse("no such program: " + options.program + ": " + std::strerror(errno));
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return refuse(std::string("pipe: ") + std::strerror(errno));
  Descriptor output(ends[0]), input(ends[1]);
  fcntl(output.get(), F_SETFL, O_NONBLOCK);

  auto texts =
      exec_child_arguments(options.limits, options.folder, options.program, options.arguments);
  texts.insert(texts.begin(), self_);
  const auto arguments = pointers(texts);
  const auto environment = pointers(options.environment);
  const SpawnSettings settings(input.get());
  pid_t pid = 0;
  const int error = posix_spawn(&pid, self_.c_str(), settings.files(), settings.attributes(),
                                arguments.data(), environment.data());
  if (error != 0) return refuse("cannot spawn " + self_ + ": " + std::strerror(error));

  LineSplitter::Sink sink = options.on_line ? std::move(options.on_line) : [](std::string_view) {};
  children_.push_back({command.id, pid, open_pidfd(pid), std::move(output),
                       LineSplitter(options.log_limits, std::move(sink)),
                       std::move(options.on_exit), std::nullopt});
  if (options.on_started) options.on_started(pid);
}

void SpawnerImpl::begin_termination(RunningChild& child, milliseconds grace) {
  const auto kill_at = now() + grace;
  if (!child.kill_at) signal_group(child, SIGTERM);
  if (!child.kill_at || kill_at < *child.kill_at) child.kill_at = kill_at;
}

void SpawnerImpl::wait_for_events() {
  polled_.clear();
  polled_.push_back({wake_.get(), POLLIN, 0});
  int timeout = -1;
  const auto at_most = [&](milliseconds time) {
    const int value = static_cast<int>(std::max<std::int64_t>(time.count(), 0));
    timeout = timeout < 0 ? value : std::min(timeout, value);
  };
  for (const auto& child : children_) {
    polled_.push_back({child.pidfd.get(), POLLIN, 0});  // a negative descriptor is skipped
    polled_.push_back({child.output.get(), POLLIN, 0});
    if (!child.pidfd) at_most(kPollWithoutPidfd);
    if (child.kill_at) at_most(std::chrono::ceil<milliseconds>(*child.kill_at - now()));
  }
  if (poll(polled_.data(), polled_.size(), timeout) < 0) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(wake_.get(), &count, sizeof count);
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (polled_[2 + 2 * i].revents == 0) continue;
    if (!read_lines(children_[i], kReadPerTurn)) children_[i].output.reset();
  }
}

void SpawnerImpl::kill_overdue() {
  const auto time = now();
  for (auto& child : children_) {
    if (!child.kill_at || *child.kill_at > time) continue;
    signal_group(child, SIGKILL);
    child.kill_at = time + std::chrono::hours(1);  // it ends soon; not again in every turn
  }
}

void SpawnerImpl::reap() {
  for (std::size_t i = 0; i < children_.size();) {
    siginfo_t info{};
    const int status =
        waitid(P_PID, static_cast<id_t>(children_[i].pid), &info, WEXITED | WNOHANG | WNOWAIT);
    if (status == 0 && info.si_pid == 0) {
      ++i;
      continue;
    }
    // What the child may have left behind in its group ends with it.
    RunningChild child = std::move(children_[i]);
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
    Exit exit;
    if (status == 0) {
      kill(-child.pid, SIGKILL);
      waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOHANG);
      exit = exit_of(info);
    } else {
      exit.reason = "it was reaped elsewhere";
    }
    finish(child, exit);
  }
}

void SpawnerImpl::finish(RunningChild& child, const Exit& exit) {
  read_lines(child, kReadAtEnd);
  child.lines.finish();
  child.output.reset();  // whoever hears of the end finds nothing of the child left
  child.pidfd.reset();
  --running;
  if (child.on_exit) child.on_exit(exit);
}

}  // namespace causeway::process
