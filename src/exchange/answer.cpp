// Passing an answer on: whole, or event by event with hold-back, heartbeat and back-pressure.
#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "core/provider.h"
#include "core/stage.h"
#include "exchange/judge.h"
#include "exchange/lanes.h"
#include "exchange/run.h"
#include "exchange/translate.h"
#include "platform/http/buffers_full.h"
#include "platform/http/cohort.h"
#include "platform/net/loop.h"
#include "platform/text/number.h"

namespace causeway::exchange {
namespace {

constexpr std::size_t kMostPreludeBytes = 256 * 1024;  // held before the first content
constexpr std::size_t kUncounted = 32 * 1024;          // what every exchange may have

std::unexpected<Error> broken(std::string message, std::string code) {
  auto result =
      fail(ErrorKind::UpstreamBroken, Origin::Upstream, std::move(message), std::move(code));
  result.error().retryable = true;
  return result;
}

std::unexpected<Error> cut() {
  return broken("The provider's answer was cut before its end.", "upstream_cut");
}

std::unexpected<Error> empty() {
  return broken("The provider's answer has nothing in it.", "unexpected_answer");
}

bool has_stop(const Frame& frame) {
  return std::ranges::any_of(frame.events,
                             [](const Event& event) { return event.kind == EventKind::Stop; });
}

// A whole answer that is JSON, and of which its reader knows nothing. A model may say nothing; then
// it has stopped, and says why.
bool tells_nothing(OperationKind kind, const Frame& frame) {
  const bool must = streams(kind) || kind == OperationKind::Embeddings ||
                    kind == OperationKind::CountTokens || kind == OperationKind::Moderation;
  return must && !frame.has_content && !has_stop(frame);
}

// A JSON string as it stands; names of models have no escapes.
std::uint8_t keep_name(std::string_view json, std::span<char> to) {
  if (json.size() < 2 || json.front() != '"') return 0;
  return static_cast<std::uint8_t>(json.substr(1, json.size() - 2).copy(to.data(), to.size()));
}

void note_maker(Attempt& attempt, const Frame& frame) {
  const auto value = [&](ByteRange range) {
    return frame.data.substr(range.begin, range.end - range.begin);
  };
  MadeBy& made_by = attempt.made_by;
  made_by.model_size = keep_name(value(frame.model), made_by.model_bytes);
  made_by.fingerprint_size = keep_name(value(frame.fingerprint), made_by.fingerprint_bytes);
}

[[gnu::cold]] void tell_answer(const Frame& frame, Sent& sent) {
  for (const Event& event : frame.events) {
    if (event.kind != EventKind::Text || event.lane != Lane{} || event.repeats) continue;
    std::string storage;
    const std::string_view text = decode_json_string(
        frame.data.substr(event.value.begin, event.value.end - event.value.begin), storage);
    sent.answer += text.substr(0, Sent::kMost - sent.answer.size());
  }
}

// What the frame tells about the whole answer, for the outcome and the ledger.
void note(Run& run, Attempt& attempt, const Frame& frame) {
  Exchange& exchange = run.exchange;
  if (run.sent) tell_answer(frame, *run.sent);
  if (attempt.made_by.model_size == 0 && !run.goes_on()) note_maker(attempt, frame);
  for (const Event& event : frame.events) {
    if (event.kind == EventKind::Stop) exchange.outcome.stop = event.stop;
    if (run.told && event.kind == EventKind::TextEnd) run.told->between = true;
    if (event.kind == EventKind::Text && !event.repeats) {
      run.content_bytes += event.value.end - event.value.begin - 2;
      if (run.told) run.told->between = false;
    }
    if (event.kind != EventKind::Usage) continue;
    // The frame tells the caller what both have used.
    attempt.usage = run.goes_on() ? run.told->own : frame.usage;
    if (attempt.stored) {
      exchange.outcome.saved = frame.usage;
      if (run.writer) run.writer->cost(exchange.cost_micros.value_or(0));
      continue;
    }
    exchange.outcome.usage = attempt.usage;
    if (!exchange.index.has_unread_content && !exchange.index.has_tools) {
      run.estimates.learn(attempt.target->key, attempt.request.text_bytes(), attempt.usage.input());
    }
    for (const Hook& hook : exchange.snapshot->pipeline->usage) {
      exchange.stages_run |= std::uint64_t{1} << hook.index;
      hook.stage->on_usage(exchange, attempt.usage);
    }
    if (run.writer && exchange.cost_micros) run.writer->cost(*exchange.cost_micros);
  }
}

void note_first_content(Run& run, Monotonic time) {
  run.content_sent = true;
  if (run.goes_on()) return;
  run.exchange.outcome.to_first_content = time - run.exchange.started;
  run.exchange.outcome.upstream = run.waited;
  run.exchange.outcome.caller = run.stream.waited();
  run.exchange.outcome.queued = run.queued;
}

// An error that the provider reports inside an answer of status 200.
std::unexpected<Error> error_inside(const Attempt& attempt, const Frame& frame) {
  Error error = attempt.dialect->classify(500, {}, frame.data);
  error.upstream_status = 200;
  error.retryable = true;
  if (error.message.empty() || error.detail.empty()) {
    error.message = "The provider reported an error inside its answer.";
  }
  return std::unexpected(std::move(error));
}

/// A stream on its way through: frames in, bytes out.
class Relay {
 public:
  Relay(Run& run, Attempt& attempt)
      : run_(run),
        attempt_(attempt),
        lanes_(run.exchange, run.exchange.policy->event, Lanes::Of::Stream) {}

  /// What is to be sent for the frames of one piece is in out() afterwards.
  Result<void> take(AnswerReader& reader) {
    for (;;) {
      auto more = reader.next(frame_);
      if (!more) return pass(std::move(more));
      if (!*more) return {};
      if (auto taken = frame(); !taken) return taken;
    }
  }

  std::size_t kept() const {
    std::size_t bytes = prelude_.capacity() + out_.owned_size();
    for (const std::string& released : frame_.released) bytes += released.capacity();
    return lanes_.active() ? bytes + lanes_.kept() : bytes;
  }
  bool ended() const { return ended_; }
  Bytes& out() { return out_; }

  /// Until there is content, what the provider sends is kept: another target may still answer.
  bool keep_waiting() {
    if (has_content_ || ended_) {
      if (!prelude_.empty()) prepend_prelude();
      return false;
    }
    for (const auto span : out_.spans()) prelude_ += span;
    out_.clear();
    return prelude_.size() <= kMostPreludeBytes;
  }

 private:
  Result<void> frame() {
    if (ended_) return {};  // nothing counts behind the terminal mark
    note(run_, attempt_, frame_);
    has_content_ |= frame_.has_content;
    stopped_ |= has_stop(frame_);
    switch (frame_.kind) {
      case Frame::Kind::Error:
        return error_inside(attempt_, frame_);
      case Frame::Kind::End:
        if (!has_content_ && !stopped_) return empty();
        ended_ = true;
        break;
      default:
        break;
    }
    if (lanes_.active()) {
      std::vector<Lanes::Released> before;
      auto passed = lanes_.frame(frame_, before);
      if (passed && ended_) passed = lanes_.flush(before);
      if (!passed) return passed;
      for (const auto& held : before) run_.writer->text(held.lane, held.text, out_);
    }
    run_.writer->frame(frame_, out_);
    return {};
  }

  void prepend_prelude() {
    Bytes all;
    all.own(std::move(prelude_));
    prelude_.clear();
    std::string rest;
    for (const auto span : out_.spans()) rest += span;
    all.own(std::move(rest));
    out_ = std::move(all);
  }

  Run& run_;
  Attempt& attempt_;
  Lanes lanes_;
  Frame frame_;
  Bytes out_;
  std::string prelude_;
  bool has_content_ = false;
  bool stopped_ = false;
  bool ended_ = false;
};

bool drained_enough(const Run& run, Monotonic since, std::uint64_t bytes) {
  const auto& settings = run.setting(run.keys.disconnects);
  return run.now() - since > settings.drain_time || bytes > settings.drain_bytes;
}

}  // namespace

void pass_fields(std::span<const http::Field> from, std::span<const std::string_view> allowed,
                 std::vector<http::Field>& to) {
  for (const auto name : allowed) {
    if (const auto value = http::find(from, name)) to.push_back({name, *value});
  }
}

void answer_fields(const Exchange& exchange, const Target* target,
                   std::span<const http::Field> upstream, std::vector<http::Field>& fields,
                   FieldStorage& storage) {
  fields.reserve(16);
  fields.push_back({"x-request-id", exchange.id});
  if (exchange.operation && !exchange.operation->dialect->id_field().empty()) {
    fields.push_back({exchange.operation->dialect->id_field(), exchange.id});
  }
  for (const SaidField& field : exchange.said) fields.push_back({field.name, field.value});
  if (!exchange.answered_from.empty()) {
    fields.push_back({"x-causeway-cache", exchange.answered_from});
  }
  char* at = storage.data();
  const auto put = [&](std::string_view name, std::int64_t value, int decimals) {
    char* const begin = std::exchange(at, text::put_fixed(at, value, decimals));
    fields.push_back({name, {begin, at}});
  };
  if (exchange.cost_micros) put("x-causeway-cost", *exchange.cost_micros, 6);
  if (!target) return;
  fields.push_back({"x-causeway-provider", target->provider->name()});
  fields.push_back({"x-causeway-model", target->upstream_model});
  pass_fields(upstream, exchange.operation->dialect->answer_fields(), fields);
  if (!exchange.dropped.empty()) fields.push_back({"x-causeway-dropped", exchange.dropped});
  if (exchange.attempts.size() > 1) {
    put("x-causeway-attempts", static_cast<std::int64_t>(exchange.attempts.size()), 0);
  }
  if (exchange.tokens_saved) put("x-causeway-tokens-saved", *exchange.tokens_saved, 0);
  if (exchange.confidence) {
    put("x-causeway-confidence", std::llround(*exchange.confidence * 1000), 3);
    const auto thrown_away =
        std::ranges::find(exchange.attempts, AttemptEnd::Unsure, &Attempt::end);
    // Where nobody else has answered, it was asked once more.
    if (thrown_away != exchange.attempts.end() && thrown_away->target->name != target->name) {
      fields.push_back({"x-causeway-escalated", thrown_away->target->name});
    }
  }
  // Up to the answer's first content; a heartbeat may have fixed the head before there was any.
  const Outcome& outcome = exchange.outcome;
  if (outcome.to_first_content.count() == 0) return;
  const auto others = outcome.upstream + outcome.caller + outcome.queued;
  const auto own = std::max(outcome.to_first_content - others, {});
  put("x-causeway-overhead-ms", own.count() / 1000, 3);
}

void begin_stream(Run& run, const Target* target, std::span<const http::Field> upstream) {
  if (run.head_begun) return;
  run.head_begun = true;
  run.exchange.outcome.status = 200;
  std::vector<http::Field> fields{{"content-type", run.writer->content_type()},
                                  {"cache-control", "no-cache"}};
  FieldStorage storage;
  answer_fields(run.exchange, target, upstream, fields, storage);
  run.stream.begin(200, fields);
}

namespace {

// A heartbeat is being written.
Task<void> heartbeat_written(Run& run) {
  while (run.writing) {
    Signal written;
    run.waiting_for_write = &written;
    co_await written;
    run.waiting_for_write = nullptr;
  }
}

Result<void> written(Run& run, const Bytes& bytes, Result<void> sent) {
  run.writing = false;
  run.last_write = run.now();
  run.exchange.outcome.answer_bytes += bytes.size();
  if (!sent && run.draining) return {};
  return sent;
}

}  // namespace

bool hold(Run& run, const Attempt& attempt, std::size_t answer) {
  std::size_t bytes = attempt.translated.size() + answer;
  if (attempt.tap) bytes += attempt.tap->answer.padded.size();
  if (run.told) bytes += run.told->kept();
  if (bytes <= kUncounted) bytes = 0;
  if (bytes == run.held) return true;
  if (!run.stream.hold(bytes)) return false;
  run.held = bytes;
  return true;
}

Task<Result<void>> send(Run& run, const Bytes& bytes) {
  if (run.draining) co_return Result<void>{};
  if (run.writing) co_await heartbeat_written(run);
  run.writing = true;
  auto sent = co_await run.stream.write(bytes.spans());
  co_return written(run, bytes, std::move(sent));
}

namespace {

// The time to a few milliseconds, for each event of a stream: the exact one is not free.
Monotonic roughly_now(const Run& run) {
  const net::Loop* loop = run.exchange.context->loop;
  return loop ? loop->now() : run.now();
}

Task<void> write_heartbeat(Run& run) {
  run.writing = true;
  const std::string_view pieces[] = {run.writer->heartbeat()};
  (void)co_await run.stream.write(pieces);
  run.writing = false;
  run.last_write = run.now();
  if (run.waiting_for_write) run.waiting_for_write->set();
}

}  // namespace

void beat(Run& run) {
  if (!run.writer || run.writing || run.draining || run.exchange.attempts.empty()) return;
  const auto period = run.setting(run.keys.heartbeat);
  if (period.count() == 0 || run.now() - run.last_write < period) return;
  if (run.stream.gone() || run.exchange.cancel.requested()) return;
  begin_stream(run, nullptr, {});
  spawn(write_heartbeat(run));
}

Task<Result<void>> deliver_whole(Run& run, Attempt& attempt, http::ClientStream& upstream) {
  Exchange& exchange = run.exchange;
  const Monotonic asked = run.asked;
  http::ClientStream::MayHold may_hold = [&](std::size_t bytes) {
    return hold(run, attempt, bytes);
  };
  auto body = co_await upstream.read_all(exchange.snapshot->max_answer_bytes, std::move(may_hold));
  const Monotonic arrived = run.heard();
  attempt.waited = arrived - asked;
  co_await together(exchange.context->loop, http::Cohort::Contents, body ? body->size() : 0);
  if (!body && body.error().kind == ErrorKind::TooLarge) {
    co_return broken("The provider's answer is larger than server.limits.answer.",
                     "answer_too_large");
  }
  if (!body) co_return pass(std::move(body));
  if (attempt.tap) attempt.tap->take(*body);
  Frame frame;
  const auto reader = make_reader(run, attempt);
  if (auto read = reader->whole(*body, frame); !read) co_return read;
  if (frame.kind == Frame::Kind::Error) co_return error_inside(attempt, frame);
  if (auto sure = judge_whole(run, attempt, *body, frame); !sure) co_return sure;
  note(run, attempt, frame);  // also of an answer that tells nothing: its tokens were used
  if (tells_nothing(exchange.operation->kind, frame)) co_return empty();
  Lanes lanes(exchange, exchange.policy->event, Lanes::Of::Whole);
  if (lanes.active()) {
    std::vector<Lanes::Released> before;
    if (auto passed = lanes.frame(frame, before); !passed) co_return passed;
  }
  co_await together(exchange.context->loop, http::Cohort::Replies, body->size());
  Bytes out;
  const bool hides = frame.has_logprobs && hides_logprobs(exchange);
  if (frame.released.empty() && !hides) {
    out.view(frame.wire);
  } else {
    exchange.operation->dialect->writer(*exchange.operation, {true, true, hides})
        ->frame(frame, out);
  }
  const std::size_t edited = lanes.kept() + out.owned_size();
  if (!hold(run, attempt, body->size() + reader->kept() + edited)) co_return http::buffers_full();
  const auto& head = upstream.head();
  const bool as_it_came = attempt.dialect->takes(*exchange.operation);
  std::vector<http::Field> fields{
      {"content-type",
       as_it_came ? head.find("content-type").value_or("application/json") : "application/json"}};
  note_first_content(run, arrived);
  FieldStorage storage;
  answer_fields(exchange, attempt.target, head.fields, fields, storage);
  exchange.outcome.status = head.status;
  exchange.outcome.answer_bytes = out.size();
  settle_answer(run, attempt);
  auto sent = co_await run.stream.reply(head.status, fields, out.spans());
  if (!sent) {
    exchange.outcome.cut_by_client = true;
    exchange.outcome.error = std::move(sent).error();
  }
  co_return Result<void>{};
}

Task<Result<void>> deliver_stream(Run& run, Attempt& attempt, http::ClientStream& upstream) {
  const auto reader = make_reader(run, attempt);
  Relay relay(run, attempt);
  Held held(run, attempt);
  Monotonic drain_began{};
  std::uint64_t drained = 0;
  while (!relay.ended()) {
    const Monotonic before = roughly_now(run);
    auto piece = co_await upstream.read();
    attempt.waited += roughly_now(run) - before;
    if (!run.content_sent) run.heard();
    if (!piece) co_return pass(std::move(piece));
    const bool last = piece->empty();
    if (last) {
      auto complete = reader->finish();
      if (!complete) co_return pass(std::move(complete));
      if (!*complete) co_return cut();
    } else {
      if (attempt.tap) attempt.tap->take(*piece);
      if (held.open()) {
        auto judged = held.take(*piece);
        if (!judged) co_return pass(std::move(judged));
        if (!hold(run, attempt, held.kept())) co_return http::buffers_full();
        if (!*judged) continue;
      }
      reader->feed(*piece);
    }
    auto taken = relay.take(*reader);
    const std::size_t kept = reader->kept() + relay.kept() + held.kept();
    if (!hold(run, attempt, kept)) co_return http::buffers_full();
    if (run.draining) {
      if (drain_began == Monotonic{}) drain_began = run.now();
      drained += piece->size();
      relay.out().clear();
      run.content_sent = true;
      if (!taken) co_return taken;
      if (drained_enough(run, drain_began, drained)) run.exchange.cancel.request();
      continue;
    }
    // What came before a fault still goes out, once content has.
    const bool goes_out = taken ? !relay.keep_waiting() : run.content_sent;
    if (goes_out && !relay.out().empty()) {
      if (!run.content_sent) {
        note_first_content(run, run.now());
        begin_stream(run, attempt.target, upstream.head().fields);
      }
      // As send(), without a frame of its own: this is each event's way.
      if (run.writing) co_await heartbeat_written(run);
      if (relay.ended()) settle_answer(run, attempt);
      if (run.told) run.told->sent(relay.out());
      run.writing = true;
      auto sent = co_await run.stream.write(relay.out().spans());
      if (sent = written(run, relay.out(), std::move(sent)); !sent) co_return sent;
      relay.out().clear();
    }
    if (!taken) co_return taken;
    if (last && !relay.ended()) co_return cut();
  }
  if (run.draining) {
    run.exchange.outcome.cut_by_client = true;
    run.stream.abort();
  } else {
    // Not yet where the dialect has no terminal mark: nothing went out with the end.
    settle_answer(run, attempt);
    auto finished = co_await run.stream.finish();
    if (!finished) run.exchange.outcome.cut_by_client = true;
  }
  // The end of the body behind the terminal mark: with it the connection can be used again.
  (void)co_await upstream.read();
  co_return Result<void>{};
}

}  // namespace causeway::exchange
