#include "features/traffic/anomalies/blocks.h"

#include <algorithm>
#include <mutex>

#include "features/traffic/anomalies/rows.h"

namespace causeway::anomalies {

using std::chrono::milliseconds;

milliseconds Lengths::at_step(std::uint32_t step) const {
  constexpr std::array<int, 5> kTimes = {1, 5, 30, 180, 1080};
  if (step == 0 || step > kTimes.size()) return longest;
  return std::min(first * kTimes[step - 1], longest);
}

Result<void> Blocks::load() {
  if (auto migrated = rows::migrate(store_); !migrated) return migrated;
  std::vector<Block> loaded;
  auto read = store_.read([&](store::Database& db) -> Result<void> {
    auto all = rows::load(db);
    if (!all) return pass(std::move(all));
    loaded = std::move(*all);
    return {};
  });
  if (!read) return read;
  const std::unique_lock lock(mutex_);
  for (const Block& block : loaded) {
    if (blocks_.size() < most_) put(block);
  }
  return {};
}

void Blocks::put(const Block& block) {
  const Name name{block.subject.who, block.subject.tenant};
  blocks_[name] = block;
  if (block.subject.network) {
    networks_.insert_or_assign(name, std::pair(*block.subject.network, block.until));
  } else {
    in_force_[block.subject.mark(marks_)] = {block.until, !block.actor.empty()};
  }
  count();
}

void Blocks::erase(const Name& name) {
  const auto found = blocks_.find(name);
  if (found == blocks_.end()) return;
  if (found->second.subject.network) {
    networks_.erase(name);
  } else {
    in_force_.erase(found->second.subject.mark(marks_));
  }
  blocks_.erase(found);
  count();
}

void Blocks::count() {
  any_.store(!blocks_.empty(), std::memory_order_relaxed);
  any_network_.store(!networks_.empty(), std::memory_order_relaxed);
}

std::optional<InForce> Blocks::find(Mark mark, Wall now) const {
  if (!any()) return std::nullopt;
  const std::shared_lock lock(mutex_);
  const auto found = in_force_.find(mark);
  if (found == in_force_.end() || found->second.until <= now) return std::nullopt;
  return found->second;
}

// Networks are operators' alone.
std::optional<InForce> Blocks::find_network(const net::AddressBytes& address, Wall now) const {
  if (!any_network_.load(std::memory_order_relaxed)) return std::nullopt;
  const std::shared_lock lock(mutex_);
  std::optional<Wall> until;
  for (const auto& [name, network] : networks_) {
    if (network.second > now && network.first.contains(address)) {
      until = std::max(until.value_or(now), network.second);
    }
  }
  if (!until) return std::nullopt;
  return InForce{*until, true};
}

// What is over, and was followed by good behaviour for so long that it bears on nothing.
void Blocks::forget_old(Wall now, milliseconds forget) {
  std::vector<Name> gone;
  for (const auto& [name, block] : blocks_) {
    if (block.until + block.step * forget <= now) gone.push_back(name);
  }
  if (gone.empty()) return;
  for (const Name& name : gone) erase(name);
  // Where this fails the rows go another time; nobody is blocked by them.
  (void)store_.write(
      [gone](store::Database& db) -> Result<void> {
        for (const auto& [who, tenant] : gone) {
          if (auto erased = rows::erase(db, who, tenant); !erased) return erased;
        }
        return {};
      },
      [](Result<void>) {});
}

// False where all that is kept was said by operators.
bool Blocks::make_room(Wall now) {
  if (blocks_.size() < most_) return true;
  forget_old(now, milliseconds(0));
  if (blocks_.size() < most_) return true;
  auto soonest = blocks_.end();
  for (auto at = blocks_.begin(); at != blocks_.end(); ++at) {
    if (!at->second.actor.empty()) continue;
    if (soonest == blocks_.end() || at->second.until < soonest->second.until) soonest = at;
  }
  if (soonest == blocks_.end()) return false;
  erase(Name(soonest->first));
  return true;
}

Block Blocks::add_spike(Subject subject, std::string reason, const Lengths& lengths, Wall now) {
  Block block{std::move(subject), now, now, 1, std::move(reason), {}};
  const Name name{block.subject.who, block.subject.tenant};
  {
    const std::unique_lock lock(mutex_);
    const auto last = blocks_.find(name);
    if (last != blocks_.end()) {
      // Two loops may see the same spike, and an operator's word is not made shorter.
      if (last->second.until > now) return last->second;
      const auto good = now - last->second.until;
      const auto forgiven = static_cast<std::uint64_t>(good / lengths.forget);
      const std::uint32_t step = last->second.step;
      block.step = 1 + static_cast<std::uint32_t>(step > forgiven ? step - forgiven : 0);
    }
    block.until = now + lengths.at_step(block.step);
    if (last == blocks_.end()) {
      forget_old(now, lengths.forget);
      if (!make_room(now)) return block;
    }
    put(block);
  }
  (void)store_.write([block](store::Database& db) { return rows::put(db, block); },
                     [](Result<void>) {});
  return block;
}

Result<void> Blocks::add(Block block) {
  {
    const std::unique_lock lock(mutex_);
    const Name name{block.subject.who, block.subject.tenant};
    const bool fresh = !blocks_.contains(name);
    const bool network = block.subject.network.has_value();
    if (fresh && (!make_room(block.since) || (network && networks_.size() >= kMostNetworks))) {
      return fail(ErrorKind::Overloaded, Origin::Us,
                  network ? "There are 256 blocks of networks already; remove some."
                          : "There are as many blocks as can be kept; remove some.",
                  "blocks_full");
    }
  }
  auto written =
      store_.write_and_wait([&block](store::Database& db) { return rows::put(db, block); });
  if (!written) return written;
  const std::unique_lock lock(mutex_);
  put(block);
  return {};
}

Result<std::vector<Block>> Blocks::remove(const Subject& subject) {
  std::vector<Block> found;
  {
    const std::shared_lock lock(mutex_);
    for (auto at = blocks_.lower_bound({subject.who, std::string()});
         at != blocks_.end() && at->first.first == subject.who; ++at) {
      if (!subject.tenant.empty() && at->first.second != subject.tenant) continue;
      found.push_back(at->second);
    }
  }
  if (found.empty()) return found;
  auto written = store_.write_and_wait([&found](store::Database& db) -> Result<void> {
    for (const Block& block : found) {
      auto erased = rows::erase(db, block.subject.who, block.subject.tenant);
      if (!erased) return erased;
    }
    return {};
  });
  if (!written) return pass(std::move(written));
  const std::unique_lock lock(mutex_);
  for (const Block& block : found) erase({block.subject.who, block.subject.tenant});
  return found;
}

std::vector<Block> Blocks::list(Wall now) const {
  std::vector<Block> all;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [name, block] : blocks_) {
      if (block.until > now) all.push_back(block);
    }
  }
  std::ranges::stable_sort(all, [](const Block& a, const Block& b) { return a.since > b.since; });
  return all;
}

std::array<std::size_t, kKinds> Blocks::active(Wall now) const {
  std::array<std::size_t, kKinds> all{};
  const std::shared_lock lock(mutex_);
  for (const auto& [name, block] : blocks_) {
    if (block.until > now) ++all[static_cast<std::size_t>(block.subject.kind)];
  }
  return all;
}

}  // namespace causeway::anomalies
