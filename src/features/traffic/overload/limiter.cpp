#include "features/traffic/overload/limiter.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace causeway::overload {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

constexpr double kShortPause = 4, kLongPause = 100;  // times as long as a request takes
constexpr double kLongPauseSeconds = 120;            // or so long, whichever is more
constexpr double kStep = 0.2, kLargestStep = 0.5;    // of the limit
constexpr double kFellFar = 0.7;                     // then what is usual is measured
constexpr auto kMeasureEvery = 30s;
constexpr double kMeasureEveryTimes = 100;  // as long as a request takes
constexpr double kDue = 3;                  // likewise: a window is not waited for any longer

Monotonic::duration times(double seconds, double factor) {
  return std::chrono::duration_cast<Monotonic::duration>(Seconds(seconds * factor));
}

double since(Monotonic then, Monotonic now) { return Seconds(now - then).count(); }

}  // namespace

std::size_t Limiter::kind_of(bool streamed, std::size_t request_bytes, std::uint64_t tokens) {
  const auto size = static_cast<std::size_t>(std::bit_width(request_bytes >> 10));
  if (streamed) return std::min<std::size_t>(size, 9);
  const auto length = static_cast<std::size_t>(std::bit_width((tokens + 7) >> 3));
  return 10 + 9 * std::min<std::size_t>((size + 1) / 2, 5) + std::min<std::size_t>(length, 8);
}

Limiter::Start Limiter::started(std::uint32_t in_flight, Monotonic now, const Bounds& bounds) {
  if (started_ - window_.from == kWindow - 1) window_full(now);
  if (now >= window_.due) end_window(now, bounds);
  const double little = limit_ > 0 ? std::max(bounds.least, limit(bounds) / 2) : bounds.least;
  Start start{started_++, 0, in_flight, now};
  if (in_flight <= little) {
    start.light = ++light_started_;
    // As many as are needed are under way.
    if (measuring_ && light_started_ >= light_from_ + kLight - 1) measuring_ = false;
  }
  return start;
}

void Limiter::wanted(Monotonic now, const Bounds& bounds) {
  wanted_ = true;
  if (limit_ <= 0 || bounds.least >= bounds.most) return;
  if (measuring_) {
    if (now < measuring_until_) return;
    measuring_ = false;
    measured_ = now;
    measured_limit_ = limit_;
    return;
  }
  const auto every = std::max<Monotonic::duration>(kMeasureEvery, times(held_, kMeasureEveryTimes));
  const bool fell_far = limit_ < kFellFar * measured_limit_;
  if (now < measuring_until_ || (now - measured_ < every && !fell_far)) return;
  measuring_ = true;
  measuring_until_ = now + std::max<Monotonic::duration>(1s, times(held_, 16));
  light_from_ = light_started_ + 1;
  light_.clear();
}

void Limiter::answered(const Start& start, std::size_t kind, std::chrono::nanoseconds took,
                       Monotonic now, const Bounds& bounds) {
  ++window_.answers;
  if (bounds.least >= bounds.most) return;
  const Kinds::Time time{static_cast<std::uint32_t>(std::min(kind, Kinds::kMost - 1)),
                         static_cast<float>(std::max(Seconds(took).count(), 1e-6))};
  if (start.light != 0 || held_ == 0) {
    held_seen_ = std::min(held_seen_ + 1, 32.0);
    held_ += (since(start.at, now) - held_) / held_seen_;
  }
  if (start.light != 0) light(start, time, now, bounds);
  if (start.number >= window_.from && start.number < window_.from + kWindow) {
    window_.samples.push_back({time, start.in_flight});
  }
  if (window_.samples.size() >= kEnough || now >= window_.due) end_window(now, bounds);
}

void Limiter::light(const Start& start, const Kinds::Time& time, Monotonic now,
                    const Bounds& bounds) {
  if (const Usual* usual = kinds_.of(time.kind); !usual || usual->count() < 4) kinds_.add(time);
  if (start.light < light_from_) return;
  if (start.light < light_from_ + kLight) light_.push_back(time);
  if (light_.size() < kLightEnough && start.light < light_from_ + 4 * kLight) return;
  if (light_.size() >= kLightEnough) {
    if (const double by = kinds_.shift(light_, 2); by != 1) scale(by);
    for (const auto& each : light_) kinds_.add(each);
    measured_ = now;
    measured_limit_ = limit(bounds);
    measuring_ = false;
  }
  light_.clear();
  light_from_ = light_started_ + 1;
}

void Limiter::scale(double by) {
  kinds_.scale(by);
  held_ *= by;
}

void Limiter::begin_window() {
  window_.samples.clear();
  window_.from = started_;
  window_.due = Monotonic::max();
}

void Limiter::window_full(Monotonic now) {
  window_.answers = 0;
  window_.full = now;
  if (held_ > 0) window_.due = now + std::max<Monotonic::duration>(4 * kSlack, times(held_, kDue));
}

// What is answered a second, times the time of one: what a model works on that has enough to do.
double Limiter::worked_on(Monotonic now) const {
  return window_.answers / std::max(since(window_.full, now), 1e-3) * held_;
}

// What is not answered by now would be late: there is no need to wait for it, and in a flood it
// would be too long.
void Limiter::end_window(Monotonic now, const Bounds& bounds) {
  const bool full = window_.due != Monotonic::max() || window_.samples.size() >= kEnough;
  std::vector<float> ratios, lates;
  double known = 0, in_flight = 0;
  std::size_t fast = 0;
  const float slack = static_cast<float>(Seconds(kSlack).count());
  std::vector<Kinds::Time> all;
  for (const auto& [time, with] : window_.samples) {
    all.push_back(time);
    in_flight += with;
    const Usual* usual = kinds_.of(time.kind);
    if (!usual) continue;
    ratios.push_back((time.seconds - slack) / usual->low());
    lates.push_back(std::max(time.seconds - usual->low(), 0.0F));
    known += usual->count();
    fast += time.seconds - slack <= usual->low() ? 1 : 0;
  }
  const std::size_t answered = window_.samples.size();
  const double worked = worked_on(now);
  begin_window();
  const bool wanted = std::exchange(wanted_, false);
  if (!full || bounds.least >= bounds.most) return;
  if (answered < kQuarter) {
    lower(worked + 0.25, now, bounds);
    return;
  }
  if (2 * ratios.size() < answered) return;  // of kinds of which nothing is known
  const std::size_t missing = kWindow - answered;
  const std::size_t quarter = std::min(kQuarter * ratios.size() / answered, ratios.size() - 1);
  if (answered >= kEnough) {
    if (const double by = kinds_.shift(all, 2); by < 1) scale(by);
  }
  const auto nth = static_cast<std::ptrdiff_t>(quarter);
  std::ranges::nth_element(ratios, ratios.begin() + nth);
  known /= static_cast<double>(ratios.size());
  // The fewer are known, the more is needed.
  const double most = 1 + (bounds.slower - 1) * (1 + 4 / known);
  if (in_flight <= bounds.least * static_cast<double>(answered) || ratios[quarter] <= most ||
      10 * fast > ratios.size() + missing) {
    suspected_ = false;
    if (wanted && limit_ > 0) grow(now, bounds);
    return;
  }
  if (fast > 0 && !std::exchange(suspected_, true)) return;
  suspected_ = false;
  std::ranges::nth_element(lates, lates.begin() + nth);
  const double capacity = in_flight / static_cast<double>(answered) / (1 + lates[quarter] / held_);
  lower(std::min(capacity, 1.4 * worked) + 0.25, now, bounds);
}

void Limiter::grow(Monotonic now, const Bounds& bounds) {
  if (measuring_ || now < pause_until_) return;
  const double now_limit = limit(bounds);
  limit_ = std::min(now_limit + std::max(1.0, step_ * now_limit), bounds.most);
  if (limit_ <= 1.5 * lowered_to_) return;
  step_ = std::min(2 * step_, kLargestStep);
  pause_ = 0;
}

// Where it was tried in vain to have more, it is tried ever more rarely, and each try makes what is
// known of the limit surer.
void Limiter::lower(double to, Monotonic now, const Bounds& bounds) {
  const bool as_before = to > 0.6 * lowered_to_ && to < 1.6 * lowered_to_;
  lowered_to_ = as_before ? lowered_to_ + 0.3 * (to - lowered_to_) : to;
  limit_ = std::clamp(std::min(lowered_to_, 0.95 * limit(bounds)), bounds.least, bounds.most);
  pause_ = as_before ? 2 * pause_ : 0;
  pause_ = std::clamp(pause_, kShortPause * held_, std::max(kLongPauseSeconds, kLongPause * held_));
  pause_until_ = now + times(pause_, 1);
  step_ = kStep;
}

void Limiter::refused(const Start& start, Monotonic now, const Bounds& bounds) {
  if (now - refused_at_ < 1s) return;
  refused_at_ = now;
  lower(start.in_flight * 0.9, now, bounds);
}

}  // namespace causeway::overload
