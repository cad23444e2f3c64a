// Loop::lateness(): what should come every so often, and how late it does. Knows no clock but the
// times that it is given.
#pragma once

#include <chrono>
#include <mutex>

#include "platform/base/clock.h"
#include "platform/net/loop.h"

namespace causeway::net {

class Pulse {
 public:
  static constexpr std::chrono::milliseconds kPeriod{100};

  /// The first one, which was due at no time; gives when the next is.
  Monotonic begin(Monotonic now);
  /// The one that was due has come; gives when the next is.
  Monotonic come(Monotonic now);
  Loop::Lateness at(Monotonic now) const;

 private:
  mutable std::mutex mutex_;
  bool began_ = false;
  Monotonic due_{};
  mutable Monotonic seen_{};  // by at(): what it has said is not taken back
  Loop::Lateness total_;
};

}  // namespace causeway::net
