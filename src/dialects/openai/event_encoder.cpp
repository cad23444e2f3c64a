// Neutral events → a chat completion: its chunks, or the whole object.
#include <string>
#include <utility>
#include <vector>

#include "dialects/openai/dialect.h"
#include "dialects/openai/words.h"
#include "platform/text/json_writer.h"

namespace causeway::openai {
namespace {

using Kind = ChatEvent::Kind;
using text::JsonWriter;

void write_usage(JsonWriter& json, const Usage& usage) {
  json.begin_object().field("prompt_tokens", usage.input());
  json.field("completion_tokens", usage.output());
  json.field("total_tokens", usage.input() + usage.output());
  json.key("prompt_tokens_details").begin_object().field("cached_tokens", usage.cache_read);
  if (usage.cache_write) json.field("cache_write_tokens", usage.cache_write);
  if (usage.audio_in) json.field("audio_tokens", usage.audio_in);
  json.end_object().key("completion_tokens_details").begin_object();
  json.field("reasoning_tokens", usage.reasoning);
  if (usage.audio_out) json.field("audio_tokens", usage.audio_out);
  json.end_object().end_object();
}

/// What a reasoning model wants back unchanged: a thought with its seal, or the seal alone.
struct Sealed {
  std::string text, dialect, value;
  bool hidden = false;
};

void write_sealed(JsonWriter& json, const Sealed& sealed) {
  json.begin_object();
  json.field("type", sealed.hidden ? "reasoning.encrypted" : "reasoning.text");
  json.field("format", sealed.dialect);
  if (sealed.hidden) {
    json.field("data", sealed.value);
  } else {
    json.field("text", sealed.text).field("signature", sealed.value);
  }
  json.end_object();
}

void write_thought(JsonWriter& json, std::string_view signature) {
  json.key("extra_content").begin_object().key("google").begin_object();
  json.field("thought_signature", signature).end_object().end_object();
}

/// What every object of the answer begins with.
class Identity {
 public:
  explicit Identity(const EncoderSettings& settings)
      : id_(settings.id), model_(settings.model), created_(settings.created) {}

  void take(const ChatEvent& begin) {
    if (!begin.id.empty()) id_ = begin.id;
    if (!begin.name.empty()) model_ = begin.name;
    if (begin.created) created_ = begin.created;
  }
  void write(JsonWriter& json, std::string_view object) const {
    json.begin_object().field("id", id_).field("object", object);
    json.field("created", created_).field("model", model_);
  }

 private:
  std::string id_, model_;
  std::int64_t created_;
};

class StreamEncoder final : public EventEncoder {
 public:
  explicit StreamEncoder(const EncoderSettings& settings) : identity_(settings) {}

  void event(const ChatEvent& event, std::string& out) override {
    switch (event.kind) {
      case Kind::Begin:
        identity_.take(event);
        break;
      case Kind::Text:
      case Kind::ToolCall:
      case Kind::Seal:
      case Kind::Citation:
      case Kind::Stop:
        chunk(event, out);
        break;
      case Kind::Usage:
        usage_ = *event.usage;
        break;
      case Kind::End:
        if (usage_.source != UsageSource::None) usage_chunk(out);
        out += "data: [DONE]\n\n";
        break;
    }
  }

  std::size_t kept() const override { return thought_.capacity(); }

 private:
  // The first piece of a choice tells the role as well.
  void chunk(const ChatEvent& event, std::string& out) {
    out += "data: ";
    JsonWriter json(out);
    identity_.write(json, "chat.completion.chunk");
    json.key("choices").begin_array().begin_object().field("index", event.lane.choice);
    json.key("delta").begin_object();
    if (choices_.size() <= event.lane.choice) choices_.resize(event.lane.choice + 1u);
    if (!choices_[event.lane.choice]) json.field("role", "assistant");
    choices_[event.lane.choice] = true;
    delta(event, json);
    json.end_object().key("logprobs").null().key("finish_reason");
    if (event.kind == Kind::Stop) {
      json.string(reason_of(event.stop, event.raw));
    } else {
      json.null();
    }
    json.end_object().end_array().end_object();
    out += "\n\n";
  }

  // The thought that the seal belongs to, once more and whole.
  Sealed take_thought(const ChatEvent& seal) {
    Sealed sealed{{}, std::string(seal.dialect), std::string(seal.text), seal.hidden};
    if (!seal.hidden) sealed.text = std::exchange(thought_, {});
    return sealed;
  }

  void delta(const ChatEvent& event, JsonWriter& json) {
    switch (event.kind) {
      case Kind::Text:
        text_delta(event, json);
        break;
      case Kind::ToolCall:
        json.key("tool_calls").begin_array().begin_object().field("index", event.lane.item);
        json.field("id", event.id).field("type", "function").key("function").begin_object();
        json.field("name", event.name).field("arguments", "").end_object();
        json.end_object().end_array();
        break;
      case Kind::Seal:
        if (event.lane.channel == Channel::ToolArguments) {
          json.key("tool_calls").begin_array().begin_object().field("index", event.lane.item);
          json.key("function").begin_object().field("arguments", "").end_object();
          write_thought(json, event.text);
          json.end_object().end_array();
        } else {
          json.key("reasoning_details").begin_array();
          write_sealed(json, take_thought(event));
          json.end_array();
        }
        break;
      case Kind::Citation:
        json.key("annotations").begin_array().raw(event.text).end_array();
        break;
      default:
        break;
    }
  }

  void text_delta(const ChatEvent& event, JsonWriter& json) {
    switch (event.lane.channel) {
      case Channel::Content:
        json.field("content", event.text);
        break;
      case Channel::Reasoning:
        json.field("reasoning_content", event.text);
        if (event.lane.choice == 0) thought_ += event.text;
        break;
      case Channel::Refusal:
        json.field("refusal", event.text);
        break;
      case Channel::ToolArguments:
        json.key("tool_calls").begin_array().begin_object().field("index", event.lane.item);
        json.key("function").begin_object().field("arguments", event.text).end_object();
        json.end_object().end_array();
        break;
    }
  }

  void usage_chunk(std::string& out) {
    out += "data: ";
    JsonWriter json(out);
    identity_.write(json, "chat.completion.chunk");
    json.key("choices").begin_array().end_array().key("usage");
    write_usage(json, usage_);
    json.end_object();
    out += "\n\n";
  }

  Identity identity_;
  std::vector<bool> choices_;  // that have begun
  std::string thought_;        // of the first choice, until its seal
  Usage usage_;
};

class WholeEncoder final : public EventEncoder {
 public:
  explicit WholeEncoder(const EncoderSettings& settings) : identity_(settings) {}

  void event(const ChatEvent& event, std::string& out) override {
    if (event.kind == Kind::Begin) return identity_.take(event);
    if (event.kind == Kind::End) return write(out);
    if (event.kind == Kind::Usage) {
      usage_ = *event.usage;
      return;
    }
    if (choices_.size() <= event.lane.choice) choices_.resize(event.lane.choice + 1u);
    take(event, choices_[event.lane.choice]);
  }

 private:
  struct Call {
    std::string id, name, arguments, thought;
  };
  struct Choice {
    bool has_content = false;
    std::string content, reasoning, refusal, reason, citations;
    std::vector<Sealed> seals;
    std::size_t sealed_bytes = 0;  // of the reasoning, those before the last seal
    std::vector<Call> calls;
  };

  static Call& call_of(Choice& choice, std::uint16_t item) {
    if (choice.calls.size() <= item) choice.calls.resize(item + 1u);
    return choice.calls[item];
  }

  static void take(const ChatEvent& event, Choice& choice) {
    switch (event.kind) {
      case Kind::Text:
        take_text(event, choice);
        break;
      case Kind::ToolCall: {
        Call& call = call_of(choice, event.lane.item);
        call.id = event.id;
        call.name = event.name;
        break;
      }
      case Kind::Seal:
        if (event.lane.channel == Channel::ToolArguments) {
          call_of(choice, event.lane.item).thought = event.text;
        } else {
          seal(event, choice);
        }
        break;
      case Kind::Citation:
        if (!choice.citations.empty()) choice.citations += ',';
        choice.citations += event.text;
        break;
      case Kind::Stop:
        choice.reason = reason_of(event.stop, event.raw);
        break;
      default:
        break;
    }
  }

  static void seal(const ChatEvent& event, Choice& choice) {
    Sealed sealed{{}, std::string(event.dialect), std::string(event.text), event.hidden};
    if (!event.hidden) {
      sealed.text = choice.reasoning.substr(choice.sealed_bytes);
      choice.sealed_bytes = choice.reasoning.size();
    }
    choice.seals.push_back(std::move(sealed));
  }

  static void take_text(const ChatEvent& event, Choice& choice) {
    switch (event.lane.channel) {
      case Channel::Content:
        choice.content += event.text;
        choice.has_content = true;
        break;
      case Channel::Reasoning:
        choice.reasoning += event.text;
        break;
      case Channel::Refusal:
        choice.refusal += event.text;
        break;
      case Channel::ToolArguments:
        call_of(choice, event.lane.item).arguments += event.text;
        break;
    }
  }

  void write(std::string& out) const {
    JsonWriter json(out);
    identity_.write(json, "chat.completion");
    json.key("choices").begin_array();
    for (std::size_t i = 0; i < choices_.size(); ++i) write_choice(json, i, choices_[i]);
    json.end_array();
    if (usage_.source != UsageSource::None) {
      json.key("usage");
      write_usage(json, usage_);
    }
    json.end_object();
  }

  static void write_choice(JsonWriter& json, std::size_t index, const Choice& choice) {
    json.begin_object().field("index", index).key("message").begin_object();
    json.field("role", "assistant").key("content");
    if (choice.has_content) {
      json.string(choice.content);
    } else {
      json.null();
    }
    json.key("refusal");
    if (choice.refusal.empty()) {
      json.null();
    } else {
      json.string(choice.refusal);
    }
    if (!choice.reasoning.empty()) json.field("reasoning_content", choice.reasoning);
    if (!choice.seals.empty()) {
      json.key("reasoning_details").begin_array();
      for (const auto& sealed : choice.seals) write_sealed(json, sealed);
      json.end_array();
    }
    if (!choice.citations.empty()) json.key("annotations").raw("[" + choice.citations + "]");
    if (!choice.calls.empty()) {
      json.key("tool_calls").begin_array();
      for (const auto& call : choice.calls) write_call(json, call);
      json.end_array();
    }
    json.end_object().key("logprobs").null().key("finish_reason").string(choice.reason);
    json.end_object();
  }

  static void write_call(JsonWriter& json, const Call& call) {
    json.begin_object().field("id", call.id).field("type", "function");
    json.key("function").begin_object().field("name", call.name);
    json.field("arguments", call.arguments).end_object();
    if (!call.thought.empty()) write_thought(json, call.thought);
    json.end_object();
  }

  Identity identity_;
  std::vector<Choice> choices_;
  Usage usage_;
};

}  // namespace

std::unique_ptr<EventEncoder> OpenAiDialect::encoder(const EncoderSettings& settings) const {
  if (settings.stream) return std::make_unique<StreamEncoder>(settings);
  return std::make_unique<WholeEncoder>(settings);
}

}  // namespace causeway::openai
