// The stage "cache": looks whether the answer is there already, waits where somebody else asks the
// same just now, and keeps what a provider answers. It stands behind what treats the request for
// its target, so that what a policy hides is neither in a key nor in what is kept; and what is
// restored in an answer is restored for each reader, later.
#pragma once

#include <string_view>

#include "core/exchange.h"
#include "core/slots.h"
#include "core/stage.h"
#include "features/traffic/cache/config.h"
#include "features/traffic/cache/disk.h"
#include "features/traffic/cache/flights.h"
#include "features/traffic/cache/meaning.h"
#include "features/traffic/cache/memory.h"
#include "features/traffic/cache/shared.h"
#include "platform/base/worker.h"

namespace causeway::cache {

/// What all loops share.
struct Shelves {
  Shelves(std::size_t memory_bytes, std::size_t questions)
      : memory(memory_bytes), meanings(questions) {}
  Memory memory;
  Flights flights;
  std::unique_ptr<Disk> disk;      // null: nothing is kept there
  std::unique_ptr<Shared> shared;  // with the other replicas, likewise
  Meanings meanings;
  std::atomic<std::uint64_t> hits{0}, by_meaning{0}, misses{0}, joined{0};
};

class CacheStage final : public Stage {
 public:
  CacheStage(SectionKey<CacheSettings> settings, SlotLayout& slots, Shelves& shelves,
             WorkerGroup& workers)
      : settings_(settings), slot_(slots.add<State>()), shelves_(shelves), workers_(workers) {}

  std::string_view name() const override { return "cache"; }
  unsigned hooks() const override { return kWaitsAttempt | kOnAttemptEnd | kOnDone; }
  bool enabled(const Sections& sections) const override { return sections.get(settings_).on; }
  /// Error: Timeout ("not_cached") where the caller wants a kept answer or none.
  Task<Verdict> wait_attempt(Exchange& exchange, Attempt& attempt) override;
  void on_attempt_end(Exchange& exchange, Attempt& attempt) noexcept override;
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override;

 private:
  // All zero to begin with.
  struct State {
    Key key;
    bool leads;  // others may wait for this one
    bool keeps;
    Meanings::Asked* asked;  // among what the exchange keeps; null: nothing is looked for
  };
  bool concerns(Exchange& exchange, const Attempt& attempt, const CacheSettings& settings) const;
  Task<bool> find(Exchange& exchange, Attempt& attempt, std::optional<std::chrono::seconds> age);
  Task<bool> find_shared(Exchange& exchange, Attempt& attempt,
                         std::optional<std::chrono::seconds> age);
  Task<bool> find_by_meaning(Exchange& exchange, Attempt& attempt,
                             std::optional<std::chrono::seconds> age);
  Task<std::vector<float>> vector_of(Exchange& exchange, const MeaningSettings& settings,
                                     std::string question);
  std::shared_ptr<const Kept> in_memory(const Exchange& exchange, const Key& key);
  bool may_be_on_disk(const Exchange& exchange, const Key& key) const;
  Task<std::shared_ptr<const Kept>> kept_answer(Exchange& exchange, Key key);
  bool give(Exchange& exchange, Attempt& attempt, const std::shared_ptr<const Kept>& kept,
            std::optional<std::chrono::seconds> age);
  Task<bool> wait_for_other(Exchange& exchange, State& state, std::chrono::milliseconds most);
  void keep_on_disk(const Key& key, const std::shared_ptr<const Kept>& kept);
  void learn(Exchange& exchange, State& state);
  void land(State& state, bool kept) noexcept;

  SectionKey<CacheSettings> settings_;
  Slot<State> slot_;
  Shelves& shelves_;
  WorkerGroup& workers_;
};

}  // namespace causeway::cache
