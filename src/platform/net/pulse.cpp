#include <algorithm>

#include "platform/net/detail/pulse.h"

namespace causeway::net {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

// What was due at `due` and has not come until `now`, with the later ones that wait behind it: late
// by L, L - P, L - 2 P, ...
Loop::Lateness late(Monotonic due, Monotonic now) {
  const auto first = std::max(duration_cast<microseconds>(now - due), microseconds(0));
  const auto behind = first / duration_cast<microseconds>(Pulse::kPeriod);
  return {static_cast<std::uint64_t>(behind) + 1,
          first * (behind + 1) -
              duration_cast<microseconds>(Pulse::kPeriod) * (behind * (behind + 1) / 2)};
}

Loop::Lateness operator+(const Loop::Lateness& a, const Loop::Lateness& b) {
  return {a.pulses + b.pulses, a.sum + b.sum};
}

}  // namespace

Monotonic Pulse::begin(Monotonic now) {
  std::lock_guard lock(mutex_);
  began_ = true;
  return due_ = now + kPeriod;
}

Monotonic Pulse::come(Monotonic now) {
  std::lock_guard lock(mutex_);
  const auto came = late(due_, std::max(now, seen_));
  total_ = total_ + came;
  return due_ += kPeriod * came.pulses;
}

Loop::Lateness Pulse::at(Monotonic now) const {
  std::lock_guard lock(mutex_);
  seen_ = std::max(seen_, now);
  return began_ && seen_ > due_ ? total_ + late(due_, seen_) : total_;
}

}  // namespace causeway::net
