#include "features/traffic/cache/stage.h"

#include <algorithm>
#include <utility>

#include "core/ask.h"
#include "core/caller.h"
#include "core/dialect.h"
#include "core/snapshot.h"
#include "platform/net/loop.h"

namespace causeway::cache {
namespace {

using std::chrono::seconds;

bool is_kept_kind(OperationKind kind) {
  return kind == OperationKind::Chat || kind == OperationKind::Completion ||
         kind == OperationKind::Embeddings || kind == OperationKind::Moderation;
}

bool replaced(std::string_view action) {
  return action == "mask" || action == "pseudonym" || action == "hash";
}

// Without putting them together: what was replaced stands near the beginning, as a rule.
bool same_bytes(const Request& one, const Request& other) {
  Spans left, right;
  one.bytes(left);
  other.bytes(right);
  auto at = left.begin(), with = right.begin();
  std::string_view a, b;
  while (true) {
    while (a.empty() && at != left.end()) a = *at++;
    while (b.empty() && with != right.end()) b = *with++;
    const std::size_t size = std::min(a.size(), b.size());
    if (size == 0) return a.empty() && b.empty();
    if (a.substr(0, size) != b.substr(0, size)) return false;
    a.remove_prefix(size);
    b.remove_prefix(size);
  }
}

// Something that pii found goes on as it was: to a target that may see it, or since the policy only
// reports it.
bool passes_personal_data(const Exchange& exchange, const Attempt& attempt) {
  if (exchange.fired.empty()) return false;
  if (!std::ranges::all_of(exchange.fired,
                           [](const Fired& fired) { return replaced(fired.action); })) {
    return true;
  }
  return same_bytes(attempt.request, exchange.request);
}

// The attempt is to say the rest of an answer that was cut: nobody else's answer is that.
bool words_are_out(const Exchange& exchange) {
  return exchange.outcome.to_first_content.count() > 0;
}

// Wakes one exchange on its own loop, whoever comes first: the answer, its caller's leaving, or the
// end of its patience.
class Waiter final : public net::Swept {
 public:
  explicit Waiter(Monotonic until) : until_(until) {}
  void sweep(Monotonic now) override {
    if (now >= until_) end(false);
  }
  void end(bool kept) {
    unlink();
    if (std::exchange(ended_, true)) return;
    kept_ = kept;
    signal.set();
  }
  bool kept() const { return kept_; }
  Signal signal;

 private:
  Monotonic until_;
  bool ended_ = false, kept_ = false;
};

void say(Exchange& exchange, std::string_view name, std::string value) {
  const auto found = std::ranges::find(exchange.said, name, &SaidField::name);
  if (found == exchange.said.end()) {
    exchange.said.push_back({name, std::move(value)});
  } else {
    found->value = std::move(value);
  }
}

void unsay(Exchange& exchange, std::string_view name) {
  std::erase_if(exchange.said, [name](const SaidField& field) { return field.name == name; });
}

std::unexpected<Error> not_cached() {
  return fail(ErrorKind::Timeout, Origin::Us,
              "Cache-Control: only-if-cached was asked for, and no answer is kept.", "not_cached");
}

constexpr std::string_view kSays = "x-causeway-cache";

}  // namespace

bool CacheStage::concerns(Exchange& exchange, const Attempt& attempt,
                          const CacheSettings& settings) const {
  const Operation& operation = *exchange.operation;
  if (exchange.internal || !is_kept_kind(operation.kind) || operation.body != BodyKind::Json) {
    return false;
  }
  if (temperature_of(exchange.index).value_or(0) > settings.max_temperature) return false;
  return settings.personal_data || !passes_personal_data(exchange, attempt);
}

Task<Verdict> CacheStage::wait_attempt(Exchange& exchange, Attempt& attempt) {
  const CacheSettings& settings = exchange.policy->sections.get(settings_);
  State& state = exchange.slot(slot_);
  land(state, false);  // of an attempt before this one
  state = {};
  const bool looks = concerns(exchange, attempt, settings);
  if (!looks && exchange.internal) co_return go_on();
  const Control control = read_control(exchange.head().find("cache-control").value_or(""));
  // Whatever else is said: who wants a kept answer or none gets no new one.
  if (control.only_if_cached && (!looks || control.no_store || control.no_cache)) {
    co_return not_cached();
  }
  if (!looks || control.no_store || words_are_out(exchange)) co_return go_on();
  state.key = key_of(exchange, attempt, settings);
  if (!control.no_cache) {
    auto kept = in_memory(exchange, state.key);
    bool found = kept && give(exchange, attempt, kept, control.max_age);
    if (!kept && may_be_on_disk(exchange, state.key)) {
      found = co_await find(exchange, attempt, control.max_age);
    }
    if (!found && settings.wait.count() > 0 && exchange.context->loop && !control.only_if_cached) {
      state.leads = shelves_.flights.lead(state.key);
      bool landed = false;
      if (!state.leads) landed = co_await wait_for_other(exchange, state, settings.wait);
      if (landed) found = co_await find(exchange, attempt, control.max_age);
    }
    // Behind the flight: of many who ask the same, one asks the other replicas.
    if (!found && shelves_.shared) {
      found = co_await find_shared(exchange, attempt, control.max_age);
    }
    if (found) {
      land(state, true);
      shelves_.hits.fetch_add(1, std::memory_order_relaxed);
      exchange.answered_from = "exact";
      unsay(exchange, kSays);
      co_return go_on();
    }
    if (!settings.meaning.model->empty()) {
      found = co_await find_by_meaning(exchange, attempt, control.max_age);
    }
    if (found) {
      shelves_.by_meaning.fetch_add(1, std::memory_order_relaxed);
      exchange.answered_from = "meaning";
      unsay(exchange, kSays);
      land(state, true);
      co_return go_on();
    }
    if (control.only_if_cached) co_return not_cached();
  }
  if (exchange.cancel.requested()) {
    co_return fail(ErrorKind::Cancelled, Origin::Client, "The caller left.");
  }
  shelves_.misses.fetch_add(1, std::memory_order_relaxed);
  say(exchange, kSays, "miss");
  attempt.tap = std::make_unique<AnswerTap>(settings.largest.value);
  state.keeps = true;
  co_return go_on();
}

Task<bool> CacheStage::find(Exchange& exchange, Attempt& attempt, std::optional<seconds> age) {
  const Key key = exchange.slot(slot_).key;
  const auto kept = co_await kept_answer(exchange, key);
  co_return kept&& give(exchange, attempt, kept, age);
}

Task<bool> CacheStage::find_shared(Exchange& exchange, Attempt& attempt,
                                   std::optional<seconds> age) {
  const Key key = exchange.slot(slot_).key;
  auto looking = shelves_.shared->find(exchange.context->index, key, exchange.principal->tenant,
                                       std::string(exchange.model_name));
  const auto kept = co_await std::move(looking);
  co_return kept&& give(exchange, attempt, kept, age);
}

std::shared_ptr<const Kept> CacheStage::in_memory(const Exchange& exchange, const Key& key) {
  auto kept = shelves_.memory.find(key, exchange.started_wall);
  if (kept) keep_on_disk(key, kept);  // where there were too many when it was new
  return kept;
}

bool CacheStage::may_be_on_disk(const Exchange& exchange, const Key& key) const {
  return exchange.context->loop && shelves_.disk && shelves_.disk->may_have(key) &&
         (!shelves_.shared || shelves_.shared->caught_up());
}

// In memory, else on the disk.
Task<std::shared_ptr<const Kept>> CacheStage::kept_answer(Exchange& exchange, Key key) {
  if (auto kept = in_memory(exchange, key)) co_return kept;
  if (!may_be_on_disk(exchange, key)) co_return nullptr;
  net::Loop* loop = exchange.context->loop;
  const auto post = [loop](std::move_only_function<void()> action) {
    loop->post(std::move(action));
  };
  Disk& disk = *shelves_.disk;
  auto kept = co_await offload(
      workers_, post,
      [&disk, key]() -> Result<std::shared_ptr<const Kept>> { return disk.read(key); });
  if (!kept || !*kept) co_return nullptr;
  shelves_.memory.put(key, *kept);
  co_return *kept;
}

// The vector of a question; empty where the model does not answer, or not in time.
Task<std::vector<float>> CacheStage::vector_of(Exchange& exchange, const MeaningSettings& settings,
                                               std::string text) {
  const auto principal = with_any_model(*exchange.principal);
  Question question;
  question.principal = principal.get();
  question.path = "/v1/embeddings";
  question.body = "{\"model\":" + encode_json_string(*settings.model) +
                  ",\"input\":" + encode_json_string(text) + "}";
  question.inside = &exchange;
  question.cancel = &exchange.cancel;
  question.timeout = settings.wait;
  auto asking = exchange.context->asker->ask(std::move(question));
  const auto answer = co_await std::move(asking);
  if (!answer) co_return std::vector<float>{};
  co_return read_vector(answer->body);
}

Task<bool> CacheStage::find_by_meaning(Exchange& exchange, Attempt& attempt,
                                       std::optional<seconds> age) {
  const CacheSettings& settings = exchange.policy->sections.get(settings_);
  net::Loop* loop = exchange.context->loop;
  // What is personal has an answer of its own, also where it was replaced.
  if (!loop || !exchange.context->asker || !exchange.fired.empty()) co_return false;
  auto asked = std::make_shared<Meanings::Asked>();
  const std::string text = question_of(exchange, attempt, settings, asked->context);
  asked->question = similar::read_question(text);
  if (text.empty() || !asked->question.read) co_return false;
  asked->model = *settings.meaning.model;
  auto asking = vector_of(exchange, settings.meaning, text);
  asked->vector = co_await std::move(asking);
  if (asked->vector.empty()) co_return false;
  const Meanings& meanings = shelves_.meanings;
  const auto threshold = static_cast<float>(settings.meaning.threshold);
  auto look = [asked, threshold, &meanings]() -> Result<std::optional<Key>> {
    return meanings.find(*asked, threshold);
  };
  WorkerGroup* cpu = exchange.context->cpu;
  Result<std::optional<Key>> found = std::nullopt;
  if (cpu) {
    const auto post = [loop](std::move_only_function<void()> action) {
      loop->post(std::move(action));
    };
    auto away = offload(*cpu, post, std::move(look));
    found = co_await std::move(away);  // where all are busy, nothing is near
  } else {
    found = look();
  }
  State& state = exchange.slot(slot_);
  state.asked = asked.get();
  exchange.kept.push_back(asked);
  if (!found || !*found) co_return false;
  const Key key = **found;
  const auto kept = co_await kept_answer(exchange, key);
  if (!kept) {
    shelves_.meanings.forget(key);
    co_return false;
  }
  if (!give(exchange, attempt, kept, age)) co_return false;
  shelves_.memory.put(state.key, kept);  // the next one finds it by its own words
  co_return true;
}

bool CacheStage::give(Exchange& exchange, Attempt& attempt, const std::shared_ptr<const Kept>& kept,
                      std::optional<seconds> most_age) {
  const auto age =
      std::max(std::chrono::floor<seconds>(exchange.started_wall - kept->made), seconds(0));
  if (most_age && age >= *most_age) return false;
  attempt.stored = unpack(kept);
  if (!attempt.stored) return false;
  say(exchange, "age", std::to_string(age.count()));
  return true;
}

// True: somebody else's answer is there now. False: this one asks itself.
Task<bool> CacheStage::wait_for_other(Exchange& exchange, State& state,
                                      std::chrono::milliseconds most) {
  net::Loop* loop = exchange.context->loop;
  const auto waiter = std::make_shared<Waiter>(loop->now() + most);
  Flights::Ticket ticket = 0;
  const auto joined = shelves_.flights.join(
      state.key, [loop, waiter](bool kept) { loop->post([waiter, kept] { waiter->end(kept); }); },
      ticket);
  state.leads = joined == Flights::Joined::Leads;
  if (joined != Flights::Joined::Waits) co_return false;
  shelves_.joined.fetch_add(1, std::memory_order_relaxed);
  loop->watch(*waiter);
  exchange.cancel.on_request([waiter] { waiter->end(false); });
  co_await waiter->signal;
  exchange.cancel.on_request(nullptr);
  shelves_.flights.leave(state.key, ticket);
  co_return waiter->kept();
}

void CacheStage::keep_on_disk(const Key& key, const std::shared_ptr<const Kept>& kept) {
  if (!shelves_.disk || kept->on_disk.load(std::memory_order_relaxed)) return;
  if (shelves_.disk->put(key, kept)) kept->on_disk.store(true, std::memory_order_relaxed);
}

// Not on the loop: a graph takes a millisecond for it. Where all are busy it is not known by its
// meaning.
void CacheStage::learn(Exchange& exchange, State& state) {
  if (!state.asked) return;
  auto add = [&meanings = shelves_.meanings, asked = std::move(*state.asked),
              key = state.key]() mutable { meanings.add(std::move(asked), key); };
  state.asked = nullptr;
  if (exchange.context->cpu) {
    (void)exchange.context->cpu->submit(std::move(add));
  } else {
    add();
  }
}

void CacheStage::land(State& state, bool kept) noexcept {
  if (std::exchange(state.leads, false)) shelves_.flights.land(state.key, kept);
}

void CacheStage::on_attempt_end(Exchange& exchange, Attempt& attempt) noexcept {
  State& state = exchange.slot(slot_);
  if (!std::exchange(state.keeps, false) || !attempt.tap) return land(state, false);
  AnswerTap& tap = *attempt.tap;
  const CacheSettings& settings = exchange.policy->sections.get(settings_);
  const Stop stop = exchange.outcome.stop;
  const bool talks = streams(exchange.operation->kind);
  const bool good = attempt.end == AttemptEnd::Answered && !tap.too_large &&
                    !tap.answer.padded.empty() &&
                    (!talks || stop == Stop::Done || stop == Stop::Length ||
                     (stop == Stop::Tools && settings.tool_calls));
  if (!good) return land(state, false);
  auto kept = pack(std::move(tap.answer));
  attempt.tap.reset();
  kept->tenant = exchange.principal->tenant;
  kept->model = exchange.model_name;
  kept->made = exchange.context->clock->wall();
  kept->until = kept->made + settings.ttl;
  shelves_.memory.put(state.key, kept);
  keep_on_disk(state.key, kept);
  if (shelves_.shared) shelves_.shared->put(exchange.context->index, state.key, *kept);
  learn(exchange, state);
  land(state, true);
}

void CacheStage::on_done(Exchange& exchange, const Outcome&) noexcept {
  land(exchange.slot(slot_), false);
}

}  // namespace causeway::cache
