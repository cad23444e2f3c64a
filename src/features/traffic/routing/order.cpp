#include "features/traffic/routing/order.h"

#include <algorithm>

namespace causeway::routing {
namespace {

// The finaliser of splitmix64 (Steele, Lea, Flood 2014): neighbouring inputs give unrelated
// outputs.
double unit_interval(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  x ^= x >> 31;
  return static_cast<double>(x >> 11) * 0x1.0p-53;
}

}  // namespace

void order_targets(const Model& model, std::uint64_t draw, std::vector<const Target*>& order) {
  order.clear();
  for (const Target& target : model.targets) order.push_back(&target);
  if (model.strategy != Strategy::Weighted || order.size() < 2) return;
  std::stable_sort(order.begin(), order.end(),
                   [](const Target* a, const Target* b) { return a->weight > b->weight; });
  double total = 0;
  for (const Target* target : order) total += target->weight;
  double at = unit_interval(draw) * total;
  for (std::size_t i = 0; i < order.size(); ++i) {
    at -= order[i]->weight;
    if (at >= 0) continue;
    std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(i),
                order.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return;
  }
}

}  // namespace causeway::routing
