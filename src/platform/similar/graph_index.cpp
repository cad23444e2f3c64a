#include "platform/similar/graph_index.h"

// With its own vectorization hnswlib 0.6.2 reads one link behind the end to prefetch it.
#define NO_MANUAL_VECTORIZATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <hnswlib/hnswlib.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <array>
#include <exception>

namespace causeway::similar {

namespace {

constexpr std::size_t kLinks = 16;          ///< of every vector; more: slower, finds more
constexpr std::size_t kWhenBuilding = 100;  ///< candidates that are kept while adding
constexpr std::size_t kWhenSearching = 128;
constexpr std::size_t kLookedAt = 64;
constexpr std::size_t kFirst = 1'024;  ///< room at the start; it doubles

/// One less the inner product, in sixteen sums, which compilers make vectors of.
float distance_of(const void* left, const void* right, const void* dimensions) {
  constexpr std::size_t kSums = 16;
  const auto* a = static_cast<const float*>(left);
  const auto* b = static_cast<const float*>(right);
  const std::size_t count = *static_cast<const std::size_t*>(dimensions);
  std::array<float, kSums> sums{};
  std::size_t at = 0;
  for (; at + kSums <= count; at += kSums) {
    for (std::size_t i = 0; i < kSums; ++i) sums[i] += a[at + i] * b[at + i];
  }
  for (; at < count; ++at) sums[0] += a[at] * b[at];
  float product = 0;
  for (const float sum : sums) product += sum;
  return 1 - product;
}

class Space final : public hnswlib::SpaceInterface<float> {
 public:
  explicit Space(std::size_t dimensions) : dimensions_(dimensions) {}
  std::size_t get_data_size() override { return dimensions_ * sizeof(float); }
  hnswlib::DISTFUNC<float> get_dist_func() override { return distance_of; }
  void* get_dist_func_param() override { return &dimensions_; }

 private:
  std::size_t dimensions_;
};

}  // namespace

/// A label of the graph is a slot: what is removed is only marked in it, and its slot is used
/// again.
struct GraphIndex::State {
  struct Slot {
    std::uint64_t id;
    std::uint64_t scope;
  };

  State(std::size_t dimensions_wanted, std::size_t capacity_wanted)
      : dimensions(dimensions_wanted),
        capacity(capacity_wanted),
        space(dimensions_wanted),
        graph(&space, std::min(kFirst, capacity_wanted), kLinks, kWhenBuilding) {
    graph.setEf(kWhenSearching);
  }

  std::size_t dimensions, capacity;
  Space space;
  hnswlib::HierarchicalNSW<float> graph;
  std::vector<Slot> slots;
  std::vector<std::size_t> free;
  std::unordered_map<std::uint64_t, std::size_t> slot_of;
};

GraphIndex::GraphIndex(std::size_t dimensions, std::size_t capacity)
    : state_(std::make_unique<State>(dimensions, capacity)) {}
GraphIndex::GraphIndex(GraphIndex&&) noexcept = default;
GraphIndex& GraphIndex::operator=(GraphIndex&&) noexcept = default;
GraphIndex::~GraphIndex() = default;

std::size_t GraphIndex::size() const { return state_->slot_of.size(); }

bool GraphIndex::add(std::uint64_t id, std::uint64_t scope, std::span<const float> vector) {
  auto& s = *state_;
  if (vector.size() != s.dimensions) return false;
  const auto unit = unit_of(vector);
  if (unit.empty()) return false;
  remove(id);
  if (s.slot_of.size() >= s.capacity) return false;
  const bool again = !s.free.empty();
  const std::size_t slot = again ? s.free.back() : s.slots.size();
  try {
    if (slot >= s.graph.max_elements_) {
      s.graph.resizeIndex(std::min(s.capacity, 2 * s.graph.max_elements_));
    }
    s.graph.addPoint(unit.data(), slot);
  } catch (const std::exception&) {
    return false;  // out of memory: what is there stays as it was
  }
  if (again) {
    s.free.pop_back();
    s.slots[slot] = {.id = id, .scope = scope};
  } else {
    s.slots.push_back({.id = id, .scope = scope});
  }
  s.slot_of.emplace(id, slot);
  return true;
}

bool GraphIndex::remove(std::uint64_t id) {
  auto& s = *state_;
  const auto found = s.slot_of.find(id);
  if (found == s.slot_of.end()) return false;
  try {
    s.graph.markDelete(found->second);
  } catch (const std::exception&) {
    return false;
  }
  s.free.push_back(found->second);
  s.slot_of.erase(found);
  return true;
}

std::vector<Found> GraphIndex::find(std::span<const float> vector, std::uint64_t scope,
                                    float threshold, std::size_t most) const {
  const auto& s = *state_;
  if (vector.size() != s.dimensions || s.slot_of.empty()) return {};
  const auto unit = unit_of(vector);
  if (unit.empty()) return {};
  std::vector<Found> found;
  try {
    auto near = s.graph.searchKnn(unit.data(), kLookedAt);
    for (; !near.empty(); near.pop()) {
      const auto& [distance, slot] = near.top();
      if (slot >= s.slots.size() || s.slots[slot].scope != scope) continue;
      const float similarity = 1 - distance;
      if (similarity >= threshold)
        found.push_back({.id = s.slots[slot].id, .similarity = similarity});
    }
  } catch (const std::exception&) {
    return {};
  }
  std::ranges::reverse(found);  // it gave the farthest first
  if (found.size() > most) found.resize(most);
  return found;
}

}  // namespace causeway::similar
