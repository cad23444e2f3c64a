#include "features/traffic/overload/stage.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/snapshot.h"
#include "platform/net/loop.h"

namespace causeway::overload {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSweep(50);

// Wakes one exchange on its own loop, whoever comes first: its turn, its caller's leaving, or the
// end of its patience.
class Waiter final : public net::Swept {
 public:
  Waiter(std::shared_ptr<Group> group, const Clock& clock, Monotonic until)
      : group_(std::move(group)), clock_(clock), until_(until) {}
  void sweep(Monotonic now) override {
    if (now >= until_) end(End::TooLate);
  }
  void end(End how, const Turn& turn = {}) {
    unlink();
    if (end_ != End::Waiting) {
      // Its turn came when it had just gone.
      if (how == End::Admitted) group_->leave(turn, std::nullopt, clock_.now());
      return;
    }
    end_ = how;
    turn_ = turn;
    signal.set();
  }
  End how() const { return end_; }
  const Turn& turn() const { return turn_; }
  Signal signal;

 private:
  std::shared_ptr<Group> group_;
  const Clock& clock_;
  Monotonic until_;
  End end_ = End::Waiting;
  Turn turn_;
};

// Takes a request out of the queue however its waiting ends, also where its loop goes away.
struct InQueue {
  Group& group;
  FairQueue::Place place;
  InQueue(Group& where, FairQueue::Place at) : group(where), place(std::move(at)) {}
  InQueue(const InQueue&) = delete;
  InQueue& operator=(const InQueue&) = delete;
  ~InQueue() { group.give_up(place); }
};

std::unexpected<Error> refused(std::string message, milliseconds expected) {
  auto error = fail(ErrorKind::Overloaded, Origin::Us, std::move(message), "overloaded");
  error.error().retryable = true;
  error.error().retry_after = std::clamp(expected, milliseconds(1000), milliseconds(60'000));
  return error;
}

// What the last attempt says about the model; nothing where it was not the only one, since the
// first one's target was another or had failed.
std::optional<Group::Answer> answer_of(const Exchange& exchange, const Outcome& outcome) {
  if (exchange.attempts.size() != 1 || exchange.attempts.front().error) return std::nullopt;
  const Attempt& attempt = exchange.attempts.front();
  if (!attempt.sent || attempt.stored) return std::nullopt;
  auto took = attempt.waited;
  if (outcome.streamed) {
    if (outcome.to_first_content.count() == 0) return std::nullopt;
    took = outcome.to_first_content - (attempt.started - exchange.started);
  }
  const auto kind =
      Limiter::kind_of(outcome.streamed, exchange.index.body.size(), outcome.usage.output());
  return Group::Answer{kind, took};
}

}  // namespace

std::shared_ptr<Group> Groups::of(std::string_view model) {
  const std::lock_guard lock(mutex_);
  if (const auto found = groups_.find(model); found != groups_.end()) return found->second;
  const std::string name(groups_.size() < kMost ? model : std::string_view("*"));
  auto& group = groups_[name];
  if (!group) group = std::make_shared<Group>();
  return group;
}

std::vector<std::pair<std::string, Group::View>> Groups::list() const {
  std::vector<std::pair<std::string, Group::View>> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, group] : groups_) all.emplace_back(name, group->view());
  return all;
}

const std::shared_ptr<Group>& OverloadStage::group_of(const Exchange& exchange) {
  GroupMap& known = loops_[static_cast<std::size_t>(exchange.context->index)].known;
  const std::string_view name = exchange.model->name;
  if (const auto found = known.find(name); found != known.end()) return found->second;
  if (known.size() > 2 * Groups::kMost) known.clear();
  return known[std::string(name)] = groups_.of(name);
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

Task<Verdict> OverloadStage::wait_request(Exchange& exchange) {
  // What a running exchange asks has its place already: it would wait for itself.
  if (!exchange.model || exchange.depth > 0 || exchange.explain) co_return go_on();
  const std::shared_ptr<Group> group = group_of(exchange);
  auto task = wait(exchange, group);
  co_return co_await std::move(task);
}

Task<Verdict> OverloadStage::wait(Exchange& exchange, std::shared_ptr<Group> group) {
  using Result = Group::Entered::Result;
  const OverloadSettings& settings = exchange.policy->sections.get(settings_);
  const int priority = priority_(exchange.policy->sections);
  const std::string_view tenant =
      exchange.principal ? std::string_view(exchange.principal->tenant) : std::string_view();
  net::Loop* loop = exchange.context->loop;
  const Clock& clock = *exchange.context->clock;
  const Monotonic now = clock.now();
  std::shared_ptr<Waiter> waiter;
  auto entered = group->enter(priority, tenant, settings, now, [&]() -> FairQueue::Wake {
    waiter = std::make_shared<Waiter>(group, clock, now + settings.wait);
    return [loop, waiter](End how, const Turn& turn) {
      loop->post([waiter, how, turn] { waiter->end(how, turn); });
    };
  });
  State& state = exchange.slot(slot_);
  switch (entered.result) {
    case Result::Goes:
      state.group = std::move(group);
      state.turn = entered.turn;
      co_return go_on();
    case Result::Full:
      groups_.counts.full.fetch_add(1, std::memory_order_relaxed);
      co_return refused("Too many requests wait for this model.", entered.expected);
    case Result::TooLong:
      groups_.counts.early.fetch_add(1, std::memory_order_relaxed);
      co_return refused(
          "This model has too much to do: the turn of this request would come too late.",
          entered.expected);
    case Result::Waits:
      break;
  }
  groups_.counts.waited.fetch_add(1, std::memory_order_relaxed);
  {
    const InQueue in_queue(*group, std::move(entered.place));
    waiting_of(*exchange.context).add(*waiter);
    exchange.cancel.on_request([waiter] { waiter->end(End::Left); });
    co_await waiter->signal;
    exchange.cancel.on_request(nullptr);
  }
  switch (waiter->how()) {
    case End::Admitted:
      state.turn = waiter->turn();
      state.group = std::move(group);
      co_return go_on();
    case End::Left:
      co_return fail(ErrorKind::Cancelled, Origin::Client, "The caller left.");
    case End::GaveWay:
      groups_.counts.full.fetch_add(1, std::memory_order_relaxed);
      co_return refused("Too many requests of this tenant wait for this model.", entered.expected);
    default:
      groups_.counts.late.fetch_add(1, std::memory_order_relaxed);
      co_return refused("This model has too much to do: no turn came in time.", entered.expected);
  }
}

void OverloadStage::on_attempt_end(Exchange& exchange, Attempt& attempt) noexcept {
  const State& state = exchange.slot(slot_);
  if (!state.group || !attempt.error || !attempt.sent) return;
  const ErrorKind kind = attempt.error->kind;
  const bool no_room = kind == ErrorKind::Overloaded && attempt.error->origin == Origin::Upstream;
  const bool silent = kind == ErrorKind::Timeout && exchange.outcome.to_first_content.count() == 0;
  if (no_room || silent) state.group->refused(state.turn, exchange.context->clock->now());
}

void OverloadStage::on_done(Exchange& exchange, const Outcome& outcome) noexcept {
  State& state = exchange.slot(slot_);
  if (const auto group = std::exchange(state.group, nullptr)) {
    group->leave(state.turn, answer_of(exchange, outcome), exchange.context->clock->now());
  }
}

}  // namespace causeway::overload
