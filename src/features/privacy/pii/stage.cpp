#include "features/privacy/pii/stage.h"

#include <algorithm>

#include "core/provider.h"
#include "features/privacy/pii/treat.h"
#include "platform/http/server_stream.h"
#include "platform/net/loop.h"

namespace causeway::pii {
namespace {

constexpr std::string_view kConversation = "x-causeway-conversation";
constexpr std::size_t kMostName = 200;  // bytes of a conversation's name

// A conversation belongs to who began it: nobody reads another's words by its name.
std::string owner(const Principal& caller) {
  std::string text = caller.tenant;
  for (const std::string& part : {caller.key_id, caller.user}) {
    text += '\0';
    text += part;
  }
  return text;
}

// Those of index().unread that are not in messages which another stage has taken out.
std::vector<std::size_t> parts_that_leave(const Request& request) {
  const auto& messages = request.index().messages;
  const auto& unread = request.index().unread;
  std::vector<std::size_t> parts;
  for (std::size_t i = 0; i < unread.size(); ++i) {
    const auto message = std::ranges::lower_bound(messages, unread[i].end, {},
                                                  [](const auto& one) { return one.value.end; });
    const auto at = static_cast<std::size_t>(message - messages.begin());
    const bool inside = message != messages.end() && message->value.begin <= unread[i].begin;
    if (!inside || !request.is_dropped(at)) parts.push_back(i);
  }
  return parts;
}

std::unexpected<Error> refuse(std::string message, std::string code) {
  auto refused =
      fail(ErrorKind::InvalidRequest, Origin::Client, std::move(message), std::move(code));
  refused.error().retryable = true;  // a target that may see it can answer
  return refused;
}

}  // namespace

struct PiiStage::State {
  bool looked = false;  // through the texts
  std::shared_ptr<StandIns> stand_ins;
  std::vector<std::pair<std::uint32_t, std::string>> rewritten;
  std::string blocked;           // kinds that no treated target may get, by their names
  std::optional<Error> trouble;  // the names model could not look at all of it
  std::array<std::array<std::uint32_t, kActions>, kKinds> found{};
  bool treated = false;  // whether the last attempt's target got stand-ins
  std::vector<std::pair<Lane, Restorer::Place>> lanes;

  Restorer::Place& place(const Lane& lane) {
    for (auto& [known, where] : lanes) {
      if (known == lane) return where;
    }
    const bool arguments = lane.channel == Channel::ToolArguments;
    return lanes.emplace_back(lane, Restorer::Place{.arguments = arguments}).second;
  }
};

// Each loop's own cells, asked for when first needed.
struct PiiStage::Counters {
  struct OfLoop {
    std::array<std::array<metrics::Counter*, kActions>, kKinds> found{};
    metrics::Counter* restored = nullptr;
  };
  metrics::Registry& registry;
  metrics::Family<metrics::Counter> found, restored;
  std::vector<OfLoop> loops;
};

PiiStage::PiiStage(SectionKey<Settings> key, SlotLayout& slots, metrics::Registry& metrics,
                   const Clock& clock, NamesModel& model, Secret secret)
    : key_(key),
      slot_(slots.add<std::unique_ptr<State>>()),
      conversations_(clock),
      model_(model),
      secret_(std::move(secret)),
      counters_(new Counters{
          metrics,
          metrics.counter({"causeway_pii_findings_total",
                           "Personal data found in requests, by kind and what was done with it.",
                           {"kind", "action"}}),
          metrics.counter({"causeway_pii_restored_total",
                           "Stand-ins that became the real words again in answers.",
                           {}}),
          std::vector<Counters::OfLoop>(static_cast<std::size_t>(metrics.loops()))}) {
  metrics.sampled(metrics::Kind::Gauge,
                  {"causeway_pii_conversations", "Named conversations with stand-ins.", {}},
                  [this](metrics::SampleSink& sink) {
                    sink.add({}, static_cast<double>(conversations_.size()));
                  });
}

PiiStage::~PiiStage() = default;

const Settings& PiiStage::settings(const Exchange& exchange) const {
  return exchange.policy->sections.get(key_);
}

bool PiiStage::enabled(const Sections& sections) const {
  return sections.get(key_).treatment != nullptr;
}

bool PiiStage::treats(const Exchange& exchange, const Target& target) const {
  return settings(exchange).targets == Treated::All || target.provider->zone() == Zone::External;
}

unsigned PiiStage::hooks_under(const Sections& sections) const {
  const auto& treatment = sections.get(key_).treatment;
  if (!treatment || !treatment->asks_model) return hooks();
  return (hooks() & ~unsigned{kOnRequest | kReadsTexts}) | kWaits;
}

// Null where no target gets treated texts.
Result<PiiStage::State*> PiiStage::begin(Exchange& exchange) {
  if (!exchange.model) return nullptr;
  const bool routed = std::ranges::any_of(exchange.model->rules, &Rule::asks_what_is_found);
  const auto treated = [&](const Target& target) { return treats(exchange, target); };
  if (!routed && !any_target(*exchange.model, treated)) return nullptr;
  auto& state = exchange.slot(slot_);
  state = std::make_unique<State>();
  const std::string_view conversation = exchange.head().find(kConversation).value_or("");
  if (conversation.size() > kMostName) {
    return fail(ErrorKind::InvalidRequest, Origin::Client,
                std::string(kConversation) + " may have 200 bytes.", "conversation_name");
  }
  state->stand_ins = conversation.empty() || !exchange.principal
                         ? std::make_shared<StandIns>()
                         : conversations_.find(owner(*exchange.principal), conversation);
  return state.get();
}

Verdict PiiStage::on_request(Exchange& exchange) {
  const auto state = begin(exchange);
  if (!state) return std::unexpected(state.error());
  if (*state) look_through(exchange, **state, nullptr);
  return go_on();
}

Task<Verdict> PiiStage::wait_request(Exchange& exchange) {
  const auto begun = begin(exchange);
  if (!begun) co_return std::unexpected(begun.error());
  State* state = *begun;
  if (!state) co_return go_on();
  ModelTexts texts;
  NamesModel::Post post = [loop = exchange.context->loop](std::move_only_function<void()> resume) {
    loop->post(std::move(resume));
  };
  std::move_only_function<void()> first = [&exchange, &texts] {
    auto all = exchange.request.texts();
    read_for_model(exchange.index, all, texts);
  };
  std::move_only_function<void()> last = [this, &exchange, &texts, state] {
    look_through(exchange, *state, &texts);
  };
  auto asked = co_await model_.run(texts.search, std::move(post), &exchange.cancel,
                                   std::move(first), std::move(last));
  // A target in the house may see what nobody has looked at.
  if (!asked && asked.error().kind == ErrorKind::Cancelled) co_return pass(std::move(asked));
  if (!asked) state->trouble = std::move(asked).error();
  co_return go_on();
}

void PiiStage::look_through(Exchange& exchange, State& state, ModelTexts* model) const {
  const Treatment& treatment = *settings(exchange).treatment;
  auto texts = exchange.request.texts();
  const auto found = find_all(treatment, exchange.index, texts, *state.stand_ins, model);
  for (const FoundIn& one : found) {
    for (const Finding& finding : one.findings) {
      const auto kind = static_cast<std::size_t>(finding.kind);
      const Action action = treatment.actions[kind];
      auto& number = state.found[kind][static_cast<std::size_t>(action)];
      if (number++ == 0 && action == Action::Block) {
        if (!state.blocked.empty()) state.blocked += ", ";
        state.blocked += pii::name_of(finding.kind);
      }
    }
  }
  if (state.blocked.empty()) {
    state.rewritten = rewrite_all(treatment, texts, found, secret_.reveal(), *state.stand_ins);
    if (settings(exchange).unread == Unread::Strip) {
      // What is in a part that is taken out goes with it.
      std::erase_if(state.rewritten, [&](const auto& one) {
        return is_within(texts[one.first].value(), exchange.index.unread);
      });
    }
  }
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    for (std::size_t action = 0; action < kActions; ++action) {
      const auto number = state.found[kind][action];
      if (number == 0) continue;
      exchange.fired.push_back({name(), pii::name_of(static_cast<Kind>(kind)),
                                name_of(static_cast<Action>(action)), number});
    }
  }
  exchange.searched = !treatment.asks_model || model;
  state.looked = true;
}

// On the loop, since each has its own counters.
void PiiStage::count(const Exchange& exchange, const State& state) const {
  const int loop = exchange.context->index;
  auto& cells = counters_->loops[static_cast<std::size_t>(loop)].found;
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    for (std::size_t action = 0; action < kActions; ++action) {
      if (state.found[kind][action] == 0) continue;
      const std::string_view found = pii::name_of(static_cast<Kind>(kind));
      const std::string_view done = name_of(static_cast<Action>(action));
      metrics::Counter*& cell = cells[kind][action];
      if (!cell) cell = &counters_->registry.cell(counters_->found, loop, {found, done});
      cell->add(state.found[kind][action]);
    }
  }
}

Verdict PiiStage::on_attempt(Exchange& exchange, Attempt& attempt) {
  State* state = exchange.slot(slot_).get();
  if (!state) return go_on();
  state->treated = false;
  state->lanes.clear();
  if (std::exchange(state->looked, false)) count(exchange, *state);
  if (!treats(exchange, *attempt.target)) return go_on();
  if (state->trouble) return std::unexpected(*state->trouble);
  if (!state->blocked.empty()) {
    return refuse("The request holds personal data that may not go to this model's provider: " +
                      state->blocked + ". Take it out, or ask a model that runs in the house.",
                  "pii_blocked");
  }
  if (auto verdict = treat_unread(exchange, attempt); !verdict) return verdict;
  if (auto verdict = treat_texts(exchange, *state, attempt); !verdict) return verdict;
  state->treated = true;
  return go_on();
}

// An attempt that is to say the rest of another's answer has that behind the conversation: beside
// the texts that were looked through, and in front of those that stand behind the messages.
Verdict PiiStage::treat_texts(const Exchange& exchange, const State& state,
                              Attempt& attempt) const {
  const std::size_t added = attempt.request.text_count() - exchange.request.text_count();
  if (added == 0) {
    for (const auto& [place, text] : state.rewritten) attempt.request.text(place).set(text);
    return go_on();
  }
  auto texts = attempt.request.texts();
  const auto is_last = [&](Text& text) {
    return text.value().empty() && text.where().message == exchange.index.messages.size();
  };
  const auto end = std::find_if(texts.rbegin(), texts.rend(), is_last).base();
  const auto begin = end - static_cast<std::ptrdiff_t>(added);
  std::vector<Text> last(begin, end);
  texts.erase(begin, end);
  for (const auto& [place, text] : state.rewritten) texts[place].set(text);
  return treat_added(exchange, state, last);
}

// The caller has got the real words: where there are any they cannot be told from what stands
// around them, nor is known in what (a link, a JSON text) the rest would put others.
Verdict PiiStage::treat_added(const Exchange& exchange, const State& state,
                              std::span<Text> added) const {
  const Treatment& treatment = *settings(exchange).treatment;
  const auto found = find_all(treatment, exchange.index, added, *state.stand_ins);
  const auto blocks = [&](const Finding& finding) {
    return treatment.actions[static_cast<std::size_t>(finding.kind)] == Action::Block;
  };
  const bool blocked = std::ranges::any_of(
      found, [&](const FoundIn& one) { return std::ranges::any_of(one.findings, blocks); });
  // What a target that sees everything has said would have to be shown to the model first.
  const bool unread =
      treatment.asks_model && std::ranges::any_of(exchange.attempts, [&](const Attempt& attempt) {
        return !treats(exchange, *attempt.target);
      });
  if (blocked || unread || (!added.empty() && !state.stand_ins->empty())) {
    return refuse("The answer up to here may hold personal data that may not go to this provider.",
                  "pii_blocked");
  }
  for (const auto& [place, text] :
       rewrite_all(treatment, added, found, secret_.reveal(), *state.stand_ins)) {
    added[place].set(text);
  }
  return go_on();
}

Verdict PiiStage::treat_unread(const Exchange& exchange, Attempt& attempt) const {
  const auto& index = exchange.index;
  const Unread unread = settings(exchange).unread;
  const bool opaque = exchange.operation->body != BodyKind::Json;
  const auto parts = parts_that_leave(attempt.request);
  const bool elsewhere = opaque || index.unread_elsewhere;
  if ((parts.empty() && !elsewhere) || unread == Unread::Pass) return go_on();
  if (unread == Unread::Refuse || elsewhere || index.left_out_part.empty()) {
    return refuse(
        "The request holds contents that cannot be searched for personal data (images, sounds, "
        "files, token ids or a provider's own path), and this policy lets none of them go to this "
        "model's provider.",
        "pii_unread");
  }
  for (const std::size_t part : parts) attempt.request.leave_out(part);
  return go_on();
}

bool PiiStage::watches(const Exchange& exchange) const {
  const State* state = const_cast<Exchange&>(exchange).slot(slot_).get();
  return state && state->treated && settings(exchange).restore && !state->stand_ins->empty();
}

Verdict PiiStage::on_event(Exchange& exchange, Event& event) {
  if (event.kind != EventKind::Text) return go_on();
  State& state = *exchange.slot(slot_);
  const Restorer restorer(*state.stand_ins, settings(exchange).restore_in_urls);
  // Thoughts go back signed: what is restored there must come back as it was.
  const bool exact = event.lane.channel == Channel::Reasoning;
  const std::size_t restored =
      restorer.run(*event.text, state.place(event.lane), event.last, exact);
  if (restored > 0) {
    const int loop = exchange.context->index;
    auto& cell = counters_->loops[static_cast<std::size_t>(loop)].restored;
    if (!cell) cell = &counters_->registry.cell(counters_->restored, loop);
    cell->add(restored);
  }
  return go_on();
}

}  // namespace causeway::pii
