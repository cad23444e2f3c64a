// The neutral Chat → a chat completion's request.
#include <algorithm>
#include <array>

#include "dialects/openai/dialect.h"
#include "platform/text/json_writer.h"

namespace causeway::openai {
namespace {

using Kind = ChatPart::Kind;

// OpenAI's own reasoning models refuse the old name of the limit; other servers know only that.
bool knows_new_limit(std::string_view model) {
  constexpr std::array<std::string_view, 4> kFamilies = {"o1", "o3", "o4", "gpt-5"};
  return std::any_of(kFamilies.begin(), kFamilies.end(),
                     [&](std::string_view family) { return model.starts_with(family); });
}

class Encoder {
 public:
  Encoder(const Chat& chat, LeftOut& left_out) : chat_(chat), left_out_(left_out) {}

  Result<std::string> run(std::string_view model) {
    out_.reserve(room_for(chat_));
    json_.begin_object().field("model", model);
    json_.key("messages").begin_array();
    for (const auto& message : chat_.messages) write_message(message);
    json_.end_array();
    write_tools();
    write_numbers(model);
    write_format();
    write_reasoning();
    if (chat_.stream) {
      json_.field("stream", true).key("stream_options").raw(R"({"include_usage":true})");
    }
    for (const auto& other : chat_.others) {
      (other.hint ? left_out_.hints : left_out_.fields).push_back(other.field);
    }
    json_.end_object();
    if (error_) return std::unexpected(std::move(*error_));
    return std::move(out_);
  }

 private:
  void refuse(std::string field, std::string why) {
    if (error_) return;
    auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                      "\"" + field + "\" cannot be translated for an OpenAI target: " + why,
                      "unsupported_field");
    error.error().param = std::move(field);
    error_ = std::move(error).error();
  }

  void write_message(const ChatMessage& message) {
    switch (message.role) {
      case Role::Tool:
      case Role::Function:
        for (const auto& part : message.parts) write_result(part);
        write_media_of_results(message);
        break;
      case Role::Assistant:
        write_assistant(message);
        break;
      default: {
        const bool system = message.role == Role::System || message.role == Role::Developer;
        json_.begin_object().field("role", system ? "system" : "user");
        if (!message.name.empty()) json_.field("name", message.name);
        json_.key("content");
        write_content(message.parts);
        json_.end_object();
      }
    }
  }

  void write_assistant(const ChatMessage& message) {
    std::string text, refusal;
    bool has_text = false, has_calls = false;
    for (const auto& part : message.parts) {
      if (part.kind == Kind::Text) {
        text += part.text;
        has_text = true;
      }
      if (part.kind == Kind::Refusal) refusal += part.text;
      has_calls |= part.kind == Kind::ToolCall;
    }
    json_.begin_object().field("role", "assistant").key("content");
    if (has_text || !has_calls) {
      json_.string(text);
    } else {
      json_.null();
    }
    if (!message.name.empty()) json_.field("name", message.name);
    if (!refusal.empty()) json_.field("refusal", refusal);
    if (has_calls) {
      json_.key("tool_calls").begin_array();
      for (const auto& part : message.parts) {
        if (part.kind == Kind::ToolCall) write_call(part);
      }
      json_.end_array();
    }
    json_.end_object();
  }

  void write_call(const ChatPart& call) {
    json_.begin_object().field("id", call.id).field("type", "function");
    json_.key("function").begin_object().field("name", call.name);
    json_.field("arguments", call.arguments.empty() ? "{}" : call.arguments).end_object();
    if (call.seal.dialect == "gemini") {
      json_.key("extra_content").begin_object().key("google").begin_object();
      json_.field("thought_signature", call.seal.value).end_object().end_object();
    }
    json_.end_object();
  }

  void write_result(const ChatPart& result) {
    if (result.kind != Kind::ToolResult) return;
    std::string text;
    for (const auto& part : result.content) {
      if (part.kind == Kind::Text || part.media.data.empty()) text += part.text;
    }
    json_.begin_object().field("role", "tool").field("tool_call_id", result.id);
    json_.field("content", text).end_object();
  }

  // A tool's message holds text only: pictures that a tool gave follow as the user's.
  void write_media_of_results(const ChatMessage& message) {
    std::vector<ChatPart> media;
    for (const auto& result : message.parts) {
      for (const auto& part : result.content) {
        if (part.kind == Kind::Image || (part.kind == Kind::Document && part.text.empty())) {
          media.push_back(part);
        }
      }
    }
    if (media.empty()) return;
    json_.begin_object().field("role", "user").key("content");
    write_content(media);
    json_.end_object();
  }

  void write_content(const std::vector<ChatPart>& parts) {
    if (parts.size() == 1 && parts.front().kind == Kind::Text) {
      json_.string(parts.front().text);
      return;
    }
    json_.begin_array();
    for (const auto& part : parts) write_part(part);
    json_.end_array();
  }

  static std::string address_of(const Media& media) {
    if (!media.url.empty()) return media.url;
    return "data:" + media.type + ";base64," + media.data;
  }

  void write_part(const ChatPart& part) {
    switch (part.kind) {
      case Kind::Text:
      case Kind::Refusal:
      case Kind::Reasoning:
        json_.begin_object().field("type", "text").field("text", part.text).end_object();
        break;
      case Kind::Image:
        if (part.media.data.empty() && part.media.url.empty()) {
          return refuse("messages", "an image that was uploaded elsewhere is not known there.");
        }
        json_.begin_object().field("type", "image_url").key("image_url").begin_object();
        json_.field("url", address_of(part.media));
        if (!part.media.detail.empty()) json_.field("detail", part.media.detail);
        json_.end_object().end_object();
        break;
      case Kind::Audio:
        if (part.media.data.empty()) {
          return refuse("messages", "audio must be in the request itself.");
        }
        json_.begin_object().field("type", "input_audio").key("input_audio").begin_object();
        json_.field("data", part.media.data);
        json_.field("format", part.media.type.substr(part.media.type.find('/') + 1));
        json_.end_object().end_object();
        break;
      case Kind::Document:
        write_document(part);
        break;
      default:
        refuse("messages", "a tool call or its result stands where only content may.");
    }
  }

  void write_document(const ChatPart& part) {
    if (!part.text.empty()) {
      json_.begin_object().field("type", "text").field("text", part.text).end_object();
      return;
    }
    if (part.media.data.empty()) {
      return refuse("messages", "a document must be in the request itself.");
    }
    json_.begin_object().field("type", "file").key("file").begin_object();
    json_.field("filename", part.media.name.empty() ? "document.pdf" : part.media.name);
    json_.field("file_data", address_of(part.media)).end_object().end_object();
  }

  void write_tools() {
    if (!chat_.tools.empty()) {
      json_.key("tools").begin_array();
      for (const auto& tool : chat_.tools) {
        json_.begin_object().field("type", "function").key("function").begin_object();
        json_.field("name", tool.name);
        if (!tool.description.empty()) json_.field("description", tool.description);
        if (!tool.schema.empty()) json_.key("parameters").raw(tool.schema);
        if (tool.strict) json_.field("strict", true);
        json_.end_object().end_object();
      }
      json_.end_array();
    }
    switch (chat_.tool_choice.kind) {
      case ToolChoice::Kind::Unset:
        break;
      case ToolChoice::Kind::Auto:
        json_.field("tool_choice", "auto");
        break;
      case ToolChoice::Kind::None:
        json_.field("tool_choice", "none");
        break;
      case ToolChoice::Kind::Required:
        json_.field("tool_choice", "required");
        break;
      case ToolChoice::Kind::Named:
        json_.key("tool_choice").begin_object().field("type", "function");
        json_.key("function").begin_object().field("name", chat_.tool_choice.name);
        json_.end_object().end_object();
        break;
    }
    if (chat_.parallel_tools && !chat_.tools.empty()) {
      json_.field("parallel_tool_calls", *chat_.parallel_tools);
    }
  }

  void write_numbers(std::string_view model) {
    if (chat_.max_tokens) {
      if (knows_new_limit(model)) {
        json_.field("max_completion_tokens", *chat_.max_tokens);
      } else {
        json_.field("max_tokens", *chat_.max_tokens);
      }
    }
    if (chat_.temperature) json_.field("temperature", *chat_.temperature);
    if (chat_.top_p) json_.field("top_p", *chat_.top_p);
    if (chat_.frequency_penalty) json_.field("frequency_penalty", *chat_.frequency_penalty);
    if (chat_.presence_penalty) json_.field("presence_penalty", *chat_.presence_penalty);
    if (chat_.top_k) left_out_.fields.push_back("top_k");
    if (chat_.seed) json_.field("seed", *chat_.seed);
    if (chat_.choices != 1) json_.field("n", chat_.choices);
    if (chat_.logprobs) json_.field("logprobs", *chat_.logprobs);
    if (chat_.top_logprobs) json_.field("top_logprobs", *chat_.top_logprobs);
    if (!chat_.user.empty()) json_.field("user", chat_.user);
    if (chat_.stop.empty()) return;
    json_.key("stop").begin_array();
    for (const auto& stop : chat_.stop) json_.string(stop);
    json_.end_array();
  }

  void write_format() {
    const auto& format = chat_.format;
    switch (format.kind) {
      case ResponseFormat::Kind::Unset:
      case ResponseFormat::Kind::Text:
        break;
      case ResponseFormat::Kind::JsonObject:
        json_.key("response_format").raw(R"({"type":"json_object"})");
        break;
      case ResponseFormat::Kind::JsonSchema:
        json_.key("response_format").begin_object().field("type", "json_schema");
        json_.key("json_schema").begin_object();
        json_.field("name", format.name.empty() ? "answer" : format.name);
        if (!format.description.empty()) json_.field("description", format.description);
        if (!format.schema.empty()) json_.key("schema").raw(format.schema);
        if (format.strict) json_.field("strict", true);
        json_.end_object().end_object();
        break;
    }
  }

  // A budget in tokens becomes the nearest word that there is.
  void write_reasoning() {
    const auto& reasoning = chat_.reasoning;
    if (!reasoning.effort.empty()) {
      json_.field("reasoning_effort", reasoning.effort);
    } else if (reasoning.budget && *reasoning.budget > 0) {
      json_.field("reasoning_effort", *reasoning.budget <= 2048   ? "low"
                                      : *reasoning.budget <= 8192 ? "medium"
                                                                  : "high");
    } else if (reasoning.off) {
      // Most models here have no word for it, and some think all the same.
      left_out_.hints.emplace_back("reasoning");
    }
  }

  const Chat& chat_;
  LeftOut& left_out_;
  std::string out_;
  text::JsonWriter json_{out_};
  std::optional<Error> error_;
};

}  // namespace

Result<std::string> OpenAiDialect::encode(const Chat& chat, std::string_view upstream_model,
                                          LeftOut& left_out) const {
  return Encoder(chat, left_out).run(upstream_model);
}

}  // namespace causeway::openai
