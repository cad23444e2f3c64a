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
constexpr double kManyMore = 1.5;                    // begin than end
constexpr double kAsFast = 0.9;                      // as the window before
constexpr double kFirst = 1.25;                      // so much slower, for the first limit
constexpr double kStep = 0.2, kLargestStep = 0.5;    // of the limit
constexpr double kFellFar = 0.7;                     // then what is usual is measured
constexpr auto kMeasureEvery = 30s;
constexpr double kMeasureEveryTimes = 100;  // as long as a request takes
constexpr double kManyRefused = 0.1;        // of what ends in two seconds
constexpr double kDue = 3;                  // likewise: a window is not waited for any longer

Monotonic::duration times(double seconds, double factor) {
  return std::chrono::duration_cast<Monotonic::duration>(Seconds(seconds * factor));
}

double since(Monotonic then, Monotonic now) { return Seconds(now - then).count(); }

}  // namespace

Limiter::Kind Limiter::kind_of(bool streamed, std::size_t request_bytes, std::uint64_t tokens) {
  const auto size = static_cast<std::uint32_t>(std::bit_width(request_bytes >> 10));
  if (streamed) return {std::min(size, 9U)};
  const auto length = static_cast<std::uint32_t>(std::bit_width(tokens >> 4));
  Kind kind{10 + 12 * std::min((size + 1) / 2, 4U) + std::min(length, 11U)};
  if (length > 1) {
    kind.factor =
        static_cast<float>(std::uint64_t{16} << (length - 1)) / static_cast<float>(tokens);
  }
  return kind;
}

Limiter::Start Limiter::started(std::uint32_t in_flight, Monotonic now, const Bounds& bounds) {
  if (started_ - window_.from == kWindow - 1) window_full(now);
  if (now >= window_.due) window_due(now, bounds);
  // Most of them failed, or their callers left.
  if (started_ - window_.from > 64 * kWindow + 8 * std::uint64_t{in_flight}) begin_window(now);
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

void Limiter::answered(const Start& start, Kind kind, std::chrono::nanoseconds took, Monotonic now,
                       const Bounds& bounds) {
  ++window_.answers;
  count(now);
  ++second_.answered;
  if (bounds.least >= bounds.most) return;
  const Kinds::Time time{kind.index,
                         static_cast<float>(std::max(Seconds(took).count(), 1e-6)) * kind.factor};
  if (start.light != 0 || held_ == 0) {
    held_seen_ = std::min(held_seen_ + 1, 32.0);
    held_ += (since(start.at, now) - held_) / held_seen_;
  }
  if (start.light != 0) light(start, time, now, bounds);
  if (start.number >= window_.from && start.number < window_.from + kWindow) {
    window_.samples.push_back({time, kind.factor, start.in_flight});
  }
  if (window_.samples.size() >= kEnough) {
    end_window(now, bounds);
  } else if (now >= window_.due) {
    window_due(now, bounds);
  }
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

void Limiter::begin_window(Monotonic now) {
  const double seconds = std::max(since(window_.begun, now), 1e-3);
  answers_ = std::max(0.95 * answers_, (window_.answers_before + window_.answers) / seconds);
  starts_ = static_cast<double>(started_ - window_.from) / seconds;
  window_ = {.samples = std::move(window_.samples), .from = started_, .begun = now};
  window_.samples.clear();
}

void Limiter::window_full(Monotonic now) {
  window_.answers_before = std::exchange(window_.answers, 0);
  window_.full = now;
  if (held_ > 0) window_.due = now + std::max<Monotonic::duration>(4 * kSlack, times(held_, kDue));
}

// What is answered a second, times the time of one: what a model works on that has enough to do.
double Limiter::worked_on(Monotonic now) const {
  return window_.answers / std::max(since(window_.full, now), 1e-3) * held_;
}

// Not all of a window are answered in what should be time enough. In a flood it would take too long
// to wait for them: many more begin than end, and either began more of them or ended as many as
// before. Where answers have become longer neither is so.
void Limiter::window_due(Monotonic now, const Bounds& bounds) {
  if (window_.samples.size() >= kQuarter) {
    end_window(now, bounds);
    return;
  }
  window_.due = Monotonic::max();
  const double seconds = std::max(since(window_.full, now), 1e-3);
  const double answers = window_.answers / seconds;
  const double starts = static_cast<double>(started_ - window_.from - kWindow) / seconds;
  const bool grows = starts > kManyMore * answers;
  if (!grows || (!suspected_ && answers < kAsFast * answers_ && starts < 2 * starts_)) return;
  const double worked = worked_on(now);
  begin_window(now);
  lower(worked, now, bounds);
}

Limiter::Seen Limiter::look(const Bounds& bounds) {
  const float slack = static_cast<float>(Seconds(kSlack).count());
  std::vector<float> ratios, lates;
  std::vector<Kinds::Time> all;
  Seen seen;
  double known = 0;
  for (const auto& [time, factor, in_flight] : window_.samples) {
    all.push_back(time);
    seen.in_flight += in_flight / static_cast<double>(window_.samples.size());
    const Usual* usual = kinds_.of(time.kind);
    if (!usual) continue;
    ratios.push_back((time.seconds - slack) / usual->low());
    lates.push_back(std::max(time.seconds - usual->low(), 0.0F) / factor);
    known += usual->count();
    seen.fast += ratios.back() <= 1 ? 1 : 0;
  }
  if (ratios.empty() || 2 * ratios.size() < all.size()) return seen;
  if (all.size() >= kEnough) {
    if (const double by = kinds_.shift(all, 2); by < 1) scale(by);
  }
  const auto quarter = static_cast<std::ptrdiff_t>(ratios.size() / 4);
  std::ranges::nth_element(ratios, ratios.begin() + quarter);
  std::ranges::nth_element(lates, lates.begin() + quarter);
  seen.ratio = ratios[static_cast<std::size_t>(quarter)];
  seen.late = lates[static_cast<std::size_t>(quarter)];
  // The fewer are known, the more is needed.
  const double most = 1 + (bounds.slower - 1) * (1 + 4 * static_cast<double>(all.size()) / known);
  seen.slow = seen.in_flight > bounds.least && seen.ratio > most && 10 * seen.fast <= all.size();
  return seen;
}

void Limiter::end_window(Monotonic now, const Bounds& bounds) {
  const Seen seen = look(bounds);
  const double worked = worked_on(now);
  begin_window(now);
  const bool wanted = std::exchange(wanted_, false);
  if (!seen.slow) {
    suspected_ = false;
    if (wanted && limit_ > 0) grow(now, bounds);
    return;
  }
  // The first limit takes more: that nobody at all was fast, twice.
  const bool first = limit_ <= 0;
  const bool sure = first ? seen.late > held_ : seen.fast == 0;
  if (first && !sure && (seen.fast > 0 || seen.ratio < kFirst)) return;
  if (!sure && !std::exchange(suspected_, true)) return;
  suspected_ = false;
  const double capacity = seen.in_flight / (1 + seen.late / held_);
  lower(std::min(capacity, 1.4 * worked), now, bounds);
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
  pause_ = as_before ? 3 * pause_ : 0;
  pause_ = std::clamp(pause_, kShortPause * held_, std::max(kLongPauseSeconds, kLongPause * held_));
  pause_until_ = now + times(pause_, 1);
  step_ = kStep;
}

void Limiter::count(Monotonic now) {
  if (now - second_.begun < 1s) return;
  before_ = now - second_.begun < 2s ? second_ : Second{};
  second_ = {.begun = now};
}

// One refusal among many answers is about its request. One where there is little to do says nothing
// of how much is too much.
void Limiter::refused(const Start& start, Monotonic now, const Bounds& bounds) {
  count(now);
  ++second_.refused;
  const double refused = second_.refused + before_.refused;
  const double ended = refused + second_.answered + before_.answered;
  const bool many = second_.refused >= 2 && refused >= kManyRefused * ended;
  if (!many || second_.lowered || start.in_flight <= bounds.least) return;
  second_.lowered = true;
  lower(start.in_flight * 0.9, now, bounds);
}

}  // namespace causeway::overload
