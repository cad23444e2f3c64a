// Requests that wait for their part of a quota.
#include <algorithm>

#include "features/traffic/routing/stage.h"
#include "platform/queue/waiter.h"

namespace causeway::routing {
namespace {

using std::chrono::milliseconds;
using Result = Quota::Entered::Result;

constexpr milliseconds kLook{20};  // a part of a quota is there at most so long before it is used

struct Part {};
using Waiter = queue::Waiter<Part>;

bool held_back(const Error& error) {
  return error.kind == ErrorKind::RateLimited && error.origin == Origin::Us;
}

// Whether this target was passed over once since its quota was used up.
bool is_back(const Exchange& exchange, const Attempt& attempt) {
  return std::ranges::any_of(exchange.attempts, [&](const Attempt& one) {
    return &one != &attempt && one.target == attempt.target && one.end == AttemptEnd::Skipped &&
           one.error && held_back(*one.error);
  });
}

std::unexpected<Error> in_vain(const char* why, milliseconds expected) {
  return no_quota(why, Origin::Us, std::max(expected, milliseconds(1000)));
}

}  // namespace

void QuotaLine::run(Monotonic now) {
  std::erase_if(quotas, [now](Quota* quota) {
    quota->wake(now);
    return quota->waiting() == 0;
  });
  waiting.run(now);
}

QuotaLine& TargetStage::line_of(const LoopContext& context) {
  auto& line = lines_[static_cast<std::size_t>(context.index)];
  if (!line) {
    line = std::make_shared<QuotaLine>();
    context.loop->every(kLook, [line, clock = context.clock] { line->run(clock->now()); });
  }
  return *line;
}

Task<causeway::Result<void>> TargetStage::wait_in_line(Exchange& exchange, Attempt& attempt,
                                                       Quota& quota, Quota::Wanted wanted) {
  Asked& asked = exchange.slot(slot_);
  net::Loop* loop = exchange.context->loop;
  const Clock& clock = *exchange.context->clock;
  const Monotonic now = clock.now();
  const std::string_view tenant =
      exchange.principal ? std::string_view(exchange.principal->tenant) : std::string_view();
  const auto patience =
      std::chrono::duration_cast<milliseconds>(wait_(exchange.policy->sections) - asked.waited);
  std::shared_ptr<Waiter> waiter;
  auto entered = quota.enter(wanted, tenant, patience, now, [&]() -> Quota::Wake {
    waiter = std::make_shared<Waiter>(now + patience, [&quota, &clock, wanted](const Part&) {
      quota.give_back(wanted, clock.now());
    });
    return [loop, waiter](queue::End how) { loop->post([waiter, how] { waiter->end(how); }); };
  });
  if (entered.result == Result::Goes) co_return causeway::Result<void>{};
  const auto count = [](std::atomic<std::uint64_t>& of) {
    of.fetch_add(1, std::memory_order_relaxed);
  };
  if (entered.result == Result::Full) {
    count(quota.counts.full);
    co_return in_vain("Too many requests wait for the quota of this model's provider.",
                      entered.expected);
  }
  if (entered.result == Result::TooLong) {
    count(quota.counts.early);
    co_return in_vain(
        "The quota of this model's provider is used up: the turn of this request would come too "
        "late.",
        entered.expected);
  }
  {
    const queue::InLine in_line(quota, std::move(entered.place), clock);
    QuotaLine& line = line_of(*exchange.context);
    if (std::ranges::find(line.quotas, &quota) == line.quotas.end()) line.quotas.push_back(&quota);
    line.waiting.add(*waiter);
    exchange.cancel.on_request([waiter] { waiter->end(queue::End::Left); });
    co_await waiter->signal;
    exchange.cancel.on_request(nullptr);
  }
  const auto queued = clock.now() - now;
  attempt.queued += queued;
  asked.waited += queued;
  switch (waiter->how()) {
    case queue::End::Admitted:
      count(quota.counts.waited);
      co_return causeway::Result<void>{};
    case queue::End::Left:
      co_return fail(ErrorKind::Cancelled, Origin::Client, "The caller left.");
    case queue::End::GaveWay:
      count(quota.counts.full);
      co_return in_vain(
          "Too many requests of this tenant wait for the quota of this model's "
          "provider.",
          entered.expected);
    default:
      count(quota.counts.late);
      co_return in_vain("The quota of this model's provider is used up: no turn came in time.",
                        entered.expected);
  }
}

// What has other targets left is tried there first; behind them it comes back, and waits.
Task<Verdict> TargetStage::wait_attempt(Exchange& exchange, Attempt& attempt) {
  auto verdict = on_attempt(exchange, attempt);
  if (verdict || !exchange.context->loop || !held_back(verdict.error())) co_return verdict;
  if (!is_back(exchange, attempt)) co_return verdict;
  const Target& target = *attempt.target;
  Quota* quota = of_loop(exchange).quota_of(target);
  const Quota::Wanted its = wanted(exchange, target);
  auto waited = co_await wait_in_line(exchange, attempt, *quota, its);
  if (!waited) co_return pass(std::move(waited));
  attempt.end = AttemptEnd::Running;
  TargetState* state = of_loop(exchange).of(target);
  if (!state) co_return go_on();  // a reload has left no room to watch it
  const Monotonic now = exchange.context->clock->now();
  auto admission = state->breaker().admit(now);
  if (!admission.goes) {
    attempt.end = AttemptEnd::Skipped;
    quota->give_back(its, now);
    co_return resting(target, std::move(admission));
  }
  Asked& asked = exchange.slot(slot_);
  asked.quota = quota;
  asked.tokens = its.tokens;
  asked.state = state;
  asked.trial = admission.trial;
  state->began(now);
  co_return go_on();
}

}  // namespace causeway::routing
