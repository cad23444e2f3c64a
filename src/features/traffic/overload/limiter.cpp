#include "features/traffic/overload/limiter.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace causeway::overload {
namespace {

using namespace std::chrono_literals;

constexpr auto kForget = 30s;  // of the least time
constexpr double kFarTooLate = 3;

}  // namespace

void Limiter::count(std::int64_t least, Monotonic now, const Bounds& bounds) {
  ++counted_;
  const auto since = now - counting_since_;
  if (since < std::max<Monotonic::duration>(1s, 4 * std::chrono::nanoseconds(least))) return;
  rate_ = counted_ / std::chrono::duration<double>(since).count();
  counted_ = 0;
  counting_since_ = now;
  if (rate_ >= best_rate_ || now - best_at_ >= kForget) {
    best_rate_ = rate_;
    best_limit_ = limit(bounds);
    best_at_ = now;
  } else if (rate_ >= 0.9 * best_rate_) {
    best_limit_ = std::min(best_limit_, limit(bounds));
  }
}

// How many times as long as the least time.
double Limiter::learn(Least& least, std::int64_t took, bool light, Monotonic now) const {
  if (least.now == 0 || took < least.now) {
    least = {took, 0, now};
    return 1;
  }
  if (light && (least.light == 0 || took < least.light)) least.light = took;
  if (now - least.since >= kForget) {
    if (least.light != 0) least.now = least.light;
    least.light = 0;
    least.since = now;
  }
  const auto slack = std::chrono::nanoseconds(kSlack).count();
  return static_cast<double>(std::max(took - slack, least.now)) / static_cast<double>(least.now);
}

void Limiter::answered(std::size_t kind, std::chrono::nanoseconds took, std::uint32_t in_flight,
                       Monotonic now, const Bounds& bounds) {
  const double now_limit = limit(bounds);
  const bool light = in_flight <= std::max(bounds.least, now_limit / 2);
  const double ratio = learn(least_[std::min(kind, kKinds - 1)],
                             std::max<std::int64_t>(took.count(), 1), light, now);
  used_ |= in_flight + 1 >= now_limit;
  count(least_[std::min(kind, kKinds - 1)].now, now, bounds);
  if (far_too_late(ratio, in_flight, bounds)) return;
  if (skip_ > 0) {
    --skip_;
    return;
  }
  skip_ = in_flight / kSamples;
  window_[size_++] = {static_cast<float>(ratio), static_cast<float>(in_flight / ratio)};
  if (size_ == kSamples) end_window(bounds);
}

bool Limiter::far_too_late(double ratio, std::uint32_t in_flight, const Bounds& bounds) {
  if (ratio <= std::max(kFarTooLate, bounds.slower)) {
    late_run_ = 0;
    late_capacity_ = 0;
    return false;
  }
  late_capacity_ += in_flight / ratio;
  if (++late_run_ < kSamples) return false;
  const double capacity = late_capacity_ / late_run_ + 1;
  limit_ = std::clamp(std::min(capacity, limit(bounds)), bounds.least, bounds.most);
  late_run_ = 0;
  late_capacity_ = 0;
  size_ = 0;
  used_ = false;
  return true;
}

// The fastest answers decide: long ones are late without any queue, but a queue spares nobody.
void Limiter::end_window(const Bounds& bounds) {
  size_ = 0;
  const auto fast = window_.begin() + kSamples / 4;
  std::ranges::nth_element(window_, fast, {}, &Sample::ratio);
  const bool used = std::exchange(used_, false);
  const double now_limit = limit(bounds);
  if (fast->ratio <= bounds.slower) {
    if (used && limit_ > 0) limit_ = std::min(now_limit + 1 + now_limit / 32, bounds.most);
    return;
  }
  if (limit_ > 0 && now_limit < best_limit_ && rate_ < 0.7 * best_rate_) {
    // So this is what it takes now. Where that is too much, the first faster answer says so.
    const double more = std::min<double>(fast->ratio, 1.5);
    for (Least& least : least_) {
      least.now = static_cast<std::int64_t>(static_cast<double>(least.now) * more);
    }
    limit_ = std::min({best_limit_, now_limit * 1.5 + 1, bounds.most});
    return;
  }
  std::sort(window_.begin(), fast + 1,
            [](const Sample& a, const Sample& b) { return a.capacity < b.capacity; });
  // One may wait in front of the server, so that it never does.
  const double capacity = window_[kSamples / 8].capacity * std::sqrt(bounds.slower) + 1;
  limit_ = std::clamp(std::min(capacity, now_limit), bounds.least, bounds.most);
}

void Limiter::refused(std::uint32_t in_flight, Monotonic now, const Bounds& bounds) {
  if (now - refused_at_ < 1s) return;
  refused_at_ = now;
  limit_ = std::clamp(std::min(limit(bounds), in_flight * 0.9), bounds.least, bounds.most);
}

}  // namespace causeway::overload
