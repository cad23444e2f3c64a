#include "exchange/judge.h"

#include <algorithm>

#include "exchange/translate.h"

namespace causeway::exchange {
namespace {

constexpr std::size_t kPadding = 64;  // readable bytes that readers want behind a text

std::unexpected<Error> unsure(const Attempt& attempt) {
  auto error = fail(ErrorKind::Unavailable, Origin::Us,
                    "The answer of this model's first target was thrown away, since it was not "
                    "sure of it, and no other one answered.",
                    "unsure_answer");
  error.error().retryable = true;
  error.error().detail = attempt.target->name;
  return error;
}

bool was_unsure(const Run& run, Attempt& attempt) {
  // Of what tells no probabilities nothing is known: it is an answer like others.
  if (attempt.logprobs->tokens() == 0) return false;
  run.exchange.confidence = attempt.logprobs->confidence();
  if (*run.exchange.confidence >= run.exchange.escalate->below) return false;
  attempt.end = AttemptEnd::Unsure;
  return true;
}

void take_usage(Attempt& attempt, const Frame& frame) {
  const auto told = [](const Event& event) { return event.kind == EventKind::Usage; };
  if (std::ranges::any_of(frame.events, told)) attempt.usage = frame.usage;
}

}  // namespace

void begin_judging(const Run& run, Attempt& attempt, const Dialect& dialect) {
  const Exchange& exchange = run.exchange;
  if (!exchange.escalate || attempt.stored || attempt.target->place != 0) return;
  if (exchange.operation->kind != OperationKind::Chat || exchange.index.has_tools) return;
  const auto& attempts = exchange.attempts;
  const auto thrown_away = [](const Attempt& one) { return one.end == AttemptEnd::Unsure; };
  if (std::ranges::any_of(attempts, thrown_away)) return;
  const auto is_left = [&](const Target* target) {
    return target->place != 0 &&
           std::ranges::find(attempts, target, &Attempt::target) == attempts.end();
  };
  if (std::ranges::any_of(exchange.targets, is_left)) attempt.logprobs = dialect.logprob_reader();
}

Result<void> judge_whole(Run& run, Attempt& attempt, std::string_view body, const Frame& frame) {
  if (!attempt.logprobs) return {};
  attempt.logprobs->whole(body);
  if (!was_unsure(run, attempt)) return {};
  take_usage(attempt, frame);
  return unsure(attempt);
}

Held::Held(Run& run, Attempt& attempt)
    : run_(run), attempt_(attempt), open_(attempt.logprobs != nullptr) {}

bool Held::enough() const {
  const std::uint32_t tokens = run_.exchange.escalate->tokens;
  return attempt_.logprobs->ended() || (tokens > 0 && attempt_.logprobs->tokens() >= tokens) ||
         bytes_.size() > run_.exchange.snapshot->max_answer_bytes || run_.draining;
}

Result<bool> Held::take(std::string_view& piece) {
  bytes_ += piece;
  attempt_.logprobs->feed(piece);
  if (!enough()) return false;
  open_ = false;
  const std::size_t size = bytes_.size();
  bytes_.append(kPadding, '\0');
  piece = {bytes_.data(), size};
  if (run_.draining || !was_unsure(run_, attempt_)) return true;
  read_usage();
  return unsure(attempt_);
}

// What the provider has told until here; where that is nothing, its tokens were counted.
void Held::read_usage() {
  const auto reader = make_reader(run_, attempt_);
  reader->feed({bytes_.data(), bytes_.size() - kPadding});
  Frame frame;
  for (auto more = reader->next(frame); more && *more; more = reader->next(frame)) {
    take_usage(attempt_, frame);
  }
}

}  // namespace causeway::exchange
