#include "features/traffic/routing/order.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "platform/base/mix.h"

namespace causeway::routing {
namespace {

// One of those that are put in order: what is known of it is looked up once.
struct Candidate {
  const Target* target;
  const TargetState* state;
  double number = 0;  // by which it is sorted
};
using Span = std::span<Candidate>;

double weight_of(const Candidate& one) { return std::max(0.0, one.target->weight); }

// Drawn by weight; all alike where none has any.
std::size_t drawn(Span among, std::uint64_t draw) {
  double total = 0;
  for (const Candidate& one : among) total += weight_of(one);
  if (total <= 0) return static_cast<std::size_t>(mixed(draw) % among.size());
  double at = unit_interval(draw) * total;
  for (std::size_t i = 0; i < among.size(); ++i) {
    at -= weight_of(among[i]);
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
double bond(const Candidate& one, std::uint64_t asker) {
  const double u = unit_interval(asker ^ mixed(one.target->member_key));
  return weight_of(one) / -std::log(std::max(u, 0x1.0p-60));
}

struct Orderer {
  const Asking& asking;

  double busy_of(const Candidate& one) const { return busy(one.state, weight_of(one), asking.now); }

  template <class Number>
  static void by(Span among, Number number) {
    for (Candidate& one : among) one.number = number(one);
    std::ranges::stable_sort(among, {}, &Candidate::number);
  }

  // The power of two choices (Mitzenmacher 2001): of two that are drawn, the less busy.
  void least_busy(Span among) const {
    put_first(among, drawn(among, asking.draw));
    if (among.size() == 2) {
      if (busy_of(among[1]) < busy_of(among[0])) put_first(among, 1);
      return;
    }
    const std::size_t second = 1 + drawn(among.subspan(1), mixed(asking.draw));
    if (busy_of(among[second]) < busy_of(among[0])) put_first(among, second);
    by(among.subspan(1), [&](const Candidate& one) { return busy_of(one); });
  }

  // One that has not answered for long is asked again by one request at a time.
  void fastest(Span among) const {
    by(among, [&](const Candidate& one) {
      const TargetState* state = one.state;
      if (!state || state->in_flight() == 0) return busy(state, 1, asking.now) * crowding(state);
      const auto usual = state->usual();
      if (!usual) return std::numeric_limits<double>::max();
      return std::chrono::duration<double>(*usual).count() * crowding(state);
    });
  }

  // How long answers take is learnt when they have come: a server that suddenly gets all of the
  // calls looks fast until its line is long, and slow for long after that. With more than twice the
  // calls under way that it is used to it counts as that much slower, with fewer as quicker.
  static double crowding(const TargetState* state) {
    if (!state) return 1;
    const double calls = (state->in_flight() + 1) / std::max(1.0, state->usual_in_flight());
    return calls > 2 ? calls / 2 : std::min(1.0, calls);
  }

  double price(const Target& target) const {
    if (!target.input_price || !target.output_price) return std::numeric_limits<double>::max();
    return static_cast<double>(*target.input_price) * static_cast<double>(asking.input_tokens) +
           static_cast<double>(*target.output_price) * static_cast<double>(asking.output_tokens);
  }

  // Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016): at most a quarter
  // more than its share, else the next in the prompt's own order.
  void prefix(Span among) const {
    by(among, [&](const Candidate& one) { return -bond(one, asking.begins); });
    std::uint64_t under_way = 1;
    for (const Candidate& one : among) under_way += one.state ? one.state->in_flight() : 0;
    const double most =
        std::ceil(1.25 * static_cast<double>(under_way) / static_cast<double>(among.size()));
    std::stable_partition(among.begin(), among.end(), [&](const Candidate& one) {
      return !one.state || one.state->in_flight() + 1 <= most;
    });
  }

  void order(Span among, Strategy strategy) const {
    if (among.size() < 2) return;
    switch (strategy) {
      case Strategy::Fallback:
        return;
      case Strategy::Weighted:
        put_first(among, drawn(among, asking.draw));
        return by(among.subspan(1), [](const Candidate& one) { return -one.target->weight; });
      case Strategy::LeastBusy:
        return least_busy(among);
      case Strategy::Fastest:
        return fastest(among);
      case Strategy::Cheapest:
        return by(among, [&](const Candidate& one) { return price(*one.target); });
      case Strategy::Sticky:
        return by(among, [&](const Candidate& one) { return -bond(one, asking.who); });
      case Strategy::Prefix:
        return prefix(among);
    }
  }

  bool fits(const Candidate& one) const {
    return (one.target->without & asking.needs) == 0 &&
           (one.target->context == 0 || asking.input_tokens <= one.target->context);
  }
  bool awake(const Candidate& one) const {
    return !one.state || one.state->breaker().admits(asking.now);
  }
  void put_behind_if_not(Span among, bool (Orderer::*is_so)(const Candidate&) const) const {
    std::stable_partition(among.begin(), among.end(),
                          [&](const Candidate& one) { return (this->*is_so)(one); });
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
  const Orderer orderer{asking};
  // The members of each place, and of each place the one that stands for it.
  std::vector<Candidate> members, heads;
  members.reserve(targets.size());
  heads.reserve(targets.size());
  for (const Target& target : targets) members.push_back({&target, states.of(target)});
  for (std::size_t begin = 0; begin < targets.size();) {
    const std::size_t end = end_of_place(targets, begin);
    const Span place = Span(members).subspan(begin, end - begin);
    orderer.order(place, targets[begin].balance);
    orderer.put_behind_if_not(place, &Orderer::awake);
    heads.push_back(place[0]);
    begin = end;
  }
  orderer.order(heads, strategy);
  if (heads.size() < members.size()) {  // each with those that stand behind it
    std::vector<Candidate> all;
    all.reserve(members.size());
    for (const Candidate& head : heads) {
      const auto first = std::ranges::find(members, head.target, &Candidate::target);
      const auto last = std::find_if(first + 1, members.end(), [&](const Candidate& one) {
        return one.target->place != head.target->place || one.target->member.empty();
      });
      all.insert(all.end(), first, last);
    }
    heads = std::move(all);
  }
  orderer.put_behind_if_not(heads, &Orderer::fits);
  orderer.put_behind_if_not(heads, &Orderer::awake);
  order.reserve(heads.size());
  for (const Candidate& one : heads) order.push_back(one.target);
}

}  // namespace causeway::routing
