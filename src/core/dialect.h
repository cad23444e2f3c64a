// One wire format: how its requests are read, how its answers are read and written. No sockets, no
// addresses, no credentials. An application and a provider may speak different dialects.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/chat.h"
#include "core/chat_event.h"
#include "core/embedding.h"
#include "core/event.h"
#include "core/logprobs.h"
#include "core/operation.h"
#include "core/request.h"
#include "platform/base/error.h"
#include "platform/http/message.h"
#include "platform/http/multipart.h"

namespace causeway {

/// What a listing of models says of each.
struct ModelCard {
  std::string_view id;
  std::string_view owned_by;
  std::int64_t created = 0;
};

/// Bytes of a provider's answer → frames. One per attempt.
class AnswerReader {
 public:
  virtual ~AnswerReader() = default;
  /// The next bytes of a streamed answer; they must live until the next feed(), with 64 readable
  /// bytes behind them. next() gives the frames in them until it answers false.
  virtual void feed(std::string_view piece) = 0;
  /// Errors: UpstreamBroken when the bytes are not this dialect.
  virtual Result<bool> next(Frame& frame) = 0;
  /// The bytes have ended. True: rightly so, though the dialect has no terminal mark; frames may
  /// follow from next(), the last of them is the End.
  virtual Result<bool> finish() { return false; }
  /// A whole answer that was not streamed; 64 readable bytes behind it.
  virtual Result<void> whole(std::string_view body, Frame& frame) = 0;
  /// About how many bytes of memory it has until the next feed(), or behind whole(), beside what it
  /// was given: it is taken from a budget.
  virtual std::size_t kept() const = 0;
};

/// Frames → bytes for the application. One per exchange.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;
  virtual void frame(const Frame& frame, Bytes& out) = 0;
  /// The cost so far, in micro-units of the currency: told with each usage from here on.
  virtual void cost(std::int64_t micros) = 0;
  /// Text that was held back and now goes out between two frames.
  virtual void text(const Lane& lane, std::string_view text, Bytes& out) = 0;
  /// An error after the answer has begun. Nothing follows it.
  virtual void error(const Error& error, std::string_view request_id, Bytes& out) = 0;
  virtual std::string_view heartbeat() const = 0;
  virtual std::string_view content_type() const = 0;
};

struct WriterSettings {
  bool usage_wanted = true;    // the client asked for the usage frame
  bool may_edit = false;       // some stage may hold or change text: keep what rebuilding needs
  bool hide_logprobs = false;  // the client did not ask for them
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual std::string_view name() const = 0;

  /// Adds the operations that applications may call in this dialect.
  virtual void operations(Operations& table) const = 0;

  /// What the head alone tells about a request of this dialect. Errors: what is not served.
  virtual Result<void> check_head(const Operation&, const http::RequestHead&) const { return {}; }

  /// Parses a request in place, once. `argument` is what stands for '*' in the operation's path;
  /// `body` has 64 readable bytes behind it and outlives `index`. Errors: InvalidRequest with the
  /// field in `param`.
  virtual Result<void> read(const Operation& operation, std::string_view argument,
                            std::string_view body, RequestIndex& index) const = 0;

  /// The same for a form whose body has been read: `index` gets what its short fields say. Answers
  /// which part is the model's name. `parts` outlive `index`.
  virtual Result<std::size_t> read_form(const Operation& operation,
                                        std::span<const http::FormPart> parts,
                                        RequestIndex& index) const;

  /// Whether a request of this operation goes to a target of this dialect as it came, but for what
  /// address() does; otherwise it is translated. What a provider has made of a dialect takes that
  /// dialect's requests.
  virtual bool takes(const Operation& operation) const { return operation.dialect == this; }

  /// Makes the fork what a target of this dialect must get: its model name, and usage asked
  /// for in streams where the target can report it.
  virtual void address(const Operation& operation, std::string_view upstream_model,
                       bool ask_for_usage, Request& request) const = 0;

  /// Path of an operation below a provider's base URL ("/chat/completions"); empty where it depends
  /// on the model.
  virtual std::string_view upstream_path(const Operation& operation) const = 0;
  /// The media type of a streamed answer.
  virtual std::string_view stream_type() const { return "text/event-stream"; }

  /// Fields of the application's request that may go on to a provider.
  virtual std::span<const std::string_view> request_fields() const = 0;
  /// Of those the ones that a target of this dialect does not take.
  virtual std::span<const std::string_view> refused_fields(const Operation&) const { return {}; }
  /// Fields of a provider's answer that may go on to the application.
  virtual std::span<const std::string_view> answer_fields() const = 0;

  /// Reads the probabilities of a chat answer's tokens, which the fork or the chat was made to ask
  /// for; null = a target of this dialect does not tell them.
  virtual std::unique_ptr<LogprobReader> logprob_reader() const { return nullptr; }
  virtual void ask_for_logprobs(Request&) const {}
  /// Whether the application itself has asked for them.
  virtual bool wants_logprobs(const RequestIndex&) const { return false; }

  virtual std::unique_ptr<AnswerReader> reader(const Operation& operation) const = 0;
  virtual std::unique_ptr<AnswerWriter> writer(const Operation& operation,
                                               WriterSettings settings) const = 0;

  /// The body of an error answer.
  virtual std::string error_body(const Error& error, std::string_view request_id) const = 0;
  /// The field in which clients of this dialect look for the id of their request, beside
  /// x-request-id; empty = there.
  virtual std::string_view id_field() const { return {}; }
  /// The parameter of the query in which clients of this dialect may send their key; empty = none.
  virtual std::string_view key_parameter() const { return {}; }
  /// What an error answer of a provider of this dialect means (WIRE table "retry class").
  virtual Error classify(int status, std::span<const http::Field> fields,
                         std::string_view body) const = 0;

  /// Whether this dialect can be translated to and from others, for this kind of operation.
  virtual bool translates(OperationKind) const { return false; }
  /// A request of this dialect, as edited, in the neutral form. It was read before, so its frame is
  /// known to be right. Errors: InvalidRequest with the field in `param`.
  virtual Result<Chat> decode(const Operation& operation, const Request& request) const;
  /// The body that asks `upstream_model` of this dialect for `chat`. Errors: InvalidRequest with
  /// the application's field in `param` when a part of the conversation cannot be said here.
  virtual Result<std::string> encode(const Chat& chat, std::string_view upstream_model,
                                     LeftOut& left_out) const;
  virtual std::unique_ptr<EventDecoder> decoder(bool streamed) const;
  /// The same where what was asked decides how the answer is read. `asked` is what encode() made,
  /// and outlives the decoder.
  virtual std::unique_ptr<EventDecoder> answer_decoder(bool streamed,
                                                       std::string_view /*asked*/) const {
    return decoder(streamed);
  }
  virtual std::unique_ptr<EventEncoder> encoder(const EncoderSettings& settings) const;

  /// The same for embeddings, of which there is no stream. Errors: as of decode(), encode() and
  /// EventDecoder::whole().
  virtual Result<EmbeddingRequest> decode_embedding(const Operation& operation,
                                                    const Request& request) const;
  virtual Result<std::string> encode_embedding(const EmbeddingRequest& request,
                                               std::string_view upstream_model,
                                               LeftOut& left_out) const;
  virtual Result<EmbeddingAnswer> decode_vectors(std::string_view body) const;
  virtual std::string encode_vectors(const Operation& operation, const EncoderSettings& settings,
                                     const EmbeddingAnswer& answer) const;

  /// The answer to a count of tokens, for dialects that have that operation.
  virtual std::string tokens_body(std::uint64_t /*tokens*/) const { return {}; }

  virtual std::string models_body(std::span<const ModelCard> models) const = 0;
  virtual std::string model_body(const ModelCard& model) const = 0;
};

}  // namespace causeway
