// Who waits for a place: by priority, and within it by start-time fair queueing (Goyal, Vin and
// Cheng, 1996) among tenants, so that whoever has sent a thousand waits behind his own. For one
// thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace causeway::overload {

enum class End : std::uint8_t { Waiting, Admitted, GaveWay, TooLate, Left };

class FairQueue {
 public:
  using Wake = std::move_only_function<void(End)>;
  struct Entry {
    std::uint64_t ticket = 0;
    Wake wake;
  };
  struct Place {
    int priority = 0;  // 0 goes first
    std::string tenant;
    std::uint64_t ticket = 0;
  };

  /// Its place.
  Place add(int priority, std::string_view tenant, double weight, Wake wake);
  /// Whose turn it is.
  std::optional<Entry> next();
  /// Nothing where it is not there any more.
  std::optional<Entry> remove(const Place& place);
  /// Of a full queue: the latest of the lowest priority's tenant with the most waiting for its
  /// weight, if that is more than the newcomer has; nothing: the newcomer itself has to go.
  std::optional<Entry> make_room(int priority, std::string_view tenant, double weight);

  std::size_t size() const { return size_; }
  /// How many go before one more of this tenant, about.
  std::size_t before(int priority, std::string_view tenant, double weight) const;

 private:
  struct Flow {
    double weight = 1, start = 0, finish = 0;
    std::deque<Entry> entries;
  };
  using FlowKey = std::pair<int, std::string>;
  using Flows = std::map<FlowKey, Flow>;
  using Order = std::map<std::tuple<int, double, std::uint64_t>, Flows::iterator>;
  void stand(Flows::iterator flow);
  void unstand(Flows::iterator flow);
  Entry take(Flows::iterator flow, std::size_t at);

  // Only flows in which somebody waits, or has just had more than its share.
  Flows flows_;
  Order order_;  // of those in which somebody waits
  double virtual_time_ = 0;
  std::uint64_t tickets_ = 0;
  std::size_t size_ = 0;
};

}  // namespace causeway::overload
