// What Causeway itself says to a chat, as if a model had said it.
#include <array>
#include <chrono>

#include "core/chat_event.h"
#include "exchange/run.h"

namespace causeway::exchange {
namespace {

EncoderSettings settings_of(const Exchange& exchange, bool stream) {
  EncoderSettings settings;
  settings.stream = stream;
  settings.id = exchange.id;
  settings.model = exchange.model_name;
  settings.request = &exchange.request;
  settings.created =
      std::chrono::duration_cast<std::chrono::seconds>(exchange.started_wall.time_since_epoch())
          .count();
  return settings;
}

std::string encoded(const Exchange& exchange, std::string_view text, bool stream) {
  const auto encoder = exchange.operation->dialect->encoder(settings_of(exchange, stream));
  std::string out;
  const auto tell = [&](ChatEvent::Kind kind) {
    ChatEvent event;
    event.kind = kind;
    return event;
  };
  using Kind = ChatEvent::Kind;
  encoder->event(tell(Kind::Begin), out);
  ChatEvent said = tell(Kind::Text);
  said.text = text;
  encoder->event(said, out);
  ChatEvent stop = tell(Kind::Stop);
  stop.stop = Stop::Done;
  encoder->event(stop, out);
  const Usage none{.source = UsageSource::Reported};  // no model was asked
  ChatEvent usage = tell(Kind::Usage);
  usage.usage = &none;
  if (!stream || exchange.index.usage_wanted) encoder->event(usage, out);
  encoder->event(tell(Kind::End), out);
  return out;
}

// What the model's first target would have used, as far as is known.
Usage spared(const Run& run, std::string_view text) {
  const auto& targets = run.exchange.model->targets;
  const std::uint64_t key = targets.empty() ? 0 : targets.front().key;
  Usage usage;
  usage.source = UsageSource::Estimated;
  usage.input_uncached = run.estimates.tokens(key, run.exchange.request.text_bytes());
  usage.output_visible = run.estimates.tokens(key, text.size());
  return usage;
}

}  // namespace

Task<void> say(Run& run, std::string_view text) {
  Exchange& exchange = run.exchange;
  const auto& operation = *exchange.operation;
  const bool stream = exchange.index.stream && streams(operation.kind);
  const std::string bytes = encoded(exchange, text, stream);
  Outcome& outcome = exchange.outcome;
  outcome.streamed = stream;
  outcome.status = 200;
  outcome.stop = Stop::Done;
  outcome.answer_bytes = bytes.size();
  outcome.to_first_content = run.now() - exchange.started;
  outcome.caller = run.stream.waited();
  exchange.cost_micros = 0;
  if (!exchange.answered_from.empty()) outcome.saved = spared(run, text);
  std::vector<http::Field> fields{
      {"content-type",
       stream ? operation.dialect->writer(operation, {})->content_type() : "application/json"}};
  if (stream) fields.push_back({"cache-control", "no-cache"});
  FieldStorage storage;
  answer_fields(exchange, nullptr, {}, fields, storage);
  settle(run);
  const std::array<std::string_view, 1> pieces{bytes};
  Result<void> sent;
  if (stream) {
    run.stream.begin(200, fields);
    sent = co_await run.stream.write(pieces);
    if (sent) sent = co_await run.stream.finish();
  } else {
    sent = co_await run.stream.reply(200, fields, pieces);
  }
  if (!sent) outcome.cut_by_client |= sent.error().kind == ErrorKind::Cancelled;
}

}  // namespace causeway::exchange
