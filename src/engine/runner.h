// One model's child: fetches its file, starts llama-server, opens the slot gate when it is ready,
// stops it when idle, starts it again when it ended by itself. A state machine on the engine's
// loop; status() alone may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/backoff.h"
#include "engine/child_log.h"
#include "engine/engine.h"
#include "engine/fetch.h"
#include "engine/places.h"
#include "engine/slot_gate.h"
#include "platform/http/client.h"
#include "platform/net/loop.h"
#include "platform/process/spawner.h"

namespace causeway::engine {

class Runner;

/// What all runners share; outlives them.
struct RunnerContext {
  net::Loop& loop;
  http::Client& client;
  process::Spawner& spawner;
  Places places;
  Backoff::Settings backoff;
  bool fetch_on_first_use = true;
  std::function<double()> random;  // in [0, 1)
  /// Whether one more child may run; where not, somebody idle is being stopped to make room.
  std::function<bool(const Runner&)> make_room;
  std::function<void(std::string_view line)> log;  // changes of state, for the program's log
};

class Runner : public std::enable_shared_from_this<Runner> {
 public:
  Runner(RunnerContext& context, std::shared_ptr<const ModelEntry> entry, std::string socket);

  // Any thread.
  const ModelEntry& entry() const { return *entry_; }
  const std::shared_ptr<const ModelEntry>& shared_entry() const { return entry_; }
  SlotGate& gate() { return *gate_; }
  ModelStatus status(std::size_t log_lines) const;

  // The engine's loop only.
  void load();    // start and keep
  void unload();  // stop when idle
  void pull();    // fetch the file if it is not there
  void retire();  // as unload(), for good
  void tick(Monotonic now);
  /// Ends everything now; stopped() returns when nothing of it is under way.
  void begin_stop();
  Task<void> stopped();
  bool has_child() const { return child_state_ != State::Stopped; }
  bool is_stopping() const { return child_state_ == State::Stopping; }
  /// After retire(): whether it can be let go. Once true, its gate lets nobody in any more.
  bool is_gone();
  /// For make_room: stops an idle child that nobody asked to keep. False when it is none.
  bool yield_room();
  Monotonic last_used() const { return gate_->counts().last_used; }

 private:
  void demand();
  void begin();
  void begin_fetch();
  void fetch_ended(Result<void> result);
  void launch(const std::string& program, const std::string& file);
  void become_ready(bool knows_tools);
  void stop_child(std::chrono::milliseconds grace);
  void child_ended(const process::Exit& exit);
  void failed_to_load(std::string reason);
  void crashed(std::string reason);
  void absent(Error error);
  void look_again(ModelStatus& out) const;
  void enter(State state, std::string reason = {});
  void tick_starting(Monotonic now);
  void tick_ready(Monotonic now);
  static Task<void> probe(std::shared_ptr<Runner> self, std::uint64_t launch);
  static Task<void> poll_metrics(std::shared_ptr<Runner> self, std::uint64_t launch);
  Task<Result<std::string>> get(std::string_view path, std::chrono::milliseconds limit);
  std::chrono::milliseconds load_hint() const;

  RunnerContext& context_;
  const std::shared_ptr<const ModelEntry> entry_;
  const std::string socket_;
  ChildLog log_;
  std::shared_ptr<SlotGate> gate_;
  Backoff backoff_;

  State state_ = State::Stopped;
  State child_state_ = State::Stopped;  // Stopped, Starting, Ready or Stopping
  bool kept_ = false;                   // preloaded, or loaded by an operator
  bool unloading_ = false;              // stops as soon as it is idle
  bool retiring_ = false;
  bool closing_ = false;        // the program ends
  bool probing_ = false;        // a call to the child is under way
  bool told_to_fetch_ = false;  // an operator's pull: nothing is started afterwards
  Monotonic retry_at_{};        // of Failed and Absent
  Monotonic launched_at_{}, ready_at_{}, metrics_at_{};
  std::uint64_t metrics_requests_ = 0;  // granted slots at the last poll
  std::uint64_t launch_ = 0;            // number of the current child
  std::uint64_t fetch_number_ = 0;
  process::Child child_;
  std::unique_ptr<Fetch> fetch_;
  Cancel cancel_;  // of probes

  mutable std::mutex mutex_;
  ModelStatus shown_;  // guarded by mutex_; what status() begins with
};

}  // namespace causeway::engine
