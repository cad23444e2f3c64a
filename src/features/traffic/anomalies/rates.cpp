#include "features/traffic/anomalies/rates.h"

#include <algorithm>

namespace causeway::anomalies {
namespace {

// Exponentially weighted means. A subject's weighs as a plain one until it is an hour old, and
// begins as a minute of what is usual for others.
constexpr float kOwnWindows = 360, kGivenWindows = 6, kPopulationWindows = 1000;
// What a window teaches is at most this many times what was usual: a flood does not become usual.
constexpr float kMostLearnt = 2;

}  // namespace

double Rates::usual(Kind kind) const {
  return static_cast<double>(population_[static_cast<std::size_t>(kind)].load());
}

std::size_t Rates::size() const {
  std::size_t all = 0;
  for (const Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    all += part.seen.size();
  }
  return all;
}

void Rates::forget(Mark mark) {
  Part& part = part_of(mark);
  const std::lock_guard lock(part.mutex);
  part.seen.erase(mark);
}

void Rates::learn(Kind kind, Seen& seen, const Limits& limits) {
  if (seen.count <= 0) return;
  // Up to the floor by its factor there is nothing that could do harm.
  const auto harmless = static_cast<float>(limits.floor / limits.factor);
  auto& population = population_[static_cast<std::size_t>(kind)];
  float all = population.load(std::memory_order_relaxed);
  const float most_all = kMostLearnt * std::max(all, harmless);
  all += (std::min(seen.count, most_all) - all) / kPopulationWindows;
  population.store(all, std::memory_order_relaxed);  // one that is lost between threads is no harm
  const float weight = std::min(static_cast<float>(++seen.learnt) + kGivenWindows, kOwnWindows);
  const float most = kMostLearnt * std::max(seen.usual, harmless);
  seen.usual += (std::min(seen.count, most) - seen.usual) / weight;
}

// Of a handful, whose place moves on, the one that was not seen longest: nearly the oldest, without
// a list.
void Rates::make_room(Part& part) {
  const std::size_t buckets = part.seen.bucket_count();
  const Mark* oldest = nullptr;
  std::int64_t window = 0;
  for (std::size_t looked = 0, gone = 0; looked < 16 && gone < buckets; ++gone) {
    part.hand = (part.hand + 1) % buckets;
    for (auto at = part.seen.begin(part.hand); at != part.seen.end(part.hand); ++at, ++looked) {
      if (oldest && at->second.window >= window) continue;
      oldest = &at->first;
      window = at->second.window;
    }
  }
  if (oldest) part.seen.erase(Mark(*oldest));
}

std::optional<Excess> Rates::note(Kind kind, Mark mark, const Limits& limits, Monotonic now) {
  const auto since = now.time_since_epoch();
  const std::int64_t window = since / kWindow;
  const float part_gone =
      std::chrono::duration<float>(since % kWindow) / std::chrono::duration<float>(kWindow);
  Part& part = part_of(mark);
  const std::lock_guard lock(part.mutex);
  auto found = part.seen.find(mark);
  if (found == part.seen.end()) {
    const std::size_t most = std::max<std::size_t>(limits.subjects / parts_.size(), 1);
    while (part.seen.size() >= most) make_room(part);
    Seen fresh;
    fresh.window = window;
    fresh.usual = population_[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed);
    found = part.seen.emplace(mark, fresh).first;
  }
  Seen& seen = found->second;
  if (window > seen.window) {
    learn(kind, seen, limits);
    seen.before = window == seen.window + 1 ? seen.count : 0;
    seen.count = 0;
    seen.window = window;
  }
  seen.count += 1;
  // The last ten seconds are this window and what is left of the one before.
  const float rate = seen.count + seen.before * (1 - part_gone);
  const double most = std::max(limits.floor, limits.factor * static_cast<double>(seen.usual));
  if (static_cast<double>(rate) <= most) return std::nullopt;
  seen.count = seen.before = 0;  // and nothing of it is learnt
  return Excess{static_cast<double>(rate), static_cast<double>(seen.usual)};
}

}  // namespace causeway::anomalies
