#include "features/traffic/overload/fair_queue.h"

#include <algorithm>
#include <utility>

namespace causeway::overload {

void FairQueue::stand(Flows::iterator flow) {
  const Flow& one = flow->second;
  order_.emplace(std::tuple(flow->first.first, one.start, one.entries.front().ticket), flow);
}

void FairQueue::unstand(Flows::iterator flow) {
  const Flow& one = flow->second;
  order_.erase(std::tuple(flow->first.first, one.start, one.entries.front().ticket));
}

FairQueue::Place FairQueue::add(int priority, std::string_view tenant, Share& share, Wake wake) {
  // What is remembered of tenants that do not wait is dropped before it grows.
  if (flows_.size() > 2 * order_.size() + 64) {
    std::erase_if(flows_, [](const auto& flow) { return flow.second.entries.empty(); });
  }
  const auto [flow, made] = flows_.try_emplace(FlowKey(priority, tenant));
  Flow& one = flow->second;
  one.share = &share;
  one.entries.push_back({++tickets_, &share, std::move(wake)});
  ++share.waiting;
  ++size_;
  if (one.entries.size() == 1) {
    one.start = std::max(virtual_time_, one.finish);
    stand(flow);
  }
  return {priority, std::string(tenant), tickets_};
}

FairQueue::Entry FairQueue::take(Flows::iterator flow, std::size_t at) {
  Flow& one = flow->second;
  unstand(flow);
  Entry entry = std::move(one.entries[at]);
  one.entries.erase(one.entries.begin() + static_cast<std::ptrdiff_t>(at));
  --entry.share->waiting;
  --size_;
  if (!one.entries.empty()) stand(flow);
  return entry;
}

FairQueue::Entry FairQueue::turn_of(Flows::iterator flow) {
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

std::optional<FairQueue::Entry> FairQueue::remove(const Place& place) {
  const auto flow = flows_.find(FlowKey(place.priority, place.tenant));
  if (flow == flows_.end()) return std::nullopt;
  const auto& entries = flow->second.entries;
  const auto found = std::ranges::lower_bound(entries, place.ticket, {}, &Entry::ticket);
  if (found == entries.end() || found->ticket != place.ticket) return std::nullopt;
  return take(flow, static_cast<std::size_t>(found - entries.begin()));
}

std::optional<FairQueue::Entry> FairQueue::make_room(int priority, std::string_view tenant,
                                                     double weight) {
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

std::size_t FairQueue::before(int priority, std::string_view tenant, double weight) const {
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

}  // namespace causeway::overload
