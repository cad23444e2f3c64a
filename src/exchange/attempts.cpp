// The attempt loop: the only place that sends a request again.
#include <algorithm>

#include "core/exchange_record.h"
#include "core/lost_attempts.h"
#include "core/provider.h"
#include "core/stage.h"
#include "exchange/hooks.h"
#include "exchange/identity.h"
#include "exchange/judge.h"
#include "exchange/pass_through.h"
#include "exchange/run.h"
#include "exchange/stored_stream.h"
#include "exchange/translate.h"
#include "exchange/tries.h"
#include "platform/http/buffers_full.h"
#include "platform/net/loop.h"

namespace causeway::exchange {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostErrorBytes = 1024 * 1024;

std::unexpected<Error> no_time() {
  return fail(ErrorKind::Timeout, Origin::Us, "The request took longer than allowed.",
              "total_timeout");
}

// What is left of the policy's total, also as the upper bound of each single deadline.
Result<http::Timeouts> timeouts_left(const Run& run, const Provider& provider, Monotonic now) {
  const auto& policy = run.setting(run.keys.timeouts);
  http::Timeouts timeouts{policy.connect, policy.first_byte, policy.idle, policy.total};
  if (const auto* own = provider.timeouts()) timeouts = *own;
  const auto spent = std::chrono::duration_cast<milliseconds>(now - run.exchange.started);
  const auto left = std::min(timeouts.total, policy.total) - spent;
  if (left <= milliseconds(0)) return no_time();
  timeouts.total = left;
  return timeouts;
}

// Runs the hooks from the `next` one on, up to one that waits.
Verdict attempt_hooks(Exchange& exchange, Attempt& attempt, std::size_t& next) {
  const auto& hooks = exchange.policy->attempt;
  for (; next < hooks.size() && !hooks[next].waits && !attempt.stored; ++next) {
    note_run(exchange, hooks[next]);
    auto verdict = hooks[next].stage->on_attempt(exchange, attempt);
    if (ended(verdict)) return verdict;
  }
  return go_on();
}

// Where a stage has an answer, those behind it have nothing to do: nothing is sent.
Task<Verdict> all_attempt_hooks(Exchange& exchange, Attempt& attempt) {
  const auto& hooks = exchange.policy->attempt;
  std::size_t next = 0;
  auto verdict = attempt_hooks(exchange, attempt, next);
  while (!ended(verdict) && next < hooks.size() && !attempt.stored) {
    const Hook& hook = hooks[next++];
    note_run(exchange, hook);
    verdict = co_await hook.stage->wait_attempt(exchange, attempt);
    if (!ended(verdict)) verdict = attempt_hooks(exchange, attempt, next);
  }
  co_return verdict;
}

void tell_answering(Exchange& exchange, Attempt& attempt, const http::ResponseHead& head) {
  for (const Hook& hook : exchange.snapshot->pipeline->attempt_end) {
    if (exchange.stages_run >> hook.index & 1) hook.stage->on_answering(exchange, attempt, head);
  }
}

// The caller's fields that may go on, then ours. Views into `parent`, the head and the call.
std::vector<http::Field> request_fields(const Exchange& exchange, const Dialect& target,
                                        const Call& call, const TraceParent& parent) {
  std::vector<http::Field> fields;
  fields.reserve(8 + call.fields.size());
  if (exchange.operation->kind == OperationKind::PassThrough) {
    pass_all_fields(exchange.head().fields, call.fields, fields);
    fields.push_back({"accept-encoding", "identity"});
    fields.push_back({"traceparent", {parent.data(), parent.size()}});
    fields.insert(fields.end(), call.fields.begin(), call.fields.end());
    return fields;
  }
  const bool form = exchange.operation->body == BodyKind::Multipart;
  fields.push_back({"content-type",
                    form ? exchange.head().find("content-type").value_or("") : "application/json"});
  fields.push_back({"accept-encoding", "identity"});
  pass_fields(exchange.head().fields, exchange.operation->dialect->request_fields(), fields);
  for (const auto name : target.refused_fields(*exchange.operation)) {
    std::erase_if(fields, [name](const http::Field& field) { return field.name == name; });
  }
  fields.push_back({"traceparent", {parent.data(), parent.size()}});
  fields.insert(fields.end(), call.fields.begin(), call.fields.end());
  return fields;
}

bool is_encoded(const http::ResponseHead& head) {
  const auto encoding = head.find("content-encoding");
  return encoding && *encoding != "identity" && !encoding->empty();
}

bool has_events(const Attempt& attempt, const http::ResponseHead& head) {
  return head.find("content-type").value_or("").find(attempt.dialect->stream_type()) !=
         std::string_view::npos;
}

std::unexpected<Error> not_streamed() {
  auto broken =
      fail(ErrorKind::UpstreamBroken, Origin::Upstream,
           "The provider did not stream although it was asked to.", "upstream_not_streamed");
  broken.error().retryable = true;
  return broken;
}

// Models of speech answer as they can, whatever they were asked: the answer itself says which way.
Result<void> begin_events(Run& run, const Attempt& attempt, const http::ResponseHead& head) {
  const bool events = has_events(attempt, head);
  if (!events && run.head_begun) return not_streamed();
  const Operation& operation = *run.exchange.operation;
  run.exchange.outcome.streamed = events;
  run.writer.reset();
  if (!events) return {};
  run.writer = operation.dialect->writer(operation, {true, !run.exchange.policy->event.empty()});
  return {};
}

Result<void> check_head(const Run& run, const Attempt& attempt, const http::ResponseHead& head) {
  if (is_encoded(head)) {
    auto broken = fail(ErrorKind::UpstreamBroken, Origin::Upstream,
                       "The provider sent an encoded answer although it was asked not to.",
                       "upstream_encoded");
    broken.error().retryable = true;
    return broken;
  }
  if (run.exchange.index.stream && run.writer && !has_events(attempt, head)) return not_streamed();
  return {};
}

// What one call sends; it must stay where it is until the call has returned.
struct Sending {
  Spans body;
  std::unique_ptr<http::BodySource> source;  // in the place of `body`
  TraceParent parent;
  std::vector<http::Field> fields;
  http::ClientRequest request;

  Sending(Run& run, const Attempt& attempt, const Call& call, const http::Timeouts& timeouts)
      : parent(traceparent(
            run.exchange, attempt_span_id(run.exchange.span_id, run.exchange.attempts.size() - 1))),
        fields(request_fields(run.exchange, *attempt.dialect, call, parent)) {
    Exchange& exchange = run.exchange;
    if (exchange.operation->body == BodyKind::Opaque) {
      request.method = exchange.head().method_text;
      source = passing_body(exchange);
    } else if (run.upload) {
      source = run.upload->as_sent(run.model_part, attempt.target->upstream_model);
    } else if (attempt.translated.empty()) {
      attempt.request.bytes(body);
    } else {
      body.push_back(attempt.translated);
    }
    request.target = call.target;
    request.fields = fields;
    request.body = body;
    request.source = source.get();
    request.timeouts = timeouts;
  }
  Sending(const Sending&) = delete;
};

// The body that the target gets in this dialect.
Result<void> prepare(const Run& run, Attempt& attempt, const Dialect& dialect) {
  const Exchange& exchange = run.exchange;
  const Provider& provider = *attempt.target->provider;
  const Operation& operation = *exchange.operation;
  const std::string& model = attempt.target->upstream_model;
  attempt.dialect = &dialect;
  if (operation.kind == OperationKind::PassThrough) return {};
  if (!attempt.dialect->takes(operation)) return translate(run, attempt);
  if (operation.body == BodyKind::Multipart) return {};
  if (operation.kind == OperationKind::Chat && !exchange.index.has_system_prompt) {
    const std::string prompt = provider.default_system_prompt(model);
    if (!prompt.empty()) {
      if (auto put = attempt.request.insert(0, Message{Role::System, prompt}); !put) return put;
    }
  }
  attempt.dialect->address(operation, model, provider.reports_usage(), attempt.request);
  if (attempt.logprobs) attempt.dialect->ask_for_logprobs(attempt.request);
  return {};
}

Task<Result<void>> prepare_on_cpu(Run& run, Attempt& attempt, const Dialect& dialect) {
  Work work = [&] { return pass_on(prepare(run, attempt, dialect)); };
  auto prepared = co_await on_cpu(run.exchange, std::move(work));
  if (!prepared) co_return pass(std::move(prepared));
  co_return Result<void>{};
}

Task<Result<void>> deliver(Run& run, Attempt& attempt, http::ClientStream& answer) {
  if (run.upload) {
    if (auto begun = begin_events(run, attempt, answer.head()); !begun) co_return begun;
  }
  if (auto checked = check_head(run, attempt, answer.head()); !checked) co_return checked;
  if (run.writer) co_return co_await deliver_stream(run, attempt, answer);
  co_return co_await deliver_whole(run, attempt, answer);
}

// Sent once: also where an idle connection turns out to be closed, nobody knows what the provider
// has made of the request.
Task<Result<void>> try_target(Run& run, Attempt& attempt) {
  Exchange& exchange = run.exchange;
  const Provider& provider = *attempt.target->provider;
  Verdict verdict = go_on();
  if (run.goes_on()) {
    const auto tokens = run.estimates.tokens(attempt.target->key, run.told->text().size());
    if (auto asked = ask_for_rest(*run.told, tokens, attempt); !asked) co_return asked;
  }
  if (exchange.policy->attempt_waits) {
    verdict = co_await all_attempt_hooks(exchange, attempt);
  } else {
    std::size_t next = 0;
    verdict = attempt_hooks(exchange, attempt, next);
  }
  run.queued += attempt.queued;
  if (!verdict) co_return pass(std::move(verdict));
  const Operation& operation = *exchange.operation;
  const Dialect& dialect = provider.dialect(operation, *attempt.target);
  const bool translates = !dialect.takes(operation);
  if (translates && operation.kind == OperationKind::CountTokens) {
    co_return co_await answer_count(run, attempt);
  }
  if (!run.goes_on()) begin_judging(run, attempt, dialect);
  // A chat that is not translated gets a few edits; other bodies may be written anew, with the
  // model's name in many places.
  const bool rewrites = translates || operation.kind != OperationKind::Chat;
  const bool large = rewrites && exchange.index.body.size() > kLargeBytes;
  auto prepared = large ? Result<void>() : prepare(run, attempt, dialect);
  if (large) prepared = co_await prepare_on_cpu(run, attempt, dialect);
  if (!prepared) co_return prepared;
  if (attempt.stored) {
    StoredStream answer(*attempt.stored);
    run.asked = run.now();
    exchange.cost_micros = (cost_before_last(exchange) + 500) / 1000;
    co_return co_await deliver(run, attempt, answer);
  }
  Result<Call> call;
  if (provider.waits()) {
    call = co_await provider.wait_address(exchange, attempt);
  } else {
    call = provider.address(exchange, attempt);
  }
  if (!call) co_return pass(std::move(call));
  if (call->dialect) {
    prepared = co_await prepare_on_cpu(run, attempt, *call->dialect);
    if (!prepared) co_return prepared;
  }
  if (!hold(run, attempt, 0)) co_return http::buffers_full();
  const bool passes_through = operation.kind == OperationKind::PassThrough;
  if (passes_through) {
    if (auto aimed = aim(exchange, provider, *call); !aimed) co_return aimed;
  }
  run.asked = run.now();
  auto timeouts = timeouts_left(run, provider, run.asked);
  if (!timeouts) co_return pass(std::move(timeouts));
  const Sending sending(run, attempt, *call, *timeouts);
  attempt.sent = true;
  auto upstream =
      co_await exchange.context->client->call(*call->endpoint, sending.request, exchange.cancel);
  attempt.waited = run.now() - run.asked;
  if (!upstream) {
    run.heard();
    co_return pass(std::move(upstream));
  }
  http::ClientStream& answer = **upstream;
  attempt.connecting = answer.connecting();
  if (answer.head().status < 400) tell_answering(exchange, attempt, answer.head());
  if (passes_through) co_return co_await deliver_as_it_comes(run, attempt, answer);
  const int status = answer.head().status;
  if (status < 200 || status > 299) {
    auto text = co_await answer.read_all(kMostErrorBytes);
    run.heard();
    co_return std::unexpected(provider.classify(*attempt.dialect, status, answer.head().fields,
                                                text ? *text : std::string_view()));
  }
  if (attempt.tap) {
    attempt.tap->answer.content_type = answer.head().find("content-type").value_or("");
    attempt.tap->answer.streamed = has_events(attempt, answer.head());
  }
  co_return co_await deliver(run, attempt, answer);
}

// The caller left before anything came: the provider has had the prompt all the same.
bool left_unanswered(const Attempt& attempt) {
  return attempt.sent && attempt.end == AttemptEnd::Cancelled;
}

// Of an answer that was kept back and not read.
std::uint64_t tokens_judged(const Attempt& attempt) {
  return attempt.logprobs ? attempt.logprobs->tokens() : 0;
}

void estimate_usage(Run& run, Attempt& attempt) {
  if (run.upload) return;  // its tokens are of sounds
  if (attempt.usage.source == UsageSource::Reported) return;
  const std::uint64_t target = attempt.target->key;
  attempt.usage.source = UsageSource::Estimated;  // also of what is given again
  attempt.usage.input_uncached = run.estimates.tokens(target, attempt.request.text_bytes());
  if (run.content_bytes > 0) {
    attempt.usage.output_visible = run.estimates.tokens(target, run.content_bytes);
  } else {
    attempt.usage.output_visible = static_cast<std::uint32_t>(tokens_judged(attempt));
  }
}

// Once: what has been settled stays as it is.
void know_usage(Run& run, Attempt& attempt) {
  if (run.settled) return;
  Exchange& exchange = run.exchange;
  const bool known = exchange.outcome.usage.source == UsageSource::Reported;
  const bool embeds = exchange.operation->kind == OperationKind::Embeddings;
  if (run.content_bytes > 0 || embeds || left_unanswered(attempt)) estimate_usage(run, attempt);
  if (attempt.stored) {
    exchange.outcome.saved = attempt.usage;
    return;
  }
  exchange.outcome.usage = attempt.usage;
  if (known || attempt.usage.source == UsageSource::None) return;
  for (const Hook& hook : exchange.snapshot->pipeline->usage) {
    exchange.stages_run |= std::uint64_t{1} << hook.index;
    hook.stage->on_usage(exchange, exchange.outcome.usage);
  }
}

void finish_attempt(Run& run, Attempt& attempt, const Result<void>& result) {
  Exchange& exchange = run.exchange;
  attempt.took = run.now() - attempt.started;
  if (!run.goes_on()) {
    exchange.outcome.upstream = run.waited;
    exchange.outcome.queued = run.queued;
  }
  if (result) {
    attempt.end = attempt.stored ? AttemptEnd::Stored : AttemptEnd::Answered;
  } else {
    if (attempt.end == AttemptEnd::Running) {
      attempt.end =
          result.error().kind == ErrorKind::Cancelled ? AttemptEnd::Cancelled : AttemptEnd::Failed;
    }
    attempt.error = result.error();
    std::string().swap(attempt.translated);  // of no use to the next one
  }
  if (run.content_sent || result || left_unanswered(attempt)) {
    know_usage(run, attempt);
  } else if (attempt.sent && (run.content_bytes > 0 || tokens_judged(attempt) > 0)) {
    estimate_usage(run, attempt);  // nobody gets it, and it is paid for
  }
  for (const Hook& hook : exchange.snapshot->pipeline->attempt_end) {
    if (exchange.stages_run >> hook.index & 1) hook.stage->on_attempt_end(exchange, attempt);
  }
}

// A caller that leaves meanwhile is noticed after this much.
constexpr milliseconds kLook{50};

// What a target makes the request wait for is no time of ours.
Task<void> pause(Run& run, milliseconds time) {
  Exchange& exchange = run.exchange;
  if (!exchange.context->loop) co_return;
  const Monotonic began = run.now();
  while (time > milliseconds(0)) {
    if (exchange.cancel.requested()) break;
    const auto part = std::min(time, kLook);
    co_await exchange.context->loop->sleep(part);
    time -= part;
  }
  run.waited += run.now() - began;
}

milliseconds time_left(const Run& run) {
  const auto spent = run.now() - run.exchange.started;
  return std::chrono::floor<milliseconds>(run.setting(run.keys.timeouts).total - spent);
}

// Whether the last attempt is one more that was skipped, as one before it of the same target.
bool skipped_before(const Exchange& exchange) {
  const Attempt& last = exchange.attempts.back();
  return last.end == AttemptEnd::Skipped &&
         std::any_of(exchange.attempts.begin(), exchange.attempts.end() - 1,
                     [&](const Attempt& one) {
                       return one.end == AttemptEnd::Skipped && one.target == last.target;
                     });
}

Attempt& begin_attempt(Run& run, const Target& target) {
  Attempt& attempt = run.exchange.attempts.emplace_back();
  attempt.target = &target;
  attempt.request = run.exchange.request.fork();
  attempt.started = run.now();
  run.content_bytes = 0;
  run.exchange.outcome.usage = {};  // of one that failed
  return attempt;
}

// Of several attempts' errors the caller is told the last that came from a target; what was not
// even asked since it rests says less.
Result<void> telling(const Exchange& exchange, Result<void> last) {
  const auto& attempts = exchange.attempts;
  if (attempts.empty() || attempts.back().end != AttemptEnd::Skipped) return last;
  for (auto at = attempts.rbegin(); at != attempts.rend(); ++at) {
    if (at->end != AttemptEnd::Skipped && at->error) return std::unexpected(*at->error);
  }
  return last;
}

// The answer had begun: what went wrong is said inside it.
Task<void> fail_in_band(Run& run, Error error) {
  Exchange& exchange = run.exchange;
  exchange.outcome.status = 200;
  run.note_end(error);
  if (run.writer && !exchange.outcome.cut_by_client && !run.draining) {
    Bytes bytes;
    run.writer->error(error, exchange.id, bytes);
    if (co_await send(run, bytes)) {
      (void)co_await run.stream.finish();
    } else {
      run.stream.abort();
    }
  } else {
    run.stream.abort();
  }
  exchange.outcome.error = std::move(error);
}

}  // namespace

void settle_answer(Run& run, Attempt& attempt) {
  know_usage(run, attempt);
  settle(run);
}

Task<Result<void>> run_attempts(Run& run) {
  Exchange& exchange = run.exchange;
  const auto& operation = *exchange.operation;
  exchange.outcome.streamed = exchange.index.stream && streams(operation.kind);
  if (exchange.outcome.streamed) {
    WriterSettings settings{exchange.index.usage_wanted, !exchange.policy->event.empty(),
                            hides_logprobs(exchange)};
    run.writer = operation.dialect->writer(operation, settings);
  }
  Result<void> result = fail(ErrorKind::Unavailable, Origin::Us,
                             "No target is available for this model.", "no_target");
  exchange.attempts.reserve(exchange.targets.size());
  const RetrySettings& settings = run.setting(run.keys.retries);
  if (settings.goes_on && exchange.outcome.streamed && operation.kind == OperationKind::Chat) {
    run.told = Told::make(*operation.dialect, settings);
  }
  Tries tries(exchange, settings, run.retries);
  for (const Target* target = tries.first(run.now()); target;) {
    if (exchange.cancel.requested()) {
      auto left = fail(ErrorKind::Cancelled, Origin::Client, "The caller left.");
      if (!run.goes_on()) co_return left;
      co_await fail_in_band(run, std::move(left).error());
      co_return Result<void>{};
    }
    Attempt& attempt = begin_attempt(run, *target);
    result = co_await try_target(run, attempt);
    finish_attempt(run, attempt, result);
    if (result) co_return result;
    if (run.content_sent) {
      const bool goes_on = co_await may_go_on(run, result.error());
      if (!goes_on) break;
      go_on_elsewhere(run, attempt);
    }
    const auto next = tries.after(attempt, run.now(), time_left(run));
    if (!next.target) break;
    // Of one that waits for targets that rest, only the first look at each is noted.
    if (skipped_before(exchange)) exchange.attempts.pop_back();
    if (next.wait > milliseconds(0)) co_await pause(run, next.wait);
    target = next.target;
  }
  if (!run.content_sent) result = telling(exchange, std::move(result));
  if (!run.content_sent && !run.goes_on()) co_return result;
  co_await fail_in_band(run, std::move(result).error());
  co_return Result<void>{};
}

}  // namespace causeway::exchange
