#include "features/traffic/routing/order.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace causeway::routing {
namespace {

using Targets = std::vector<const Target*>;
using Span = std::span<const Target*>;

// The finaliser of splitmix64 (Steele, Lea, Flood 2014): neighbouring inputs give unrelated
// outputs.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

double unit_interval(std::uint64_t x) { return static_cast<double>(mixed(x) >> 11) * 0x1.0p-53; }

double weight_of(const Target& target) { return std::max(0.0, target.weight); }

// Drawn by weight; all alike where none has any.
std::size_t drawn(Span among, std::uint64_t draw) {
  double total = 0;
  for (const Target* target : among) total += weight_of(*target);
  if (total <= 0) return static_cast<std::size_t>(mixed(draw) % among.size());
  double at = unit_interval(draw) * total;
  for (std::size_t i = 0; i < among.size(); ++i) {
    at -= weight_of(*among[i]);
    if (at < 0) return i;
  }
  return among.size() - 1;
}

void put_first(Span among, std::size_t index) {
  const auto at = among.begin() + static_cast<std::ptrdiff_t>(index);
  std::rotate(among.begin(), at, at + 1);
}

// Rendezvous hashing with weights (Schindelhauer, Schomaker 2005): each asker has an order of its
// own, which changes only for those whose target came or went.
double bond(const Target& target, std::uint64_t asker) {
  const double u = unit_interval(asker ^ mixed(target.member_key));
  return weight_of(target) / -std::log(std::max(u, 0x1.0p-60));
}

struct Orderer {
  const Asking& asking;
  LoopStates& states;

  double busy_of(const Target* target) {
    return busy(states.of(*target), weight_of(*target), asking.now);
  }

  template <class Number>
  void by(Span among, Number number) {
    std::stable_sort(among.begin(), among.end(),
                     [&](const Target* a, const Target* b) { return number(a) < number(b); });
  }

  // The power of two choices (Mitzenmacher 2001): of two that are drawn, the less busy.
  void least_busy(Span among) {
    std::size_t first = drawn(among, asking.draw);
    put_first(among, first);
    if (among.size() == 2) {
      if (busy_of(among[1]) < busy_of(among[0])) put_first(among, 1);
      return;
    }
    const std::size_t second = 1 + drawn(among.subspan(1), mixed(asking.draw));
    if (busy_of(among[second]) < busy_of(among[0])) put_first(among, second);
    by(among.subspan(1), [&](const Target* target) { return busy_of(target); });
  }

  // One that has not answered for long is asked again by one request at a time.
  void fastest(Span among) {
    by(among, [&](const Target* target) {
      const TargetState* state = states.of(*target);
      const auto usual = state ? state->usual() : std::nullopt;
      if (usual && state->in_flight() > 0) return static_cast<double>(usual->count());
      return state && !usual && state->in_flight() > 0 ? std::numeric_limits<double>::max()
                                                       : busy(state, 1, asking.now) * 1e9;
    });
  }

  double price(const Target& target) const {
    if (!target.input_price || !target.output_price) return std::numeric_limits<double>::max();
    return static_cast<double>(*target.input_price) * static_cast<double>(asking.input_tokens) +
           static_cast<double>(*target.output_price) * static_cast<double>(asking.output_tokens);
  }

  // Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016): at most a quarter
  // more than its share, else the next in the prompt's own order.
  void prefix(Span among) {
    by(among, [&](const Target* target) { return -bond(*target, asking.begins); });
    std::uint64_t under_way = 1;
    for (const Target* target : among) {
      if (const auto* state = states.of(*target)) under_way += state->in_flight();
    }
    const double most =
        std::ceil(1.25 * static_cast<double>(under_way) / static_cast<double>(among.size()));
    std::stable_partition(among.begin(), among.end(), [&](const Target* target) {
      const auto* state = states.of(*target);
      return !state || state->in_flight() + 1 <= most;
    });
  }

  void order(Span among, Strategy strategy) {
    if (among.size() < 2) return;
    switch (strategy) {
      case Strategy::Fallback:
        return;
      case Strategy::Weighted:
        put_first(among, drawn(among, asking.draw));
        return by(among.subspan(1), [](const Target* target) { return -target->weight; });
      case Strategy::LeastBusy:
        return least_busy(among);
      case Strategy::Fastest:
        return fastest(among);
      case Strategy::Cheapest:
        return by(among, [&](const Target* target) { return price(*target); });
      case Strategy::Sticky:
        return by(among, [&](const Target* target) { return -bond(*target, asking.who); });
      case Strategy::Prefix:
        return prefix(among);
    }
  }

  bool fits(const Target* target) const {
    return (target->without & asking.needs) == 0 &&
           (target->context == 0 || asking.input_tokens <= target->context);
  }
  bool awake(const Target* target) {
    const TargetState* state = states.of(*target);
    return !state || state->breaker().admits(asking.now);
  }
};

// The members of one place stand side by side.
std::size_t end_of_place(std::span<const Target> targets, std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < targets.size() && targets[end].place == targets[begin].place &&
         !targets[end].member.empty()) {
    ++end;
  }
  return end;
}

}  // namespace

double busy(const TargetState* state, double weight, Monotonic now) {
  constexpr double kUnknown = 0.001, kHalfLife = 10;
  const double calls = state ? state->in_flight() + 1.0 : 1.0;
  const auto usual = state ? state->usual() : std::nullopt;
  double seconds = kUnknown;
  if (usual) {
    const auto silent = std::chrono::duration<double>(now - state->last_answer()).count();
    seconds = std::chrono::duration<double>(*usual).count() *
              std::exp2(-std::max(0.0, silent - kHalfLife) / kHalfLife);
  }
  return weight > 0 ? calls * seconds / weight : std::numeric_limits<double>::max();
}

void order_targets(std::span<const Target> targets, Strategy strategy, const Asking& asking,
                   LoopStates& states, std::vector<const Target*>& order) {
  order.clear();
  if (targets.size() == 1) return order.push_back(&targets[0]);
  Orderer orderer{asking, states};
  // The members of each place, and of each place the one that stands for it.
  Targets members, heads;
  std::vector<std::pair<const Target*, Span>> places;
  members.reserve(targets.size());
  for (const Target& target : targets) members.push_back(&target);
  for (std::size_t begin = 0; begin < targets.size();) {
    const std::size_t end = end_of_place(targets, begin);
    const Span place(members.data() + begin, end - begin);
    orderer.order(place, targets[begin].balance);
    std::stable_partition(place.begin(), place.end(),
                          [&](const Target* target) { return orderer.awake(target); });
    places.emplace_back(place[0], place);
    heads.push_back(place[0]);
    begin = end;
  }
  orderer.order(heads, strategy);
  for (const Target* head : heads) {
    const auto place = std::ranges::find(places, head, &std::pair<const Target*, Span>::first);
    order.insert(order.end(), place->second.begin(), place->second.end());
  }
  std::stable_partition(order.begin(), order.end(),
                        [&](const Target* target) { return orderer.fits(target); });
  std::stable_partition(order.begin(), order.end(),
                        [&](const Target* target) { return orderer.awake(target); });
}

}  // namespace causeway::routing
