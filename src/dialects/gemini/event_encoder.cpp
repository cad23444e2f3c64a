// Neutral events → an answer of generateContent: its chunks, or the whole object.
#include <string>
#include <utility>
#include <vector>

#include "core/json_text.h"
#include "dialects/gemini/dialect.h"
#include "dialects/gemini/words.h"
#include "platform/text/json_writer.h"

namespace causeway::gemini {
namespace {

using Kind = ChatEvent::Kind;
using text::JsonWriter;

void write_usage(JsonWriter& json, const Usage& usage) {
  json.begin_object().field("promptTokenCount", usage.input());
  json.field("candidatesTokenCount", usage.output_visible);
  json.field("totalTokenCount", usage.input() + usage.output());
  if (usage.cache_read) json.field("cachedContentTokenCount", usage.cache_read);
  if (usage.reasoning) json.field("thoughtsTokenCount", usage.reasoning);
  json.end_object();
}

// A text part, or with an empty text the place where a seal stands.
std::string text_part(std::string_view text, bool thought, std::string_view signature) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("text", text);
  if (thought) json.field("thought", true);
  if (!signature.empty()) json.field("thoughtSignature", signature);
  json.end_object();
  return out;
}

class Encoder final : public EventEncoder {
 public:
  explicit Encoder(const EncoderSettings& settings)
      : streams_(settings.stream), id_(settings.id), model_(settings.model) {}

  void event(const ChatEvent& event, std::string& out) override {
    switch (event.kind) {
      case Kind::Begin:
        if (!event.id.empty()) id_ = event.id;
        if (!event.name.empty()) model_ = event.name;
        break;
      case Kind::Text:
        take_text(event, out);
        break;
      case Kind::ToolCall: {
        Call& call = call_of(event);
        call.id = event.id;
        call.name = event.name;
        break;
      }
      case Kind::Seal:
        take_seal(event, out);
        break;
      case Kind::Citation:
        break;  // of another dialect's form
      case Kind::Stop:
        take_stop(event);
        break;
      case Kind::Usage:
        usage_ = *event.usage;
        break;
      case Kind::End:
        for (Choice& choice : choices_) {
          if (choice.reason.empty()) close(choice, Stop::Unknown, "OTHER");
        }
        write_end(out);
        break;
    }
  }

  std::size_t kept() const override {
    std::size_t bytes = 0;
    for (const Choice& choice : choices_) {
      bytes += choice.parts.capacity() + choice.text.capacity();
      for (const Call& call : choice.calls) bytes += call.arguments.capacity();
    }
    return bytes;
  }

 private:
  struct Call {
    std::string id, name, arguments, signature;
  };
  struct Choice {
    std::string parts;  // JSON, separated by commas; of a stream empty again once sent
    std::string text;   // of the part that is being said
    bool thought = false;
    std::vector<Call> calls;
    std::string reason;
  };

  Choice& choice_of(const ChatEvent& event) {
    if (choices_.size() <= event.lane.choice) choices_.resize(event.lane.choice + 1u);
    return choices_[event.lane.choice];
  }

  Call& call_of(const ChatEvent& event) {
    auto& calls = choice_of(event).calls;
    if (calls.size() <= event.lane.item) calls.resize(event.lane.item + 1u);
    return calls[event.lane.item];
  }

  static void add_part(Choice& choice, const std::string& part) {
    if (!choice.parts.empty()) choice.parts += ',';
    choice.parts += part;
  }

  static void close_text(Choice& choice, std::string_view signature = {}) {
    if (choice.text.empty() && signature.empty()) return;
    add_part(choice, text_part(choice.text, choice.thought, signature));
    choice.text.clear();
  }

  void take_text(const ChatEvent& event, std::string& out) {
    if (event.lane.channel == Channel::ToolArguments) {
      call_of(event).arguments += event.text;
      return;
    }
    Choice& choice = choice_of(event);
    const bool thought = event.lane.channel == Channel::Reasoning;
    if (choice.thought != thought) close_text(choice);
    choice.thought = thought;
    choice.text += event.text;
    if (!streams_) return;
    close_text(choice);
    send_parts(event.lane.choice, out);
  }

  void take_seal(const ChatEvent& event, std::string& out) {
    const std::string signature =
        signature_of({std::string(event.dialect), std::string(event.text)});
    if (event.lane.channel == Channel::ToolArguments) {
      call_of(event).signature = signature;
      return;
    }
    Choice& choice = choice_of(event);
    const bool thought = event.lane.channel == Channel::Reasoning;
    if (choice.thought != thought) close_text(choice);
    choice.thought = thought;
    close_text(choice, signature);
    if (streams_) send_parts(event.lane.choice, out);
  }

  // Calls go out whole. One whose arguments are no object cannot be said: where the model did not
  // end for want of room, that is Gemini's own reason for it.
  void take_stop(const ChatEvent& event) {
    close(choice_of(event), event.stop, reason_of(event.stop, event.raw));
  }

  static void close(Choice& choice, Stop stop, std::string_view reason) {
    close_text(choice);
    choice.reason = reason;
    for (const Call& call : choice.calls) {
      if (call.arguments.empty() || is_json_object(call.arguments)) {
        add_part(choice, call_part(call));
      } else if (stop != Stop::Length) {
        choice.reason = "MALFORMED_FUNCTION_CALL";
      }
    }
  }

  static std::string call_part(const Call& call) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("functionCall").begin_object();
    if (!call.id.empty() && !is_made(call.id)) json.field("id", call.id);
    json.field("name", call.name).key("args");
    json.raw(call.arguments.empty() ? "{}" : compact(call.arguments)).end_object();
    if (!call.signature.empty()) json.field("thoughtSignature", call.signature);
    json.end_object();
    return out;
  }

  static void write_candidate(JsonWriter& json, std::size_t index, const Choice& choice) {
    json.begin_object().key("content").begin_object();
    if (!choice.parts.empty()) json.key("parts").raw("[" + choice.parts + "]");
    json.field("role", "model").end_object();
    if (!choice.reason.empty()) json.field("finishReason", choice.reason);
    json.field("index", index).end_object();
  }

  void write_identity(JsonWriter& json) const {
    json.field("modelVersion", model_).field("responseId", id_);
  }

  void send_parts(std::size_t index, std::string& out) {
    out += "data: ";
    JsonWriter json(out);
    json.begin_object().key("candidates").begin_array();
    write_candidate(json, index, choices_[index]);
    json.end_array();
    write_identity(json);
    json.end_object();
    out += "\n\n";
    choices_[index].parts.clear();
  }

  // In a stream the reasons why it ended stand in the last chunk, with the usage.
  void write_end(std::string& out) const {
    if (streams_) out += "data: ";
    JsonWriter json(out);
    json.begin_object().key("candidates").begin_array();
    for (std::size_t i = 0; i < choices_.size(); ++i) write_candidate(json, i, choices_[i]);
    json.end_array();
    if (usage_.source != UsageSource::None) {
      json.key("usageMetadata");
      write_usage(json, usage_);
    }
    write_identity(json);
    json.end_object();
    if (streams_) out += "\n\n";
  }

  bool streams_;
  std::string id_, model_;
  std::vector<Choice> choices_;
  Usage usage_;
};

}  // namespace

std::unique_ptr<EventEncoder> GeminiDialect::encoder(const EncoderSettings& settings) const {
  return std::make_unique<Encoder>(settings);
}

}  // namespace causeway::gemini
