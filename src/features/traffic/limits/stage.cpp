#include "features/traffic/limits/stage.h"

#include <algorithm>
#include <functional>

#include "core/lost_attempts.h"
#include "core/prompt_tokens.h"
#include "core/snapshot.h"
#include "features/traffic/limits/headers.h"
#include "features/traffic/limits/limit.h"

namespace causeway::limits {
namespace {

constexpr std::uint64_t kUsualAnswer = 1000;  // tokens, where nothing is known of a model
constexpr std::uint64_t kShortest = 16;
constexpr std::int64_t kPicosPerNano = 1000;
constexpr std::size_t kMostResolved = 128;  // policies' lists of one loop
constexpr std::size_t kMostNames = 256;     // of limits that have refused

bool answers_with_text(OperationKind kind) {
  return streams(kind) || kind == OperationKind::PassThrough;
}

/// What a request may come to.
struct Estimate {
  std::int64_t tokens = 0;
  std::optional<std::int64_t> nanos;  // nothing: no target's price is known
};

Estimate estimate_of(const Exchange& exchange, const Answers& answers) {
  const RequestIndex& index = exchange.index;
  const bool reads = exchange.operation->body == BodyKind::Json;
  std::uint64_t input = 0, output = 0;
  if (reads) input = prompt_tokens(exchange, 0);
  if (answers_with_text(exchange.operation->kind)) {
    output =
        index.max_tokens ? std::uint64_t{*index.max_tokens} : answers.expected(exchange.model_name);
    output *= std::max<std::uint64_t>(1, index.choices);
  }
  Estimate estimate;
  estimate.tokens = static_cast<std::int64_t>(std::min<std::uint64_t>(input + output, 1u << 30));
  // Of the dearest target that the request may go to.
  (void)any_target(*exchange.model, [&](const Target& target) {
    if (!target.input_price && !target.output_price) return false;
    const std::int64_t picos =
        static_cast<std::int64_t>(std::min<std::uint64_t>(input, 1u << 30)) *
            target.input_price.value_or(0) +
        static_cast<std::int64_t>(std::min<std::uint64_t>(output, 1u << 30)) *
            target.output_price.value_or(0);
    estimate.nanos = std::max(estimate.nanos.value_or(0), picos / kPicosPerNano);
    return false;
  });
  return estimate;
}

// As those who count together are asked; they count up to 2^53.
SharedAmount shared_amount(const Wanted& wanted, const Known& known) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  const Limit& limit = *wanted.limit;
  SharedAmount amount;
  amount.key = text_of(wanted.key);
  amount.most = std::min(limit.most, kMost);
  amount.amount = std::min(wanted.amount, kMost);
  if (limit.each) {
    amount.kind = SharedKind::Period;
    amount.ends = known.ends;
    amount.spent = std::min(known.spent, kMost);
  } else if (limit.amount == Amount::Concurrent) {
    amount.kind = SharedKind::Concurrent;
  } else {
    amount.window_ms = std::chrono::ceil<std::chrono::milliseconds>(limit.window).count();
    amount.burst = limit.burst;
    amount.owed = std::clamp<std::int64_t>(known.owed, 0, kMost);
  }
  return amount;
}

// Who may not have one more has nothing left, also where it is the burst or this replica's share
// that is used up.
void tell_refused(Exchange& exchange, Told told) {
  if (told.limit->amount == Amount::Requests) told.standing.used = told.limit->most;
  tell_limits(exchange, std::span(&told, 1));
}

std::string in_words(std::chrono::nanoseconds wait) {
  return wait.count() > 0 ? " Try again in " + reset_text(wait) + "." : "";
}

}  // namespace

std::uint64_t Answers::expected(std::string_view model) const {
  const float mean =
      mean_[std::hash<std::string_view>()(model) % kPlaces].load(std::memory_order_relaxed);
  if (mean <= 0) return kUsualAnswer;
  // Half as much again: most answers come to less, and what is not used comes back.
  return std::max(kShortest, static_cast<std::uint64_t>(mean * 1.5F));
}

void Answers::learn(std::string_view model, std::uint64_t tokens) {
  if (tokens == 0) return;
  auto& mean = mean_[std::hash<std::string_view>()(model) % kPlaces];
  const float before = mean.load(std::memory_order_relaxed);
  const float now = static_cast<float>(tokens);
  mean.store(before <= 0 ? now : before * 0.9F + now * 0.1F, std::memory_order_relaxed);
}

// What one request takes of which limits.
struct LimitStage::Wants {
  std::array<Wanted, Table::kMostLimits> wanted{};
  std::array<Standing, Table::kMostLimits> standing{};
  std::array<std::string, Table::kMostLimits> subjects;
  std::size_t count = 0;
  std::span<const Wanted> all() const { return std::span(wanted).first(count); }
};

LimitStage::LimitStage(SectionKey<LimitList> settings, SlotLayout& slots, Table& table,
                       log::Log& log, int loops, std::int64_t replicas)
    : settings_(settings),
      slot_(slots.add<State>()),
      table_(table),
      log_(log),
      loops_(static_cast<std::size_t>(loops)),
      replicas_(replicas) {}

void LimitStage::attach(int loop, std::unique_ptr<SharedCounters> counters) {
  loops_[static_cast<std::size_t>(loop)].shared = std::move(counters);
}

const std::shared_ptr<const LimitStage::Limits>& LimitStage::resolved(const Exchange& exchange) {
  auto& known = loops_[static_cast<std::size_t>(exchange.context->index)].resolved;
  const auto& section = exchange.policy->sections.raw(settings_.index());
  for (const Resolved& one : known) {
    if (one.from == section) return one.limits;
  }
  if (known.size() >= kMostResolved) known.clear();
  auto limits = limits_of(exchange.policy->sections.get(settings_));
  known.push_back({section, std::make_shared<const Limits>(std::move(limits))});
  return known.back().limits;
}

Verdict LimitStage::on_request(Exchange& exchange) {
  Wants wants;
  if (auto known = want(exchange, wants); !known) return pass(std::move(known));
  return take(exchange, wants, {});
}

Task<Verdict> LimitStage::wait_request(Exchange& exchange) {
  Wants wants;
  if (auto known = want(exchange, wants); !known) co_return pass(std::move(known));
  if (wants.count == 0) co_return go_on();
  const auto& shared = loops_[static_cast<std::size_t>(exchange.context->index)].shared;
  if (shared && shared->may_be_asked()) {
    std::array<Known, Table::kMostLimits> known{};
    if (const auto full = table_.look(wants.all(), known)) {
      co_return refuse(exchange, *wants.wanted[full->which].limit, *full);
    }
    std::vector<SharedAmount> amounts;
    for (std::size_t i = 0; i < wants.count; ++i) {
      amounts.push_back(shared_amount(wants.wanted[i], known[i]));
    }
    auto asked = shared->reserve(amounts);
    auto verdict = co_await std::move(asked);
    if (verdict) {
      together_.fetch_add(1, std::memory_order_relaxed);
      co_return adopt(exchange, wants, *shared, std::move(*verdict));
    }
    table_.owe(wants.all(), known);
  }
  by_share_.fetch_add(1, std::memory_order_relaxed);
  co_return take(exchange, wants, {Counting::By::Share, replicas()});
}

Verdict LimitStage::adopt(Exchange& exchange, Wants& wants, SharedCounters& shared,
                          SharedVerdict verdict) {
  State& state = exchange.slot(slot_);
  for (std::size_t i = 0; i < wants.count; ++i) {
    const SharedStanding& said = verdict.standings[i];
    wants.standing[i].used = said.used;
    wants.standing[i].until = std::chrono::milliseconds(std::max<std::int64_t>(0, said.wait_ms));
  }
  if (!verdict.granted) {
    const Wanted& one = wants.wanted[verdict.which];
    table_.refused(one, verdict.standings[verdict.which].used);
    Refusal refusal{verdict.which, wants.standing[verdict.which].until,
                    one.amount > one.limit->most ? Refusal::Why::TooLarge : Refusal::Why::Used,
                    one.amount > 1 && verdict.standings[verdict.which].used < one.limit->most};
    tell_refused(exchange, {one.limit, wants.standing[verdict.which]});
    return refuse(exchange, *one.limit, refusal);
  }
  auto reservation = std::make_shared<const SharedReservation>(std::move(verdict.reservation));
  state.reservation = reservation.get();
  exchange.kept.push_back(reservation);
  auto taken = take(exchange, wants, {Counting::By::Granted, replicas()});
  if (!taken) {  // the table is full: nobody has had it
    const std::vector<std::optional<std::int64_t>> nothing(wants.count, 0);
    settle_shared(exchange, state, nothing);
    state.reservation = nullptr;
  }
  return taken;
}

Result<void> LimitStage::want(Exchange& exchange, Wants& wants) {
  const auto& limits = resolved(exchange);
  State& state = exchange.slot(slot_);
  exchange.kept.push_back(limits);
  state.limits = limits.get();
  std::optional<Estimate> estimated;  // once, for all limits of tokens and money
  const auto tenant =
      static_cast<std::uint8_t>(1 + std::hash<std::string>()(exchange.principal->tenant) % 255);
  std::size_t& count = wants.count;
  for (std::size_t i = 0; i < limits->size() && count < wants.wanted.size(); ++i) {
    const Limit& limit = (*limits)[i];
    std::int64_t amount = 1;
    // What Causeway asks to serve a request is a part of that one; its tokens are used all the
    // same.
    const bool counts_requests =
        limit.amount == Amount::Requests || limit.amount == Amount::Concurrent;
    if (exchange.internal && counts_requests) continue;
    if (limit.amount == Amount::Tokens || limit.amount == Amount::Money) {
      if (!estimated) estimated = estimate_of(exchange, answers_);
      const Estimate& estimate = *estimated;
      amount = estimate.tokens;
      if (limit.amount == Amount::Money) {
        if (!estimate.nanos && limit.unpriced == Unpriced::Refuse) {
          return fail(ErrorKind::Forbidden, Origin::Us,
                      "What this model costs is not known, and \"" + limit.name +
                          "\" counts money. Give its price under `prices`, or ask for another.",
                      "unpriced_model");
        }
        if (!estimate.nanos) continue;
        amount = *estimate.nanos;
      }
      // Nobody knows how much it will be: it may go when all of it is free.
      if (!exchange.index.max_tokens) amount = std::min(amount, limit.most);
    }
    std::string& subject = wants.subjects[count];
    const SubjectKey key = subject_of(exchange, limit, subject);
    wants.wanted[count] = {&limit, key, subject, amount, tenant};
    state.of[count++] = static_cast<std::uint8_t>(i);
  }
  return {};
}

Verdict LimitStage::take(Exchange& exchange, Wants& wants, const Counting& counting) {
  State& state = exchange.slot(slot_);
  const auto refusal = table_.take(wants.all(), state.taken, wants.standing, counting);
  std::array<Told, Table::kMostLimits> told{};
  const std::size_t known = refusal ? refusal->which + 1 : wants.count;
  for (std::size_t i = 0; i < known; ++i) told[i] = {wants.wanted[i].limit, wants.standing[i]};
  if (refusal) {
    const std::size_t which = refusal->which;
    tell_refused(exchange, told[which]);
    return refuse(exchange, *wants.wanted[which].limit, *refusal);
  }
  state.count = static_cast<std::uint8_t>(wants.count);
  for (const Told& one : std::span(told).first(wants.count)) {
    if (one.standing.soft_passed) {
      tell_soft(exchange, *one.limit, exchange.started_wall + one.standing.until);
    }
  }
  tell_limits(exchange, std::span(told).first(wants.count));
  return go_on();
}

std::unexpected<Error> LimitStage::refuse(Exchange& exchange, const Limit& limit,
                                          const Refusal& refusal) {
  note_refused(limit);
  const std::string named = "The limit \"" + limit.name + "\" ";
  if (refusal.why == Refusal::Why::TooLarge) {
    auto error = fail(ErrorKind::RateLimited, Origin::Us,
                      named +
                          "is less than this one request may come to. Ask for less: a shorter "
                          "prompt, or a smaller max_tokens.",
                      "request_above_limit");
    exchange.said.push_back({"x-should-retry", "false"});
    return error;
  }
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(refusal.wait);
  if (refusal.why == Refusal::Why::TableFull) {
    auto error = fail(ErrorKind::RateLimited, Origin::Us,
                      named + "counts as many callers as it can at the moment. Try again later.",
                      "limit_subjects_full");
    if (wait.count() > 0) error.error().retry_after = wait;
    return error;
  }
  const bool budget = limit.each.has_value();
  const std::string reached =
      refusal.some_left ? "has less left than this request may come to: ask for less, with a "
                          "shorter prompt or a smaller max_tokens."
                        : "is reached.";
  auto error = fail(budget ? ErrorKind::QuotaExhausted : ErrorKind::RateLimited, Origin::Us,
                    named + reached + in_words(refusal.wait));
  error.error().retryable = !budget;
  if (wait.count() > 0) error.error().retry_after = wait;
  if (limit.amount == Amount::Concurrent) {
    error.error().message = named + "is reached: wait until a request of yours has ended.";
    error.error().retry_after = std::chrono::seconds(1);
  }
  if (budget) exchange.said.push_back({"x-should-retry", "false"});
  return error;
}

void LimitStage::note_refused(const Limit& limit) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::ranges::find(refused_, limit.name, &std::pair<std::string, std::uint64_t>::first);
  if (found != refused_.end()) {
    ++found->second;
  } else if (refused_.size() < kMostNames) {
    refused_.emplace_back(limit.name, 1);
  }
}

Counting LimitStage::counting() const {
  if (replicas_ == 0) return {};
  const bool together = std::ranges::all_of(
      loops_, [](const Loop& loop) { return loop.shared && loop.shared->answers(); });
  return {together ? Counting::By::Granted : Counting::By::Share, replicas()};
}

// Each loop asks by itself; who has not heard of a new replica yet must not take a larger share.
std::int64_t LimitStage::replicas() const {
  std::int64_t most = std::max<std::int64_t>(1, replicas_);
  for (const Loop& loop : loops_) {
    if (loop.shared) most = std::max(most, loop.shared->replicas());
  }
  return most;
}

std::vector<std::pair<std::string, std::uint64_t>> LimitStage::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

void LimitStage::on_settle(Exchange& exchange, const Outcome& outcome) noexcept {
  const State& state = exchange.slot(slot_);
  std::array<std::optional<std::int64_t>, Table::kMostLimits> reals;
  std::vector<SharedNews> news;
  for (std::size_t i = 0; i < state.count; ++i) {
    const Limit& limit = (*state.limits)[state.of[i]];
    std::int64_t real = 1;
    if (limit.amount == Amount::Concurrent) continue;
    if (limit.amount == Amount::Tokens) {
      real = static_cast<std::int64_t>(tokens_used(exchange, outcome));
    }
    if (limit.amount == Amount::Money) real = exchange.cost_nanos.value_or(0);
    const auto settled = table_.settle(limit, state.taken[i], real, !state.reservation);
    if (settled.soft_passed) {
      tell_soft(exchange, limit, Wall(std::chrono::seconds(settled.ends)));
    }
    reals[i] = limit.each ? settled.spent : real;
    if (limit.each && state.taken[i].by_share) {
      news.push_back(
          {SharedKind::Period, text_of(state.taken[i].key), settled.ends, settled.spent});
    }
  }
  if (state.reservation) {
    settle_shared(exchange, state, std::span(reals).first(state.count));
  } else if (!news.empty()) {
    const auto& shared = loops_[static_cast<std::size_t>(exchange.context->index)].shared;
    if (shared && shared->answers()) shared->tell(news);  // else when it answers again
  }
  if (outcome.usage.source == UsageSource::Reported && state.count > 0) {
    answers_.learn(exchange.model_name, outcome.usage.output());
  }
}

void LimitStage::on_done(Exchange& exchange, const Outcome&) noexcept {
  State& state = exchange.slot(slot_);
  std::array<std::optional<std::int64_t>, Table::kMostLimits> ended;
  bool any = false;
  for (std::size_t i = 0; i < state.count; ++i) {
    if ((*state.limits)[state.of[i]].amount != Amount::Concurrent) continue;
    table_.end(state.taken[i]);
    ended[i] = 0;
    any = true;
  }
  if (any && state.reservation) settle_shared(exchange, state, std::span(ended).first(state.count));
  state.count = 0;
}

void LimitStage::settle_shared(Exchange& exchange, const State& state,
                               std::span<const std::optional<std::int64_t>> real) {
  const auto& shared = loops_[static_cast<std::size_t>(exchange.context->index)].shared;
  shared->settle(*state.reservation, real);
}

void LimitStage::tell_soft(Exchange& exchange, const Limit& limit, Wall until) {
  std::string subject;
  (void)subject_of(exchange, limit, subject);
  log_.warn("limits: near the end", {{"limit", limit.name}, {"subject", subject}});
  if (!limit.each) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(nearly_spent_, [&](const NearlySpent& one) {
    return one.until <= exchange.started_wall ||
           (one.limit == limit.name && one.subject == subject);
  });
  if (nearly_spent_.size() >= kMostNearlySpent) return;
  nearly_spent_.push_back({limit.name, std::move(subject), until});
}

std::vector<LimitStage::NearlySpent> LimitStage::nearly_spent(Wall now) const {
  const std::lock_guard lock(mutex_);
  auto all = nearly_spent_;
  std::erase_if(all, [now](const NearlySpent& one) { return one.until <= now; });
  return all;
}

}  // namespace causeway::limits
