// The spawner's thread: its command queue, its children, its poll loop. Only for spawner.cpp.
#pragma once

#include <poll.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "platform/base/clock.h"
#include "platform/process/spawner.h"

namespace causeway::process {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

struct RunningChild {
  std::uint64_t id = 0;
  pid_t pid = 0;
  Descriptor pidfd;   // readable when the child has ended; -1 on kernels without it
  Descriptor output;  // read end of the child's standard output and error
  LineSplitter lines;
  std::function<void(const Exit&)> on_exit;
  std::optional<Monotonic> kill_at;
};

struct SpawnCommand {
  std::uint64_t id;
  SpawnOptions options;
};
struct TerminateCommand {
  std::uint64_t id;
  std::chrono::milliseconds grace;
};
using Command = std::variant<SpawnCommand, TerminateCommand>;

struct SpawnerImpl {
  explicit SpawnerImpl(std::string self);

  void push(Command command);
  void run();
  void stop_and_join();

  std::atomic<std::uint64_t> next_id{1};
  std::atomic<std::size_t> running{0};  // spawned or about to be, not reaped

 private:
  void wake();
  std::vector<Command> take_commands();
  void obey(std::vector<Command> commands);
  void start(SpawnCommand command);
  void begin_termination(RunningChild& child, std::chrono::milliseconds grace);
  void wait_for_events();
  void kill_overdue();
  void reap();
  void finish(RunningChild& child, const Exit& exit);

  std::string self_;
  Descriptor wake_;
  std::mutex mutex_;
  std::vector<Command> commands_;  // guarded by mutex_
  bool stopping_ = false;          // guarded by mutex_
  bool ending_ = false;            // the thread has seen stopping_
  std::vector<RunningChild> children_;
  std::vector<pollfd> polled_;
  std::thread thread_;
};

}  // namespace causeway::process
