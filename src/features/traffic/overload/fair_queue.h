// Who waits for a place: by priority, and within it by start-time fair queueing (Goyal, Vin and
// Cheng, 1996) among tenants, so that whoever has sent a thousand waits behind his own. For one
// thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "features/traffic/overload/limiter.h"
#include "platform/base/clock.h"

namespace causeway::overload {

enum class End : std::uint8_t { Waiting, Admitted, GaveWay, TooLate, Left };

/// What one tenant has of a model now.
struct Share {
  double weight = 1;
  std::uint32_t in_flight = 0, waiting = 0;
  Monotonic last{};  // when it was last here
};

/// A place at the model.
struct Turn {
  Share* share = nullptr;
  Limiter::Start start;
};

class FairQueue {
 public:
  using Wake = std::move_only_function<void(End, Turn)>;
  struct Entry {
    std::uint64_t ticket = 0;
    Share* share = nullptr;
    Wake wake;
  };
  struct Place {
    int priority = 0;  // 0 goes first
    std::string tenant;
    std::uint64_t ticket = 0;
  };

  /// Its place.
  Place add(int priority, std::string_view tenant, Share& share, Wake wake);
  /// Whose turn it is, of those who may go. Nobody overtakes a higher priority.
  template <class MayGo>
  std::optional<Entry> next(MayGo&& may_go) {
    for (const auto& [at, flow] : order_) {
      if (flow->first.first > first()) break;
      if (may_go(*flow->second.share)) return turn_of(flow);
    }
    return std::nullopt;
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
  using Order = std::map<std::tuple<int, double, std::uint64_t>, Flows::iterator>;
  void stand(Flows::iterator flow);
  void unstand(Flows::iterator flow);
  Entry take(Flows::iterator flow, std::size_t at);
  Entry turn_of(Flows::iterator flow);

  // Only flows in which somebody waits, or has just had more than its share.
  Flows flows_;
  Order order_;  // of those in which somebody waits
  double virtual_time_ = 0;
  std::uint64_t tickets_ = 0;
  std::size_t size_ = 0;
};

}  // namespace causeway::overload
