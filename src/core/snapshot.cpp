#include "core/snapshot.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

#include "core/stage.h"
#include "platform/text/glob.h"

namespace causeway {

bool Principal::may_use(std::string_view model) const {
  return std::any_of(models.begin(), models.end(),
                     [&](const std::string& pattern) { return text::glob_match(pattern, model); });
}

/// Effective policies by the set of matching policies. Entries are only ever added, so reading
/// needs no lock; a full table is answered by the last entry's owner list under the lock.
struct Snapshot::Cache {
  struct Entry {
    std::uint64_t matching;
    EffectivePolicy policy;
  };
  static constexpr std::size_t kSlots = 256;
  std::array<std::atomic<const Entry*>, kSlots> slots{};
  std::mutex lock;
  std::vector<std::unique_ptr<Entry>> owned;
};

namespace {

std::size_t slot_of(std::uint64_t matching, std::size_t probe, std::size_t slots) {
  return (matching * 0x9E3779B97F4A7C15ull / 0x100000000ull + probe) % slots;
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view value) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                         [&](const auto& p) { return text::glob_match(p, value); });
}

bool matches_role(const std::vector<std::string>& patterns, const Principal& principal) {
  return patterns.empty() ||
         std::any_of(principal.roles.begin(), principal.roles.end(),
                     [&](const std::string& role) { return matches_any(patterns, role); });
}

}  // namespace

Snapshot::Snapshot() : cache_(std::make_unique<Cache>()) {}
Snapshot::~Snapshot() = default;

std::uint64_t Snapshot::matching(const Principal& principal, std::string_view model) const {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < policies.size(); ++i) {
    const auto& match = policies[i].match;
    if (matches_any(match.tenants, principal.tenant) &&
        (match.keys.empty() || matches_any(match.keys, principal.key_id) ||
         matches_any(match.keys, principal.key_name)) &&
        matches_role(match.roles, principal) && matches_any(match.models, model)) {
      bits |= std::uint64_t{1} << i;
    }
  }
  return bits;
}

EffectivePolicy Snapshot::resolve(std::uint64_t matching) const {
  EffectivePolicy effective;
  std::vector<bool> named(policies.size(), false);
  for (std::uint16_t section = 0; section < defaults.size(); ++section) {
    auto value = defaults.raw(section);
    for (std::size_t i = 0; i < policies.size(); ++i) {
      if (!(matching >> i & 1) || !policies[i].sections.has(section)) continue;
      value = policies[i].sections.raw(section);
      named[i] = true;
      break;
    }
    effective.sections.set(section, std::move(value));
  }
  for (std::size_t i = 0; i < policies.size(); ++i) {
    if (!named[i]) continue;
    if (!effective.names.empty()) effective.names += '+';
    effective.names += policies[i].name;
  }
  for (std::uint8_t i = 0; i < pipeline->stages.size(); ++i) {
    Stage* stage = pipeline->stages[i];
    if (!stage->enabled(effective.sections)) continue;
    const unsigned hooks = stage->hooks_under(effective.sections);
    const Hook hook{stage, i, (hooks & kWaits) != 0, (hooks & kReadsTexts) != 0};
    if ((hooks & (kOnRequest | kWaits)) && !stage->before_policy()) {
      effective.request.push_back(hook);
    }
    if (hooks & (kOnAttempt | kWaitsAttempt)) {
      const bool waits = (hooks & kWaitsAttempt) != 0;
      effective.attempt.push_back({stage, i, waits});
      effective.attempt_waits |= waits;
    }
    if (hooks & kOnEvent) effective.event.push_back(hook);
  }
  return effective;
}

const EffectivePolicy& Snapshot::effective(std::uint64_t matching) const {
  for (std::size_t probe = 0; probe < Cache::kSlots; ++probe) {
    const auto* entry =
        cache_->slots[slot_of(matching, probe, Cache::kSlots)].load(std::memory_order_acquire);
    if (!entry) break;
    if (entry->matching == matching) return entry->policy;
  }
  const std::lock_guard guard(cache_->lock);
  for (const auto& entry : cache_->owned) {
    if (entry->matching == matching) return entry->policy;
  }
  cache_->owned.push_back(
      std::make_unique<Cache::Entry>(Cache::Entry{matching, resolve(matching)}));
  const auto* entry = cache_->owned.back().get();
  for (std::size_t probe = 0; probe < Cache::kSlots; ++probe) {
    auto& slot = cache_->slots[slot_of(matching, probe, Cache::kSlots)];
    if (!slot.load(std::memory_order_relaxed)) {
      slot.store(entry, std::memory_order_release);
      break;
    }
  }
  return entry->policy;
}

}  // namespace causeway
