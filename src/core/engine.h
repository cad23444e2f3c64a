// The engine as the rest of the program sees it: ask for a slot of a model, get an endpoint to call
// and give the slot back by letting the lease go. One Engine serves all loops; it loads, stops and
// restarts the children that do the work.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine_model.h"
#include "core/lease.h"
#include "platform/base/cancel.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/task.h"

namespace causeway::net {
class Loop;
}
namespace causeway::http {
struct Endpoint;
}

namespace causeway {

enum class EngineState : std::uint8_t {
  Absent,    // the model's file or the engine's program is not there; `reason` says what mends it
  Fetching,  // the file is being fetched
  Stopped,   // ready to be started
  Starting,  // the child loads the model
  Ready,
  Stopping,
  Failed,  // it ended or could not be started; tried again after a pause
};

std::string_view to_string(EngineState state);

/// A slot of a loaded model. Its destructor gives it back, on any thread.
class EngineLease : public Lease {
 public:
  /// Where the model's child listens. Lives as long as the lease.
  virtual const http::Endpoint& endpoint() const = 0;
  /// Whether the model's chat template can say which tools there are.
  virtual bool knows_tools() const = 0;
};

struct EngineStatus {
  EngineModel entry;
  EngineState state = EngineState::Stopped;
  std::string reason;  // of Absent and Failed: what is wrong and which command mends it
  std::string file;    // path; empty while absent
  std::uint64_t file_bytes = 0;
  std::uint64_t fetched_bytes = 0, fetch_total_bytes = 0;  // while fetching; total 0 = not known
  pid_t pid = 0;
  std::size_t slots_busy = 0, slots_total = 0, waiting = 0;
  std::size_t resident_bytes = 0;  // of the child; the mapped file counts as far as it was touched
  double tokens_per_second = 0;    // generated, of one request, averaged by the child
  double prompt_tokens_per_second = 0;
  std::uint64_t tokens_total = 0;  // generated since the child's start
  std::chrono::milliseconds load_time{0};
  std::uint64_t requests_total = 0;
  std::uint32_t restarts = 0;    // after a child ended by itself
  std::vector<std::string> log;  // the child's last lines, oldest first
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// Waits for a slot of the model of that name (not an alias: see find()), loading it where
  /// needed. `loop` is the caller's own; the coroutine resumes on it. The wait ends at `deadline`
  /// and when `cancel` is requested. Errors:
  ///   NotFound     no such model;
  ///   RateLimited  too many wait already, with retry_after;
  ///   Overloaded   the deadline passed while the model was loading or all slots were busy, with
  ///                retry_after;
  ///   Unavailable  the model cannot run; the message says what mends it;
  ///   Cancelled.
  virtual Task<Result<std::unique_ptr<EngineLease>>> acquire(std::string model, Monotonic deadline,
                                                             net::Loop& loop, Cancel& cancel) = 0;

  /// The models of the catalogue and the configuration, by name. From any thread.
  virtual std::vector<EngineModel> models() const = 0;
  /// The entry of that name, or else the one of that kind which has it as an alias; shared, so that
  /// a request may keep it over a reload. nullptr when there is none.
  virtual std::shared_ptr<const EngineModel> find(std::string_view model,
                                                  EngineModelKind kind) const = 0;
  /// Why there are no models of the catalogue among them, as a sentence; empty when there are, or
  /// there is no reason. From any thread.
  virtual std::string no_catalogue() const { return {}; }
  /// `log_lines` of each child's log at most. From any thread; reads /proc.
  virtual std::vector<EngineStatus> status(std::size_t log_lines = 0) const = 0;

  // For operators; from any thread. Each starts the work and returns; status() shows how it goes.
  // Errors: NotFound, and of pull() InvalidRequest where there is nothing to fetch.
  virtual Result<void> load(std::string_view model) = 0;    // start, and keep until unload()
  virtual Result<void> unload(std::string_view model) = 0;  // stop when its requests have ended
  virtual Result<void> pull(std::string_view model) = 0;    // fetch the file

  /// Takes over the models of a new configuration. What did not change goes on running; what
  /// changed or is gone is stopped when its requests have ended.
  virtual void configure(std::vector<EngineModel> models) = 0;

  /// Ends all children and everything that is under way; waiting requests get Unavailable. Awaited
  /// on the engine's own loop before the Engine is destroyed.
  virtual Task<void> stop() = 0;
};

}  // namespace causeway
