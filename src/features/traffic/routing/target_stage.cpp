#include <algorithm>

#include "core/error.h"
#include "core/prompt_tokens.h"
#include "features/traffic/routing/condition.h"
#include "features/traffic/routing/stage.h"

namespace causeway::routing {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortestRest{250}, kLongestRest{600'000};  // whatever the provider says
constexpr std::uint64_t kUsualAnswer = 500;  // tokens, where the request sets no limit
constexpr milliseconds kQuotaRest{60'000};   // money or a day's quota: a moment does not help

/// What an attempt's error says of its target.
enum class Says : std::uint8_t { Nothing, Failing, Limited };

Says said_by(const Error& error) {
  if (error.origin == Origin::Client) return Says::Nothing;
  // May be about this request's own wishes, as its model.
  if (error.upstream_status == 403) return Says::Nothing;
  switch (error.kind) {
    case ErrorKind::ConnectFailed:
    case ErrorKind::UpstreamBroken:
    case ErrorKind::UpstreamFailed:
    case ErrorKind::Unavailable:
      return Says::Failing;
    case ErrorKind::Timeout:
      return error.code == "total_timeout" ? Says::Nothing : Says::Failing;
    // Of an engine of ours "no room" is no fault, and over as soon as a slot is free.
    case ErrorKind::Overloaded:
      if (error.origin != Origin::Upstream) return Says::Nothing;
      return error.retry_after ? Says::Limited : Says::Failing;
    // Without a wait it may be about this request alone, which is too large for a minute's tokens.
    case ErrorKind::RateLimited:
      if (error.origin != Origin::Upstream) return Says::Nothing;
      return error.retry_after ? Says::Limited : Says::Failing;
    case ErrorKind::QuotaExhausted:
      return error.origin == Origin::Upstream ? Says::Limited : Says::Nothing;
    // A provider that does not know its own key any more.
    case ErrorKind::Unauthenticated:
      return error.origin == Origin::Upstream ? Says::Failing : Says::Nothing;
    default:
      return Says::Nothing;
  }
}

milliseconds rest_of(const Error& error) {
  return std::clamp(error.retry_after.value_or(kQuotaRest), kShortestRest, kLongestRest);
}

std::unexpected<Error> used_up(milliseconds wait) {
  return no_quota("The quota at this model's provider is used up for the moment.", Origin::Upstream,
                  wait);
}

}  // namespace

// A limit is told in the provider's own words, which say whose matter it is.
std::unexpected<Error> resting(const Target& target, Breaker::Admission admission) {
  if (admission.limit) {
    Error limit = std::move(*admission.limit);
    if (limit.retry_after) limit.retry_after = admission.wait;
    return std::unexpected(std::move(limit));
  }
  auto error = fail(ErrorKind::Unavailable, Origin::Upstream,
                    "The provider of this model has failed lately; it is left alone for a moment.",
                    "target_resting");
  error.error().retryable = true;
  error.error().retry_after = admission.wait;
  error.error().detail = target.name;
  return error;
}

std::unexpected<Error> no_quota(std::string message, Origin origin, milliseconds wait) {
  auto error = fail(ErrorKind::RateLimited, origin, std::move(message), "upstream_quota");
  error.error().retryable = true;
  error.error().retry_after = wait;
  return error;
}

Quota::Wanted TargetStage::wanted(const Exchange& exchange, const Target& target) const {
  Quota::Wanted wanted{target.quota, 0, exchange.policy->sections.get(priority_)};
  if (target.quota.tokens_per_minute > 0) {
    // What a request may take is not what it will: none takes more than the others' next seconds.
    const std::uint64_t most = std::max<std::uint64_t>(1, target.quota.tokens_per_minute / 6);
    wanted.tokens = std::min(most, prompt_tokens(exchange, target.key) +
                                       exchange.index.max_tokens.value_or(kUsualAnswer));
  }
  return wanted;
}

std::optional<milliseconds> TargetStage::take_quota(const Exchange& exchange, const Target& target,
                                                    Asked& asked) const {
  Quota* quota = of_loop(exchange).quota_of(target);
  if (!quota) return std::nullopt;
  const Quota::Wanted its = wanted(exchange, target);
  asked.tokens = its.tokens;
  const auto wait =
      quota->take(its.limits, its.tokens, its.priority, exchange.context->clock->now());
  if (!wait) asked.quota = quota;
  return wait;
}

Verdict TargetStage::on_attempt(Exchange& exchange, Attempt& attempt) {
  Asked& asked = exchange.slot(slot_);
  asked = {.waited = asked.waited};
  TargetState* state = of_loop(exchange).of(*attempt.target);
  if (!state) return go_on();
  if (const auto wait = state->used_up_for(attempt.started); wait.count() > 0) {
    attempt.end = AttemptEnd::Skipped;
    return used_up(wait);
  }
  auto admission = state->breaker().admit(attempt.started);
  if (!admission.goes) {
    attempt.end = AttemptEnd::Skipped;
    return resting(*attempt.target, std::move(admission));
  }
  if (const auto wait = take_quota(exchange, *attempt.target, asked)) {
    state->breaker().withdrawn(admission.trial);
    attempt.end = AttemptEnd::Skipped;
    return no_quota("The quota set for this model's provider is used up for the moment.",
                    Origin::Us, *wait);
  }
  state->began(attempt.started);
  asked.state = state;
  asked.trial = admission.trial;
  return go_on();
}

void TargetStage::on_answering(Exchange& exchange, Attempt& attempt,
                               const http::ResponseHead& head) noexcept {
  Asked& asked = exchange.slot(slot_);
  if (!asked.state) return;
  if (const auto wait = until_left(head.fields)) asked.state->used_up(attempt.started + *wait);
  asked.state->breaker().answering(asked.trial);
  asked.was_trial = std::exchange(asked.trial, false);
  asked.answering = true;
}

// Who has waited in vain goes next to the one that was the last to answer, of those that neither
// fail nor keep others waiting as long: where several targets hang at once, a request waits for one
// of them and not for each in turn.
void TargetStage::prefer_one_that_answers(Exchange& exchange, const Attempt& waited_for) const {
  auto& targets = exchange.targets;
  const auto tried = std::ranges::find(targets, waited_for.target);
  if (tried == targets.end()) return;
  LoopStates& states = of_loop(exchange);
  const Monotonic now = waited_for.started + waited_for.took;
  Monotonic last{};
  auto found = targets.end();
  for (auto at = tried + 1; at != targets.end(); ++at) {
    const TargetState* state = states.of(**at);
    if (!state || state->last_answer() <= last) continue;
    if (!state->breaker().admits(now) || state->breaker().failures_in_a_row() > 0) continue;
    if (state->silent_since(waited_for.started)) continue;
    last = state->last_answer();
    found = at;
  }
  if (found != targets.end()) std::rotate(tried + 1, found, found + 1);
}

void TargetStage::on_attempt_end(Exchange& exchange, Attempt& attempt) noexcept {
  Asked& asked = exchange.slot(slot_);
  if (!asked.state) return;
  asked.state->ended();
  if (asked.quota && asked.tokens > 0) {
    const std::uint64_t real = attempt.usage.input() + attempt.usage.output();
    asked.quota->settle(attempt.target->quota, asked.tokens, real);
    if (asked.tokens > real) asked.quota->wake(attempt.started + attempt.took);
  }
  const bool unsure = attempt.end == AttemptEnd::Unsure;  // it answered, and that is no fault
  if ((attempt.end == AttemptEnd::Answered || unsure) && asked.answering) {
    asked.state->answered_after(attempt.waited, attempt.started + attempt.took);
    asked.state->breaker().succeeded(false);
  }
  Breaker& breaker = asked.state->breaker();
  const Says says = attempt.error && !unsure ? said_by(*attempt.error) : Says::Nothing;
  const Monotonic now = attempt.started + attempt.took;
  const BreakerSettings settings =
      says == Says::Nothing ? BreakerSettings() : of_loop(exchange).all().settings();
  if (says == Says::Limited && settings.failures > 0) {
    breaker.limited(asked.trial, now, *attempt.error, rest_of(*attempt.error));
  } else if (says != Says::Nothing && asked.was_trial) {
    breaker.broke_off(now, error_code(*attempt.error), settings);
  } else if (says != Says::Nothing) {
    breaker.failed(asked.trial, now, error_code(*attempt.error), settings);
  } else if (!asked.answering) {
    // A refusal of this request shows that its provider is there.
    const bool there = attempt.error && attempt.error->upstream_status >= 400;
    there ? breaker.succeeded(asked.trial) : breaker.undecided(asked.trial);
  }
  if (attempt.error && attempt.error->kind == ErrorKind::Timeout) {
    prefer_one_that_answers(exchange, attempt);
  }
  asked.state = nullptr;
}

}  // namespace causeway::routing
