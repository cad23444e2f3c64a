// Identical requests in flight: the first asks, the others wait for its answer, on whatever loop
// they are. Safe from any thread.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "features/traffic/cache/key.h"

namespace causeway::cache {

class Flights {
 public:
  static constexpr std::size_t kMostWaiting = 4096;  // for one answer; others ask themselves

  /// Called once when the first one's answer is there (true) or will not be (false); from the
  /// thread that says so.
  using Landed = std::move_only_function<void(bool kept)>;
  using Ticket = std::uint64_t;

  /// Whether nobody else asks: then land() must follow. Else join(), with what is needed to wait.
  bool lead(const Key& key);
  enum class Joined { Leads, Waits, Full };
  /// Leads: nobody else asks, and land() must follow. Waits: `landed` will be called, unless the
  /// ticket is given back before.
  Joined join(const Key& key, Landed landed, Ticket& ticket);
  void leave(const Key& key, Ticket ticket);
  void land(const Key& key, bool kept);

 private:
  static constexpr std::size_t kParts = 16;
  struct Waiting {
    Ticket ticket;
    Landed landed;
  };
  struct alignas(64) Part {
    std::mutex mutex;
    Ticket last = 0;
    boost::unordered_flat_map<Key, std::vector<Waiting>, KeyHash> flights;
  };
  Part& part_of(const Key& key) { return parts_[key[31] % kParts]; }
  std::array<Part, kParts> parts_;
};

}  // namespace causeway::cache
