#include "providers/embedded/tools_in_text.h"

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <utility>

#include "core/json_text.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"
#include "platform/schema/json_schema.h"
#include "providers/embedded/answer_scanner.h"
#include "providers/embedded/tool_prompt.h"

namespace causeway::embedded {
namespace {

namespace bj = boost::json;
using Kind = ChatEvent::Kind;

std::unexpected<Error> broken(std::string message, std::string code, std::string detail = {}) {
  auto result =
      fail(ErrorKind::UpstreamBroken, Origin::Upstream, std::move(message), std::move(code));
  result.error().retryable = true;
  result.error().detail = std::move(detail);
  return result;
}

/// The answer's schema, where the request that was sent asks for calls.
std::optional<bj::value> asked_schema(std::string_view asked) {
  auto body = schema::parse_json(asked);
  if (!body) return std::nullopt;
  boost::system::error_code error;
  const auto* name = body->find_pointer("/response_format/json_schema/name", error);
  const auto* schema = body->find_pointer("/response_format/json_schema/schema", error);
  const auto* text = name ? name->if_string() : nullptr;
  if (!text || !schema || *text != kSchemaName) return std::nullopt;
  return *schema;
}

/// What the engine says → events, the text of the answer read back into calls.
class Decoder final : public EventDecoder, private ChatSink {
 public:
  Decoder(std::unique_ptr<EventDecoder> inner, bj::value schema)
      : inner_(std::move(inner)), schema_(std::move(schema)) {
    boost::system::error_code error;
    const auto* forms = schema_.find_pointer("/anyOf", error);
    const bool must_call = forms && forms->is_array() && forms->get_array().size() == 1;
    wants_data_ = schema::resolve(schema_, kDataSchema) != nullptr;
    may_answer_ = !must_call && !wants_data_;
  }

  Result<void> feed(std::string_view piece, ChatSink& sink) override {
    sink_ = &sink;
    return checked(inner_->feed(piece, *this));
  }
  Result<void> finish(ChatSink& sink) override {
    sink_ = &sink;
    return checked(inner_->finish(*this));
  }
  Result<void> whole(std::string_view body, ChatSink& sink) override {
    sink_ = &sink;
    return checked(inner_->whole(body, *this));
  }

  std::size_t kept() const override {
    std::size_t bytes = inner_->kept();
    for (const auto& [index, choice] : choices_) bytes += choice.scanner.kept();
    return bytes;
  }

 private:
  struct Choice {
    AnswerScanner scanner;
    std::uint16_t calls = 0;
    std::string data;
  };

  Result<void> checked(Result<void> read) {
    if (error_) return std::unexpected(*std::exchange(error_, std::nullopt));
    return read;
  }

  void wrong(std::unexpected<Error> error) {
    if (!error_) error_ = std::move(error).error();
  }

  void event(const ChatEvent& event) override {
    if (error_) return;
    if (event.kind == Kind::Text && event.lane.channel == Channel::Content) {
      take_text(event);
    } else if (event.kind == Kind::Stop) {
      take_stop(event);
    } else {
      sink_->event(event);
    }
  }

  void take_text(const ChatEvent& event) {
    Choice& choice = choices_[event.lane.choice];
    const AnswerScanner::Told told{
        .call = [&](std::string_view json) { take_call(event.lane.choice, choice, json); },
        .text = [&](std::string_view piece) { take_said(event.lane, choice, piece); }};
    if (!choice.scanner.feed(event.text, told)) wrong(unexpected_answer());
  }

  static std::unexpected<Error> unexpected_answer(std::string detail = {}) {
    return broken("The model's answer is neither a call of a tool nor an answer.",
                  "unexpected_answer", std::move(detail));
  }

  // Whether the schema has that form.
  bool may_give(std::string_view key) const {
    return key == kCalls || (key == kData ? wants_data_ : may_answer_);
  }

  void take_said(Lane lane, Choice& choice, std::string_view piece) {
    if (!may_give(choice.scanner.key())) return wrong(unexpected_answer());
    if (choice.scanner.key() == kData) choice.data += piece;
    text(lane, piece);
  }

  void text(Lane lane, std::string_view piece) {
    ChatEvent said;
    said.kind = Kind::Text;
    said.lane = lane;
    said.text = piece;
    sink_->event(said);
  }

  void take_call(std::uint16_t index, Choice& choice, std::string_view json) {
    if (error_) return;
    const auto call = schema::parse_json(json);
    const auto* rules = schema::resolve(schema_, kCallSchema);
    std::string why = call && rules ? schema::mismatch(schema_, *rules, *call) : "it is no JSON";
    const std::string arguments = json_member(json, "arguments");
    // Of a member that is there twice, what was checked is not what goes out.
    if (why.empty() && schema::parse_json(arguments) != call->at("arguments"))
      why = "it is unclear";
    if (!why.empty()) {
      return wrong(broken("The model called a tool in a way that its schema does not allow.",
                          "invalid_tool_call", why));
    }
    const Lane lane{index, choice.calls++, Channel::ToolArguments};
    const std::string id = "call_" + crypto::to_hex(crypto::random_bytes(12));
    ChatEvent begin;
    begin.kind = Kind::ToolCall;
    begin.lane = lane;
    begin.id = id;
    begin.name = call->at("name").get_string();
    sink_->event(begin);
    text(lane, arguments);
  }

  // What is wrong with JSON that the application's schema asked for.
  std::string data_mismatch(const std::string& json) const {
    const auto data = schema::parse_json(json);
    const auto* rules = schema::resolve(schema_, kDataSchema);
    return data && rules ? schema::mismatch(schema_, *rules, *data) : "it is no JSON";
  }

  // A limit may cut the answer anywhere: calls that were complete stand. An end of the model's own
  // must be the end of its JSON as well.
  void take_stop(const ChatEvent& event) {
    const Choice& choice = choices_[event.lane.choice];
    if (event.stop != Stop::Done) return sink_->event(event);
    const auto key = choice.scanner.key();
    const bool no_call = choice.calls == 0 && key == kCalls;
    if (!choice.scanner.complete() || no_call || !may_give(key)) return wrong(unexpected_answer());
    if (key == kData) {
      if (auto why = data_mismatch(choice.data); !why.empty()) return wrong(unexpected_answer(why));
    }
    if (choice.calls == 0) return sink_->event(event);
    ChatEvent stop = event;
    stop.stop = Stop::Tools;
    stop.raw = "tool_calls";
    sink_->event(stop);
  }

  std::unique_ptr<EventDecoder> inner_;
  bj::value schema_;
  bool may_answer_ = false, wants_data_ = false;
  ChatSink* sink_ = nullptr;
  std::map<std::uint16_t, Choice> choices_;
  std::optional<Error> error_;
};

}  // namespace

Result<std::string> ToolsInText::encode(const Chat& chat, std::string_view upstream_model,
                                        LeftOut& left_out) const {
  auto words = tools_in_words(chat);
  if (!words) return pass(std::move(words));
  return OpenAiDialect::encode(*words, upstream_model, left_out);
}

std::unique_ptr<EventDecoder> ToolsInText::answer_decoder(bool streamed,
                                                          std::string_view asked) const {
  auto schema = asked_schema(asked);
  if (!schema) return decoder(streamed);
  return std::make_unique<Decoder>(decoder(streamed), std::move(*schema));
}

}  // namespace causeway::embedded
