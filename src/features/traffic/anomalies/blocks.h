// Who is left outside, until when and why. Kept in memory for the stages and in the store over a
// restart. A block that is over is remembered for a while: the next one is longer. Bounded. Safe
// from any thread; who is blocked is asked without a lock while nobody is.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "features/traffic/anomalies/subject.h"
#include "platform/base/clock.h"
#include "platform/store/store.h"

namespace causeway::anomalies {

struct Block {
  Subject subject;
  Wall since{}, until{};
  std::uint32_t step = 0;  // blocks so far, less what was forgiven; 0 = an operator's
  std::string reason;
  std::string actor;  // id of the operator's key; "" = by itself
};

/// What a refusal says of a block.
struct InForce {
  Wall until{};
  bool by_operator = false;
  bool operator==(const InForce&) const = default;
};

/// How long blocks are.
struct Lengths {
  std::chrono::milliseconds first{60'000}, longest{86'400'000}, forget{21'600'000};
  /// The first, then 5, 30, 180, 1080 times of it, and the longest.
  std::chrono::milliseconds at_step(std::uint32_t step) const;
};

class Blocks {
 public:
  static constexpr std::size_t kMost = 10'000;
  static constexpr std::size_t kMostNetworks = 256;

  explicit Blocks(store::Store& store, std::size_t most = kMost) : store_(store), most_(most) {}
  /// At the start. Errors: of the store.
  Result<void> load();

  /// Nothing for whoever is not blocked.
  std::optional<InForce> find(Mark mark, Wall now) const;
  std::optional<InForce> find_network(const net::AddressBytes& address, Wall now) const;
  bool any() const { return any_.load(std::memory_order_relaxed); }

  /// For a spike; one step longer than the last. Kept by the store soon after.
  Block add_spike(Subject subject, std::string reason, const Lengths& lengths, Wall now);
  /// An operator's. Waits for the store. Errors: Overloaded "blocks_full", and of the store: then
  /// nothing is blocked.
  Result<void> add(Block block);
  /// Takes out what is written so, of this tenant, or of any where it is ""; waits for the store.
  /// Gives what there was. Errors: of the store, then nothing has changed.
  Result<std::vector<Block>> remove(const Subject& subject);
  /// Those in force, of which the newest are first.
  std::vector<Block> list(Wall now) const;
  std::array<std::size_t, kKinds> active(Wall now) const;

  const Marks& marks() const { return marks_; }

 private:
  using Name = std::pair<std::string, std::string>;  // who, tenant
  void put(const Block& block);                      // with the lock
  void erase(const Name& name);                      // likewise
  void count();
  bool make_room(Wall now);
  void forget_old(Wall now, std::chrono::milliseconds forget);

  store::Store& store_;
  const std::size_t most_;
  Marks marks_;
  mutable std::shared_mutex mutex_;
  std::map<Name, Block> blocks_;
  std::unordered_map<Mark, InForce> in_force_;
  std::map<Name, std::pair<net::Network, Wall>> networks_;
  std::atomic<bool> any_{false};
  std::atomic<bool> any_network_{false};
};

}  // namespace causeway::anomalies
