#include "exchange/translate.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/json_text.h"
#include "core/provider.h"

namespace causeway::exchange {
namespace {

constexpr std::size_t kPadding = 64;  // readable bytes that readers want behind a text
// Encoders may keep what was said until the end, where some dialects tell it once more.
constexpr std::size_t kMostSaid = 16 << 20;
constexpr std::size_t kMostKept = 64 * 1024;  // of room for a piece's translation
constexpr std::size_t kEnvelope = 1024;  // what one dialect's answer may be longer than another's
constexpr std::size_t kTurn = 256;       // what another lane costs beside its text

/// A provider's bytes → neutral events → bytes of the application's dialect → frames.
class TranslatingReader final : public AnswerReader, private ChatSink {
 public:
  TranslatingReader(std::unique_ptr<EventDecoder> decoder, std::unique_ptr<EventEncoder> encoder,
                    std::unique_ptr<AnswerReader> reader)
      : decoder_(std::move(decoder)), encoder_(std::move(encoder)), reader_(std::move(reader)) {}

  /// Brings encoder and reader to where a stream stands that is to be continued.
  void go_on_from(const Told& told) {
    told.replay(*encoder_, wire_);
    reader_->feed(padded());
    Frame frame;
    bool more = true;
    while (more) {
      const auto read = reader_->next(frame);
      more = read && *read;
    }
  }

  void feed(std::string_view piece) override {
    wire_.clear();
    if (wire_.capacity() > kMostKept) std::string().swap(wire_);  // an assignment keeps the room
    take(decoder_->feed(piece, *this));
    reader_->feed(padded());
  }

  Result<bool> next(Frame& frame) override {
    auto more = reader_->next(frame);
    if (!more || *more) return more;
    // A dialect without a terminal mark gives its last frame when it is told that all has come.
    if (std::exchange(complete_, false)) {
      auto last = reader_->finish();
      if (!last || *last) return last ? reader_->next(frame) : pass(std::move(last));
    }
    if (error_) return std::unexpected(*std::exchange(error_, std::nullopt));
    return false;
  }

  Result<bool> finish() override {
    wire_.clear();
    take(decoder_->finish(*this));
    reader_->feed(padded());
    return true;  // an error is told by next(), behind the frames before it
  }

  Result<void> whole(std::string_view body, Frame& frame) override {
    wire_.clear();
    wire_.reserve(body.size() + kEnvelope);
    if (auto decoded = checked(decoder_->whole(body, *this)); !decoded) return decoded;
    decoder_.reset();  // what they have of the answer is written now
    encoder_.reset();
    return reader_->whole(padded(), frame);
  }

  std::size_t kept() const override {
    const std::size_t ways = decoder_ ? decoder_->kept() + encoder_->kept() : 0;
    return wire_.capacity() + ways + reader_->kept();
  }

 private:
  void event(const ChatEvent& event) override {
    // The only JSON of an answer that is written as it came: decoders do not look into it.
    if (event.kind == ChatEvent::Kind::Citation && !is_json(event.text)) {
      not_json_ = true;
      return;
    }
    said_ += event.text.size() + (event.lane == lane_ ? 0 : kTurn);
    lane_ = event.lane;
    if (said_ <= kMostSaid) encoder_->event(event, wire_);
    complete_ |= event.kind == ChatEvent::Kind::End;
  }

  Result<void> checked(Result<void> decoded) const {
    if (decoded && not_json_) {
      auto broken = fail(ErrorKind::UpstreamBroken, Origin::Upstream,
                         "the provider's answer is not what its protocol says");
      broken.error().detail = "a citation is not JSON";
      return broken;
    }
    if (!decoded || said_ <= kMostSaid) return decoded;
    return fail(ErrorKind::UpstreamBroken, Origin::Upstream,
                "The provider's answer is too large to be translated.", "answer_too_large");
  }

  void take(Result<void> decoded) {
    auto good = checked(std::move(decoded));
    if (!good) error_ = std::move(good).error();
  }

  std::string_view padded() {
    const std::size_t size = wire_.size();
    wire_.append(kPadding, '\0');
    return {wire_.data(), size};
  }

  std::unique_ptr<EventDecoder> decoder_;
  std::unique_ptr<EventEncoder> encoder_;
  std::unique_ptr<AnswerReader> reader_;
  std::string wire_;
  std::size_t said_ = 0;
  Lane lane_;
  bool not_json_ = false;
  bool complete_ = false;  // the decoder has given the answer's end
  std::optional<Error> error_;
};

/// The same for embeddings, whose answers are whole.
class EmbeddingReader final : public AnswerReader {
 public:
  EmbeddingReader(const Dialect& to, const Operation& operation, const EncoderSettings& settings)
      : to_(to),
        operation_(operation),
        settings_(settings),
        reader_(operation.dialect->reader(operation)) {}

  void feed(std::string_view) override {}
  Result<bool> next(Frame&) override { return false; }
  std::size_t kept() const override { return wire_.capacity(); }
  Result<void> whole(std::string_view body, Frame& frame) override {
    auto answer = to_.decode_vectors(body);
    if (!answer) return pass(std::move(answer));
    if (answer->vectors.size() != settings_.request->index().inputs) {
      auto broken =
          fail(ErrorKind::UpstreamBroken, Origin::Upstream,
               "The provider's answer has not one embedding for each input.", "unexpected_answer");
      broken.error().retryable = true;
      return broken;
    }
    wire_ = operation_.dialect->encode_vectors(operation_, settings_, *answer);
    const std::size_t size = wire_.size();
    wire_.append(kPadding, '\0');
    auto read = reader_->whole({wire_.data(), size}, frame);
    // What the provider has said counts, whether or not the application's dialect can say it.
    if (read && answer->usage.source != UsageSource::None) tell(answer->usage, frame);
    return read;
  }

 private:
  static void tell(const Usage& usage, Frame& frame) {
    frame.usage = usage;
    const auto told = [](const Event& event) { return event.kind == EventKind::Usage; };
    if (std::any_of(frame.events.begin(), frame.events.end(), told)) return;
    Event event;
    event.kind = EventKind::Usage;
    event.usage = &frame.usage;
    frame.events.push_back(event);
  }

  const Dialect& to_;
  const Operation& operation_;
  EncoderSettings settings_;
  std::unique_ptr<AnswerReader> reader_;
  std::string wire_;
};

std::unexpected<Error> unsupported(const std::string& field, const Attempt& attempt) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                    "\"" + field + "\" cannot be translated for the target " +
                        attempt.target->name + " (" + std::string(attempt.dialect->name()) +
                        "). Leave it out, or let the policy drop it: translation: { unsupported: "
                        "drop }.",
                    "unsupported_field");
  error.error().param = field;
  error.error().retryable = true;
  return error;
}

void add_system_prompt(const Provider& provider, const Target& target, Chat& chat) {
  const auto is_system = [](const ChatMessage& message) {
    return message.role == Role::System || message.role == Role::Developer;
  };
  if (std::any_of(chat.messages.begin(), chat.messages.end(), is_system)) return;
  std::string prompt = provider.default_system_prompt(target.upstream_model);
  if (prompt.empty()) return;
  ChatMessage message;
  message.role = Role::System;
  message.parts.emplace_back().text = std::move(prompt);
  chat.messages.insert(chat.messages.begin(), std::move(message));
}

// What the target's dialect cannot say another target may not have to.
Result<std::string> encoded(Result<std::string> body) {
  if (!body) body.error().retryable = true;
  return body;
}

Result<std::string> chat_body(const Operation& operation, const Attempt& attempt,
                              LeftOut& left_out) {
  auto chat = chat_for_target(operation, attempt);
  if (!chat) return pass(std::move(chat));
  return encoded(attempt.dialect->encode(*chat, attempt.target->upstream_model, left_out));
}

Result<std::string> embedding_body(const Operation& operation, const Attempt& attempt,
                                   LeftOut& left_out) {
  auto request = operation.dialect->decode_embedding(operation, attempt.request);
  if (!request) return pass(std::move(request));
  return encoded(
      attempt.dialect->encode_embedding(*request, attempt.target->upstream_model, left_out));
}

}  // namespace

Result<Chat> chat_for_target(const Operation& operation, const Attempt& attempt) {
  auto chat = operation.dialect->decode(operation, attempt.request);
  if (!chat) return chat;
  add_system_prompt(*attempt.target->provider, *attempt.target, *chat);
  if (attempt.logprobs && !chat->logprobs.value_or(false)) {
    chat->logprobs = true;
    chat->top_logprobs = 1;
  }
  return chat;
}

Result<void> translate(const Run& run, Attempt& attempt) {
  Exchange& exchange = run.exchange;
  const Operation& operation = *exchange.operation;
  const Dialect& from = *operation.dialect;
  const Dialect& to = *attempt.dialect;
  if (!from.translates(operation.kind) || !to.translates(operation.kind)) {
    auto error = fail(ErrorKind::NotImplemented, Origin::Us,
                      "The target " + attempt.target->name + " speaks another dialect (" +
                          std::string(to.name()) + "), to which this operation is not translated.",
                      "not_translated");
    error.error().retryable = true;
    return error;
  }
  LeftOut left_out;
  auto body = operation.kind == OperationKind::Embeddings
                  ? embedding_body(operation, attempt, left_out)
                  : chat_body(operation, attempt, left_out);
  if (!body) return pass(std::move(body));
  const auto policy = run.setting(run.keys.translation).unsupported;
  if (policy == Unsupported::Refuse && !left_out.fields.empty()) {
    return unsupported(left_out.fields.front(), attempt);
  }
  exchange.dropped.clear();
  for (const auto* names : {&left_out.fields, &left_out.hints}) {
    for (const auto& name : *names) {
      if (!exchange.dropped.empty()) exchange.dropped += ", ";
      exchange.dropped += name;
    }
  }
  attempt.translated = std::move(*body);
  return {};
}

std::unique_ptr<AnswerReader> make_reader(const Run& run, Attempt& attempt) {
  const Exchange& exchange = run.exchange;
  const Operation& operation = *exchange.operation;
  if (attempt.dialect->takes(operation) && !run.goes_on()) {
    return operation.dialect->reader(operation);
  }
  EncoderSettings settings;
  settings.stream = run.writer != nullptr;
  settings.id = exchange.id;
  settings.model = exchange.model_name;
  settings.request = &attempt.request;
  settings.created =
      std::chrono::duration_cast<std::chrono::seconds>(exchange.started_wall.time_since_epoch())
          .count();
  if (operation.kind == OperationKind::Embeddings) {
    return std::make_unique<EmbeddingReader>(*attempt.dialect, operation, settings);
  }
  auto decoder = attempt.dialect->answer_decoder(settings.stream, attempt.translated);
  if (run.goes_on()) decoder = rest_decoder(std::move(decoder), *run.told, attempt);
  auto reader =
      std::make_unique<TranslatingReader>(std::move(decoder), operation.dialect->encoder(settings),
                                          operation.dialect->reader(operation));
  if (run.goes_on()) reader->go_on_from(*run.told);
  return reader;
}

}  // namespace causeway::exchange
