// Who guesses is slowed down: after five failures from one address within a minute it must wait a
// minute, and after each further one twice as long, up to a quarter of an hour. An hour without a
// failure, or a success, and all is forgotten. For one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>

#include "platform/base/clock.h"

namespace causeway::sessions {

class Lockout {
 public:
  /// Where more addresses have failed, the one whose last failure is longest ago is forgotten.
  static constexpr std::size_t kMostAddresses = 1024;

  explicit Lockout(const Clock& clock) : clock_(clock) {}

  /// How long the address has still to wait, rounded up; 0 = it may try.
  std::chrono::seconds wait(std::string_view address) const;
  /// Gives how long it has to wait now.
  std::chrono::seconds failed(std::string_view address);
  void succeeded(std::string_view address);

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string address;
    int failures = 0;  // within the minute that began at `since`
    Monotonic since, last, locked_until;
    std::chrono::seconds lock{0};  // the last one; 0 = there was none
  };
  using Entries = std::list<Entry>;  // the latest failure first
  Entries::iterator find(std::string_view address);

  const Clock& clock_;
  Entries entries_;
};

/// What counts as one address: an IPv6 network of 64 bits belongs to one household or machine.
std::string household(std::string_view address);

}  // namespace causeway::sessions
