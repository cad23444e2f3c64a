// Who waits for a turn: by priority, and within it by start-time fair queueing (Goyal, Vin and
// Cheng, 1996) among tenants, so that whoever has sent a thousand waits behind his own. What is
// waited for, and who decides that a turn has come, is the owner's. For one thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "platform/base/clock.h"

namespace causeway::queue {

enum class End : std::uint8_t { Waiting, Admitted, GaveWay, TooLate, Left };

/// What one tenant has of what is waited for.
struct Share {
  double weight = 1;
  std::uint32_t in_flight = 0, waiting = 0;
  Monotonic last{};  // when it was last here
};

/// `Waiting` is what the owner has of each who waits, as how to wake him.
template <class Waiting>
class FairQueue {
 public:
  struct Entry {
    std::uint64_t ticket = 0;
    Share* share = nullptr;
    Waiting waiting;
  };
  struct Place {
    int priority = 0;  // 0 goes first
    std::string tenant;
    std::uint64_t ticket = 0;
  };

  /// Its place.
  Place add(int priority, std::string_view tenant, Share& share, Waiting waiting);
  /// Whose turn it is, of those who may go. Nobody overtakes a higher priority.
  template <class MayGo>
  std::optional<Entry> next(MayGo&& may_go) {
    for (const auto& [at, flow] : order_) {
      if (flow->first.first > first()) break;
      if (may_go(*flow->second.share)) return turn_of(flow);
    }
    return std::nullopt;
  }
  /// Who is first, whether or not he may go.
  const Entry* front() const {
    return order_.empty() ? nullptr : &order_.begin()->second->second.entries.front();
  }
  /// Nothing where it is not there any more.
  std::optional<Entry> remove(const Place& place);
  /// Of a full queue: the latest of the lowest priority's tenant with the most waiting for its
  /// weight, if that is more than the newcomer has; nothing: the newcomer itself has to go.
  std::optional<Entry> make_room(int priority, std::string_view tenant, double weight);

  std::size_t size() const { return size_; }
  /// The highest priority that waits.
  int first() const {
    return order_.empty() ? std::numeric_limits<int>::max() : order_.begin()->second->first.first;
  }
  /// How many go before one more of this tenant, about.
  std::size_t before(int priority, std::string_view tenant, double weight) const;

 private:
  struct Flow {
    Share* share = nullptr;
    double start = 0, finish = 0;
    std::deque<Entry> entries;
  };
  using FlowKey = std::pair<int, std::string>;
  using Flows = std::map<FlowKey, Flow>;
  using FlowAt = typename Flows::iterator;
  using Order = std::map<std::tuple<int, double, std::uint64_t>, FlowAt>;
  void stand(FlowAt flow);
  void unstand(FlowAt flow);
  Entry take(FlowAt flow, std::size_t at);
  Entry turn_of(FlowAt flow);

  // Only flows in which somebody waits, or has just had more than its share.
  Flows flows_;
  Order order_;  // of those in which somebody waits
  double virtual_time_ = 0;
  std::uint64_t tickets_ = 0;
  std::size_t size_ = 0;
};

template <class Waiting>
void FairQueue<Waiting>::stand(FlowAt flow) {
  const Flow& one = flow->second;
  order_.emplace(std::tuple(flow->first.first, one.start, one.entries.front().ticket), flow);
}

template <class Waiting>
void FairQueue<Waiting>::unstand(FlowAt flow) {
  const Flow& one = flow->second;
  order_.erase(std::tuple(flow->first.first, one.start, one.entries.front().ticket));
}

template <class Waiting>
auto FairQueue<Waiting>::add(int priority, std::string_view tenant, Share& share, Waiting waiting)
    -> Place {
  // What is remembered of tenants that do not wait is dropped before it grows.
  if (flows_.size() > 2 * order_.size() + 64) {
    std::erase_if(flows_, [](const auto& flow) { return flow.second.entries.empty(); });
  }
  const auto [flow, made] = flows_.try_emplace(FlowKey(priority, tenant));
  Flow& one = flow->second;
  one.share = &share;
  one.entries.push_back({++tickets_, &share, std::move(waiting)});
  ++share.waiting;
  ++size_;
  if (one.entries.size() == 1) {
    one.start = std::max(virtual_time_, one.finish);
    stand(flow);
  }
  return {priority, std::string(tenant), tickets_};
}

template <class Waiting>
auto FairQueue<Waiting>::take(FlowAt flow, std::size_t at) -> Entry {
  Flow& one = flow->second;
  unstand(flow);
  Entry entry = std::move(one.entries[at]);
  one.entries.erase(one.entries.begin() + static_cast<std::ptrdiff_t>(at));
  --entry.share->waiting;
  --size_;
  if (!one.entries.empty()) stand(flow);
  return entry;
}

template <class Waiting>
auto FairQueue<Waiting>::turn_of(FlowAt flow) -> Entry {
  Flow& one = flow->second;
  const double start = one.start;
  virtual_time_ = std::max(virtual_time_, start);
  Entry entry = take(flow, 0);
  if (!one.entries.empty()) unstand(flow);
  one.finish = one.start = start + 1 / one.share->weight;
  if (!one.entries.empty()) stand(flow);
  if (size_ == 0) {
    flows_.clear();
    virtual_time_ = 0;
  }
  return entry;
}

template <class Waiting>
auto FairQueue<Waiting>::remove(const Place& place) -> std::optional<Entry> {
  const auto flow = flows_.find(FlowKey(place.priority, place.tenant));
  if (flow == flows_.end()) return std::nullopt;
  const auto& entries = flow->second.entries;
  const auto found = std::ranges::lower_bound(entries, place.ticket, {}, &Entry::ticket);
  if (found == entries.end() || found->ticket != place.ticket) return std::nullopt;
  return take(flow, static_cast<std::size_t>(found - entries.begin()));
}

template <class Waiting>
auto FairQueue<Waiting>::make_room(int priority, std::string_view tenant, double weight)
    -> std::optional<Entry> {
  auto worst = flows_.end();
  const auto load = [](const Flow& flow) {
    return static_cast<double>(flow.entries.size()) / flow.share->weight;
  };
  for (auto flow = flows_.begin(); flow != flows_.end(); ++flow) {
    if (flow->second.entries.empty()) continue;
    if (worst == flows_.end() || flow->first.first > worst->first.first ||
        (flow->first.first == worst->first.first && load(flow->second) > load(worst->second))) {
      worst = flow;
    }
  }
  if (worst == flows_.end() || worst->first.first < priority) return std::nullopt;
  if (worst->first.first == priority) {
    const auto own = flows_.find(FlowKey(priority, tenant));
    const double mine = own == flows_.end() ? 0 : static_cast<double>(own->second.entries.size());
    if (load(worst->second) <= (mine + 1) / weight) return std::nullopt;
  }
  return take(worst, worst->second.entries.size() - 1);
}

template <class Waiting>
std::size_t FairQueue<Waiting>::before(int priority, std::string_view tenant, double weight) const {
  const auto own = flows_.find(FlowKey(priority, tenant));
  const double mine = own == flows_.end() ? 0 : static_cast<double>(own->second.entries.size());
  double before = mine;
  for (const auto& [at, flow] : order_) {
    const auto waiting = static_cast<double>(flow->second.entries.size());
    if (flow->first.first > priority) break;
    if (flow->first.first < priority) {
      before += waiting;
    } else if (flow != own) {
      before += std::min(waiting, (mine + 1) * flow->second.share->weight / weight);
    }
  }
  return static_cast<std::size_t>(before);
}

}  // namespace causeway::queue
