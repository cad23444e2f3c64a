#include "features/traffic/overload/stage.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/snapshot.h"
#include "platform/queue/waiter.h"

namespace causeway::overload {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSweep(50);

using Waiter = queue::Waiter<Turn>;

std::unexpected<Error> refused(Attempt& attempt, std::string message, milliseconds expected) {
  attempt.end = AttemptEnd::Skipped;
  auto error = fail(ErrorKind::Overloaded, Origin::Us, std::move(message), "overloaded");
  error.error().retryable = true;  // at another target
  error.error().retry_after = std::clamp(expected, milliseconds(1000), milliseconds(60'000));
  return error;
}

// What an attempt says about its target; nothing where it failed.
std::optional<Group::Answer> answer_of(const Exchange& exchange, const Attempt& attempt,
                                       Monotonic began) {
  if (attempt.error || !attempt.sent) return std::nullopt;
  const Outcome& outcome = exchange.outcome;
  auto took = attempt.waited;
  if (outcome.streamed) {
    if (outcome.to_first_content.count() == 0) return std::nullopt;
    took = outcome.to_first_content - (began - exchange.started);
    if (took.count() < 0) return std::nullopt;  // it says the rest of another one's answer
  }
  const auto kind =
      Limiter::kind_of(outcome.streamed, exchange.index.body.size(), attempt.usage.output());
  return Group::Answer{kind, took};
}

}  // namespace

std::shared_ptr<Group> Groups::of(std::string_view target, bool configured) {
  const std::lock_guard lock(mutex_);
  if (const auto found = groups_.find(target); found != groups_.end()) return found->second;
  const bool own = configured || chosen_ < kMost;
  std::string name(own ? target : std::string_view("*"));
  auto& group = groups_[name];
  if (group) return group;
  chosen_ += configured ? 0 : 1;
  return group = std::make_shared<Group>(std::move(name));
}

std::vector<std::pair<std::string, std::shared_ptr<const Group>>> Groups::list() const {
  const std::lock_guard lock(mutex_);
  return {groups_.begin(), groups_.end()};
}

const std::shared_ptr<Group>& OverloadStage::group_of(const Exchange& exchange,
                                                      const Attempt& attempt,
                                                      const OverloadSettings& settings) {
  GroupMap& known = loops_[static_cast<std::size_t>(exchange.context->index)].known;
  const std::string_view name = attempt.target->name;
  if (const auto found = known.find(name); found != known.end()) return found->second;
  if (known.size() > 2 * Groups::kMost) known.clear();
  const bool configured = !attempt.target->exposed || settings.concurrency.find(name);
  return known[std::string(name)] = groups_.of(name, configured);
}

// A deadline is kept to less than the loop's own sweep does.
net::SweepList& OverloadStage::waiting_of(const LoopContext& context) {
  auto& waiting = loops_[static_cast<std::size_t>(context.index)].waiting;
  if (!waiting) {
    waiting = std::make_shared<net::SweepList>();
    context.loop->every(kSweep, [waiting, clock = context.clock] { waiting->run(clock->now()); });
  }
  return *waiting;
}

Task<Verdict> OverloadStage::wait_attempt(Exchange& exchange, Attempt& attempt) {
  using Result = Group::Entered::Result;
  // What a running exchange asks has its place already: it would wait for itself.
  if (exchange.depth > 0) co_return go_on();
  const OverloadSettings& settings = exchange.policy->sections.get(settings_);
  const int priority = priority_(exchange.policy->sections);
  const std::string_view tenant =
      exchange.principal ? std::string_view(exchange.principal->tenant) : std::string_view();
  net::Loop* loop = exchange.context->loop;
  const Clock& clock = *exchange.context->clock;
  const Monotonic now = clock.now();
  State& state = exchange.slot(slot_);
  std::shared_ptr<Group> group = group_of(exchange, attempt, settings);
  const auto patience = std::chrono::duration_cast<milliseconds>(settings.wait - state.waited);
  std::shared_ptr<Waiter> waiter;
  auto entered = group->enter(priority, tenant, settings, patience, now, [&]() -> Wake {
    waiter = std::make_shared<Waiter>(now + patience, [group, &clock](const Turn& turn) {
      group->leave(turn, std::nullopt, clock.now());
    });
    return [loop, waiter](End how, const Turn& turn) {
      loop->post([waiter, how, turn] { waiter->end(how, turn); });
    };
  });
  switch (entered.result) {
    case Result::Goes:
      state.group = std::move(group);
      state.turn = entered.turn;
      co_return go_on();
    case Result::Full:
      groups_.counts.full.fetch_add(1, std::memory_order_relaxed);
      co_return refused(attempt, "Too many requests wait for this model.", entered.expected);
    case Result::TooLong:
      groups_.counts.early.fetch_add(1, std::memory_order_relaxed);
      co_return refused(
          attempt, "This model has too much to do: the turn of this request would come too late.",
          entered.expected);
    case Result::Waits:
      break;
  }
  groups_.counts.waited.fetch_add(1, std::memory_order_relaxed);
  {
    const queue::InLine in_line(*group, std::move(entered.place), clock);
    waiting_of(*exchange.context).add(*waiter);
    exchange.cancel.on_request([waiter] { waiter->end(End::Left); });
    co_await waiter->signal;
    exchange.cancel.on_request(nullptr);
  }
  const auto queued = clock.now() - now;
  attempt.queued += queued;
  state.waited += queued;
  switch (waiter->how()) {
    case End::Admitted:
      state.turn = waiter->turn();
      state.group = std::move(group);
      co_return go_on();
    case End::Left:
      co_return fail(ErrorKind::Cancelled, Origin::Client, "The caller left.");
    case End::GaveWay:
      groups_.counts.full.fetch_add(1, std::memory_order_relaxed);
      co_return refused(attempt, "Too many requests of this tenant wait for this model.",
                        entered.expected);
    default:
      groups_.counts.late.fetch_add(1, std::memory_order_relaxed);
      co_return refused(attempt, "This model has too much to do: no turn came in time.",
                        entered.expected);
  }
}

void OverloadStage::on_attempt_end(Exchange& exchange, Attempt& attempt) noexcept {
  State& state = exchange.slot(slot_);
  const auto group = std::exchange(state.group, nullptr);
  if (!group) return;
  const Monotonic now = exchange.context->clock->now();
  if (attempt.error && attempt.sent) {
    const ErrorKind kind = attempt.error->kind;
    const bool no_room = kind == ErrorKind::Overloaded && attempt.error->origin == Origin::Upstream;
    // The policy's total is about this request, not about its target.
    const bool silent = kind == ErrorKind::Timeout && attempt.error->code != "total_timeout" &&
                        exchange.outcome.to_first_content.count() == 0;
    if (no_room || silent) group->refused(state.turn, now);
  }
  group->leave(state.turn, answer_of(exchange, attempt, state.turn.start.at), now);
}

}  // namespace causeway::overload
