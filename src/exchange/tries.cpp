#include "exchange/tries.h"

#include <algorithm>

#include "platform/base/mix.h"

namespace causeway::exchange {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kMostSent = 10;  // of one request, whatever the number of replicas
constexpr milliseconds kShortestTold{100};
constexpr milliseconds kFirstPause{250}, kLongestPause{8'000};

// Half to all of a pause that doubles: who failed together does not come back together.
milliseconds pause_after(std::uint32_t sent, double jitter) {
  const auto whole = std::min(kFirstPause * (1 << std::min(sent, 10u)), kLongestPause);
  return milliseconds(
      static_cast<std::int64_t>(static_cast<double>(whole.count()) * (0.5 + jitter / 2)));
}

// Never before the time that the target asked for, and at most a tenth later.
milliseconds asked_pause(milliseconds asked, double jitter) {
  const double most = std::clamp(static_cast<double>(asked.count()) / 10, 20.0, 1000.0);
  return asked + milliseconds(static_cast<std::int64_t>(most * jitter));
}

}  // namespace

bool may_try_another(const Error& error, const RetrySettings& settings) {
  switch (error.kind) {
    case ErrorKind::ConnectFailed:
    case ErrorKind::UpstreamBroken:
    case ErrorKind::ContextTooLong:  // one with a larger window
      return true;
    case ErrorKind::ContentFiltered:
      return settings.content_filtered;
    case ErrorKind::Timeout:
      return error.code != "total_timeout";
    case ErrorKind::Cancelled:
      return false;
    default:
      return error.retryable;
  }
}

bool may_ask_again(const Attempt& attempt, const RetrySettings& settings) {
  const Error& error = *attempt.error;
  // Who waited in vain for a place at a target does not wait again.
  if (!attempt.sent) {
    return error.retryable && error.retry_after && error.code != "overloaded";
  }
  switch (error.kind) {
    case ErrorKind::RateLimited:
    case ErrorKind::Overloaded:
    case ErrorKind::Unavailable:
    case ErrorKind::UpstreamFailed:
      return error.retryable;
    case ErrorKind::ConnectFailed:
      // There was a connection, and it ended.
      return settings.unsure ||
             (error.code != "stale_connection" && error.code != "closed_before_answer");
    case ErrorKind::Timeout:
      return error.code == "connect_timeout" || (settings.unsure && error.code != "total_timeout");
    case ErrorKind::UpstreamBroken:
      return settings.unsure && error.retryable;
    default:
      return false;
  }
}

const Target* Tries::first(Monotonic now) {
  if (exchange_.targets.empty()) return nullptr;
  next_ = 1;
  budget_.asked(exchange_.targets[0]->member_key, settings_.budget, now);
  return exchange_.targets[0];
}

void Tries::note(const Attempt& failed, Monotonic now) {
  auto found = std::ranges::find(tried_, failed.target, &Tried::target);
  if (found == tried_.end()) {
    if (tried_.empty()) tried_.reserve(exchange_.targets.size());
    found = tried_.insert(tried_.end(), Tried{failed.target});
  }
  if (failed.end == AttemptEnd::Unsure) {  // better than none, should the others fail
    found->again = found->told_when = true;
    found->ready = now;
    return;
  }
  const Error& error = *failed.error;
  const double jitter = unit_interval(static_cast<std::uint64_t>(now.time_since_epoch().count()) ^
                                      failed.target->member_key);
  if (failed.sent) ++found->sent;
  // Who was held back by a quota comes back once, and waits there until its turn.
  const bool held_back =
      !failed.sent && error.kind == ErrorKind::RateLimited && error.origin == Origin::Us;
  found->again = may_ask_again(failed, settings_) && found->sent <= settings_.attempts &&
                 !(held_back && found->in_line);
  found->in_line = held_back;
  // A provider's "at once" is no word to build on.
  found->told_when = error.retry_after && (!failed.sent || *error.retry_after >= kShortestTold);
  found->ready = now + (found->told_when ? asked_pause(*error.retry_after, jitter)
                                         : pause_after(std::max(1u, found->sent) - 1, jitter));
}

// A prompt that is too long needs a larger window than the one that it did not fit.
const Target* Tries::next_untried(const Attempt& failed, Monotonic now) {
  const bool too_long = failed.error->kind == ErrorKind::ContextTooLong;
  while (next_ < exchange_.targets.size()) {
    const Target* target = exchange_.targets[next_++];
    if (too_long && (failed.target->context == 0 || target->context <= failed.target->context)) {
      continue;
    }
    // Its replicas are as unsure.
    if (failed.end == AttemptEnd::Unsure && target->place == failed.target->place) continue;
    budget_.asked(target->member_key, settings_.budget, now);
    return target;
  }
  return nullptr;
}

Tries::Next Tries::again(Monotonic now, milliseconds left) {
  Tried* soonest = nullptr;
  for (Tried& tried : tried_) {
    if (tried.again && (!soonest || tried.ready < soonest->ready)) soonest = &tried;
  }
  if (!soonest) return {};
  const auto wait =
      soonest->in_line
          ? milliseconds(0)
          : std::max(milliseconds(0), std::chrono::ceil<milliseconds>(soonest->ready - now));
  if (waited_ + wait > settings_.wait || wait >= left) return {};
  if (!soonest->told_when && !budget_.take(soonest->target->member_key, now)) return {};
  waited_ += wait;
  return {soonest->target, wait};
}

Tries::Next Tries::after(const Attempt& failed, Monotonic now, milliseconds left) {
  if (!may_try_another(*failed.error, settings_)) return {};
  // What is passed through as it comes is gone when it has been sent.
  if (failed.sent && exchange_.operation->body == BodyKind::Opaque) return {};
  note(failed, now);
  sent_ += failed.sent;
  if (sent_ >= kMostSent) return {};
  if (const Target* target = next_untried(failed, now)) return {target, {}};
  return again(now, left);
}

}  // namespace causeway::exchange
