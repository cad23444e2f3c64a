// Child processes of a threaded program: spawned without a shell and with an environment that is
// written out, watched until they end, never left behind. One thread of its own starts and reaps
// them all, because the kernel's parent-death signal follows the thread that spawned: make one
// Spawner in main() and keep it until the end of the process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/process/exec_child.h"
#include "platform/process/line_splitter.h"

namespace causeway::process {

/// How a child ended.
struct Exit {
  int code = -1;        // exit code, -1 when it did not end by itself
  int signal = 0;       // the signal that ended it, 0 = none
  bool started = true;  // false: there never was a process; `reason` says why

  std::string reason;  // for people: "exit code 1", "signal 9 (Killed)", "no such program: …"
  bool ok() const { return started && code == 0; }
};

struct SpawnOptions {
  std::string program;                   // path of an executable file
  std::vector<std::string> arguments;    // behind argv[0]
  std::vector<std::string> environment;  // "NAME=value": all that the child gets
  std::string folder;                    // its working folder; empty = ours
  Limits limits;
  LineSplitter::Limits log_limits;

  // All three run on the spawner's thread, must be quick and must not throw. on_started comes at
  // most once; on_exit exactly once, after the last line, also when there never was a process.
  std::function<void(pid_t)> on_started;
  std::function<void(std::string_view)> on_line;  // standard output and error, without line ends
  std::function<void(const Exit&)> on_exit;
};

/// Those variables of our own environment that have one of these names, as "NAME=value".
std::vector<std::string> environment_of(std::span<const std::string_view> names);

/// What nearly every program needs and no secret is in: PATH, HOME, LANG, TZ, TMPDIR, ….
std::vector<std::string> basic_environment();

struct SpawnerImpl;

/// A child, by handle: small, copyable, valid after the child's end (then nothing happens).
class Child {
 public:
  Child() = default;
  /// SIGTERM now, SIGKILL after `grace` when it is still there; to the child's whole process group.
  /// From any thread; idempotent (a shorter grace wins).
  void terminate(std::chrono::milliseconds grace);
  explicit operator bool() const { return id_ != 0; }

 private:
  friend class Spawner;
  Child(std::weak_ptr<SpawnerImpl> impl, std::uint64_t id) : impl_(std::move(impl)), id_(id) {}
  std::weak_ptr<SpawnerImpl> impl_;
  std::uint64_t id_ = 0;
};

class Spawner {
 public:
  /// `self` is the program that knows the verb exec-child: ourselves. Throws std::system_error when
  /// the thread or its descriptors cannot be made.
  explicit Spawner(std::string self = "/proc/self/exe");
  /// Ends all children (SIGTERM, after `kLastGrace` SIGKILL), runs their on_exit, joins the thread.
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  /// From any thread; returns at once.
  Child spawn(SpawnOptions options);

  /// Children that have not been reaped yet.
  std::size_t running() const;

  static constexpr std::chrono::milliseconds kLastGrace{2000};

 private:
  std::shared_ptr<SpawnerImpl> impl_;
};

/// Resident memory of a process in bytes; 0 when it is not there.
std::size_t resident_bytes(pid_t pid);

}  // namespace causeway::process
