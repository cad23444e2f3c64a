#include "exchange/runner.h"

#include <algorithm>

#include "core/error.h"
#include "exchange/hooks.h"
#include "exchange/run.h"
#include "platform/http/cohort.h"
#include "platform/text/ascii.h"
#include "platform/text/number.h"

namespace causeway::exchange {
namespace {

constexpr std::size_t kSpareExchanges = 256;
constexpr std::size_t kKeptIndexEntries = 1024;  // a larger index is given back to the allocator

// application/json, or a type that says it is JSON underneath; nothing said counts as JSON.
bool is_json(std::string_view content_type) {
  if (content_type == "application/json") return true;
  const auto type = text::trim(content_type.substr(0, content_type.find(';')));
  return content_type.empty() || text::equals_ignore_case(type, "application/json") ||
         text::ends_with_ignore_case(type, "+json");
}

std::unexpected<Error> no_such_path(Exchange& exchange, const Operations::Match& match) {
  const auto& head = exchange.head();
  if (!match.other_method) {
    return fail(
        ErrorKind::NotFound, Origin::Client,
        "There is nothing at " + std::string(head.path.substr(0, 200)) + ". Base URLs end in /v1.",
        "unknown_path");
  }
  return fail(ErrorKind::MethodNotAllowed, Origin::Client,
              std::string(head.path.substr(0, 200)) + " does not take " +
                  std::string(head.method_text.substr(0, 20)) + "; use " +
                  std::string(http::to_string(match.other_method->method)) + ".");
}

std::string_view address_of(const Exchange& exchange) {
  const std::string_view peer = exchange.stream->peer();
  const auto& proxies = exchange.snapshot->trusted_proxies;
  if (proxies.empty()) return peer;
  return net::client_address(peer, exchange.head().find("x-forwarded-for").value_or(""), proxies);
}

bool asks_for_websocket(const http::RequestHead& head) {
  return text::equals_ignore_case(text::trim(head.find("upgrade").value_or("")), "websocket");
}

std::unexpected<Error> no_websocket() {
  return fail(
      ErrorKind::NotImplemented, Origin::Us,
      "WebSocket connections are not served here. Send HTTP requests; those with \"stream\": "
      "true are answered event by event.",
      "websocket_not_served");
}

Verdict head_hooks(Exchange& exchange) {
  Laps laps(exchange);
  for (const Hook& hook : exchange.snapshot->pipeline->head) {
    note_run(exchange, hook);
    auto verdict = hook.stage->on_head(exchange);
    laps.end(hook, verdict);
    if (ended(verdict)) return verdict;
  }
  return go_on();
}

Result<void> check_media(const Exchange& exchange) {
  const auto& head = exchange.head();
  if (exchange.operation->body == BodyKind::Json &&
      !is_json(head.find("content-type").value_or(""))) {
    return fail(ErrorKind::UnsupportedMedia, Origin::Client,
                "The body must be JSON: send Content-Type: application/json.");
  }
  if (head.find("content-encoding").value_or("identity") != "identity") {
    return fail(ErrorKind::UnsupportedMedia, Origin::Client,
                "Encoded request bodies are not read here; send it without Content-Encoding.");
  }
  return {};
}

Task<Result<void>> read_form(Run& run) {
  Exchange& exchange = run.exchange;
  run.upload = std::make_unique<Upload>(*exchange.context);
  auto read = co_await run.upload->read(run.stream, exchange.snapshot->max_upload_bytes);
  exchange.outcome.request_bytes = run.upload->size();
  if (!read) co_return read;
  const Operation& operation = *exchange.operation;
  auto part = operation.dialect->read_form(operation, run.upload->parts(), exchange.index);
  if (!part) co_return pass(std::move(part));
  run.model_part = *part;
  exchange.request = Request(exchange.index);
  co_return Result<void>{};
}

[[gnu::cold]] void begin_internal(Exchange& exchange, const Runner::Internal& internal) {
  exchange.principal = internal.principal;
  exchange.internal = true;
  exchange.explain = internal.explain;
  exchange.depth = internal.depth;
}

void tell_sent(const Exchange& exchange, Sent& sent) {
  sent.request_id = exchange.id;
  if (exchange.attempts.empty()) return;
  const Attempt& last = exchange.attempts.back();
  sent.provider = last.target->provider->name();
  sent.model = last.target->upstream_model;
  Spans spans;
  if (last.translated.empty()) {
    last.request.bytes(spans);
  } else {
    spans.push_back(last.translated);
  }
  for (const std::string_view span : spans) {
    sent.body += span.substr(0, Sent::kMost - sent.body.size());
  }
}

[[gnu::cold]] void end_internal(Exchange& exchange, Runner::Internal& internal) {
  if (internal.sent) tell_sent(exchange, *internal.sent);
  internal.error = std::move(exchange.outcome.error);
}

[[gnu::cold]] Error shutting_down() {
  return fail(ErrorKind::Unavailable, Origin::Us,
              "This gateway was shut down before the answer had come to its end.", "shutting_down")
      .error();
}

}  // namespace

Runner::Runner(LoopContext& context, Pinned<Snapshot>& snapshots, SettingKeys keys)
    : context_(context), snapshots_(snapshots), keys_(keys) {
  context_.estimates = &estimates_;
}
Runner::~Runner() = default;

std::unique_ptr<Exchange> Runner::take_exchange() {
  const Pipeline* pipeline = snapshots_.current().pipeline;
  if (spare_of_ != pipeline) {
    spare_.clear();
    spare_of_ = pipeline;
  }
  if (spare_.empty()) return std::make_unique<Exchange>(pipeline->slots);
  auto exchange = std::move(spare_.back());
  spare_.pop_back();
  return exchange;
}

Task<void> Runner::serve(http::ServerStream& stream) { return serve_as(stream, nullptr); }

Task<void> Runner::serve_internal(http::ServerStream& stream, Internal& internal) {
  return serve_as(stream, &internal);
}

Task<void> Runner::serve_as(http::ServerStream& stream, Internal* internal) {
  const auto snapshot = snapshots_.pin();
  auto owned = take_exchange();
  Exchange& exchange = *owned;
  exchange.stream = &stream;
  exchange.context = &context_;
  exchange.snapshot = &*snapshot;
  exchange.started = context_.clock->now();
  exchange.started_wall = context_.clock->wall();
  exchange.address = address_of(exchange);
  if (internal) begin_internal(exchange, *internal);
  exchange.stages_run = snapshot->pipeline->always;
  name_exchange(exchange, ids_);

  Run state{exchange, stream, keys_, estimates_, retries_, {}};
  state.last_write = exchange.started;
  if (internal) state.sent = internal->sent;
  runs_.push_back(&state);
  // Until a policy says otherwise, a client that leaves ends everything at once; so does an asker
  // inside the program, which goes on only when the exchange has ended.
  stream.on_gone([&state] {
    Exchange& gone = state.exchange;
    if (gone.policy && !gone.internal &&
        state.setting(state.keys.disconnects).then == Disconnect::Drain && !gone.attempts.empty()) {
      state.draining = true;
    } else {
      gone.cancel.request();
    }
  });
  co_await run(state);
  stream.on_gone(nullptr);
  co_await together(context_.loop, http::Cohort::Ends, 0);
  done(state);
  if (internal) end_internal(exchange, *internal);
  std::erase(runs_, &state);

  exchange.reset();
  const bool large = exchange.index.texts.capacity() > kKeptIndexEntries;
  if (!large && spare_.size() < kSpareExchanges && spare_of_ == snapshot->pipeline) {
    spare_.push_back(std::move(owned));
  }
}

Task<void> Runner::run(Run& state) {
  Exchange& exchange = state.exchange;
  const auto& head = exchange.head();
  const auto match =
      exchange.snapshot->operations.find(head.method, head.path, head.fields, head.query);
  exchange.operation = match.operation ? match.operation : match.other_method;
  exchange.argument = match.argument;
  if (asks_for_websocket(head)) co_return co_await end_with(state, no_websocket());
  if (!match.operation) {
    co_return co_await end_with(state, no_such_path(exchange, match));
  }
  Verdict verdict = head_hooks(exchange);
  if (!ended(verdict)) {
    verdict = pass_on(exchange.operation->dialect->check_head(*exchange.operation, head));
  }
  std::size_t next_hook = 0;
  const BodyKind kind = exchange.operation->body;
  if (!ended(verdict) && (kind == BodyKind::Json || kind == BodyKind::Multipart)) {
    verdict = pass_on(check_media(exchange));
    if (!ended(verdict) && kind == BodyKind::Json) {
      auto body = co_await state.stream.read_body(exchange.snapshot->max_body_bytes);
      co_await together(context_.loop, http::Cohort::Bodies, body ? body->size() : 0);
      if (!body) {
        verdict = pass(std::move(body));
      } else if (body->size() > kLargeBytes) {
        verdict = co_await begin_large(state, *body, next_hook);
      } else {
        verdict = pass_on(read_request(exchange, *body));
      }
    }
  }
  if (!ended(verdict) && kind == BodyKind::Multipart) {
    auto form = read_form(state);
    verdict = pass_on(co_await std::move(form));
  }
  if (!ended(verdict) && kind == BodyKind::Opaque) {
    exchange.request = Request(exchange.index);  // without anything in it
  }
  co_await together(context_.loop, http::Cohort::Calls, exchange.outcome.request_bytes);
  Laps laps(exchange);
  for (; !ended(verdict); ++next_hook) {
    const Hook* hook = request_hook(exchange, next_hook);
    if (!hook) break;
    note_run(exchange, *hook);
    // Not `?:` around co_await: g++ 12 destroys what the branch not taken did not make.
    if (hook->waits) {
      verdict = co_await hook->stage->wait_request(exchange);
    } else {
      verdict = hook->stage->on_request(exchange);
    }
    laps.end(*hook, verdict);
  }
  if (!ended(verdict)) {
    if (is_local(*exchange.operation)) {
      verdict = answer_locally(exchange);
    } else {
      auto answered = co_await run_attempts(state);
      if (answered) co_return;
      verdict = pass(std::move(answered));
    }
  }
  co_await end_with(state, std::move(verdict));
}

// Everything that is not a model's answer ends here: a stage's reply, an answer of our own, an
// error.
Task<void> Runner::end_with(Run& state, Verdict verdict) {
  Exchange& exchange = state.exchange;
  const Dialect* dialect = exchange.operation
                               ? exchange.operation->dialect
                               : exchange.snapshot->operations.dialect_of(exchange.head().path);
  if (!verdict && state.head_begun) {
    // A heartbeat has fixed status 200: the error goes into the stream.
    Bytes bytes;
    state.writer->error(verdict.error(), exchange.id, bytes);
    exchange.outcome.error = std::move(verdict).error();
    exchange.outcome.status = 200;
    if (co_await send(state, bytes)) (void)co_await state.stream.finish();
    co_return;
  }
  Reply reply;
  std::string wait;
  if (!verdict) {
    Error error = std::move(verdict).error();
    state.note_end(error);
    reply.status = http_status(error);
    if (dialect) reply.body = dialect->error_body(error, exchange.id);
    if (error.retry_after) {
      const auto seconds = (error.retry_after->count() + 999) / 1000;
      text::append_int(wait, std::max<std::int64_t>(seconds, 1));
    }
    exchange.outcome.error = std::move(error);
  } else {
    reply = std::move(**verdict);
    if (!reply.text.empty()) co_return co_await say(state, reply.text);
  }
  exchange.outcome.status = reply.status;
  if (exchange.outcome.cut_by_client) co_return;
  std::vector<http::Field> fields{{"content-type", reply.content_type}};
  FieldStorage storage;
  answer_fields(exchange, nullptr, {}, fields, storage);
  if (!wait.empty()) fields.push_back({"retry-after", wait});
  // OpenAI's clients ask again after every 5xx that does not say this.
  if (reply.status == 501) fields.push_back({"x-should-retry", "false"});
  const std::string_view pieces[] = {reply.body};
  exchange.outcome.answer_bytes = reply.body.size();
  const auto sent = co_await state.stream.reply(reply.status, fields, pieces);
  if (!sent) exchange.outcome.cut_by_client |= sent.error().kind == ErrorKind::Cancelled;
}

void Run::note_end(Error& error) const {
  if (error.kind != ErrorKind::Cancelled) return;
  if (shut_down) {
    error = shutting_down();
  } else {
    exchange.outcome.cut_by_client = true;
  }
}

void settle(Run& run) {
  if (std::exchange(run.settled, true)) return;
  Exchange& exchange = run.exchange;
  exchange.outcome.total = run.now() - exchange.started;
  for (const Hook& hook : exchange.snapshot->pipeline->settle) {
    if (exchange.stages_run >> hook.index & 1) hook.stage->on_settle(exchange, exchange.outcome);
  }
}

void Runner::done(Run& state) {
  Exchange& exchange = state.exchange;
  Outcome& outcome = exchange.outcome;
  if (outcome.cut_by_client && state.shut_down) {
    outcome.cut_by_client = false;
    outcome.error = shutting_down();
    if (outcome.status == 0) outcome.status = http_status(*outcome.error);
  }
  if (outcome.cut_by_client) outcome.status = 499;
  settle(state);
  outcome.total = state.now() - exchange.started;
  if (outcome.until_answer() == outcome.total) outcome.caller = state.stream.waited();
  for (const Hook& hook : exchange.snapshot->pipeline->done) {
    if (exchange.stages_run >> hook.index & 1) hook.stage->on_done(exchange, outcome);
  }
}

// A request to stop may end that exchange, and others, at once.
void Runner::cancel_all() {
  const std::vector<Run*> all = runs_;
  for (Run* one : all) {
    if (std::ranges::find(runs_, one) == runs_.end()) continue;
    one->shut_down |= !one->draining && !one->exchange.cancel.requested();
    one->exchange.cancel.request();
  }
}

void Runner::tick() {
  for (std::size_t i = 0; i < runs_.size(); ++i) beat(*runs_[i]);
}

}  // namespace causeway::exchange
