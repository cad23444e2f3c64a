// The neutral Chat → a request to generateContent.
#include <algorithm>
#include <string>
#include <utility>

#include "core/json_text.h"
#include "core/request_body.h"
#include "dialects/gemini/dialect.h"
#include "dialects/gemini/words.h"
#include "platform/text/json_writer.h"

namespace causeway::gemini {
namespace {

using Kind = ChatPart::Kind;

// A text that decoding takes out of Google's wrapping of a tool's result.
bool is_wrapped(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(simdjson::padded_string(text)).get_object().get(object)) return false;
  if (object.size() != 1) return false;
  const auto [name, value] = *object.begin();
  return value.is_string() && (name == "output" || name == "result" || name == "error");
}

constexpr int kLeastBudgetOfPro = 128;  // tokens that Gemini 2.5 Pro thinks at least

// What a word of effort comes to in tokens, as Google's own service of OpenAI's dialect maps it.
int budget_of(std::string_view effort) {
  if (effort == "minimal" || effort == "low") return 1024;
  return effort == "medium" ? 8192 : 24576;
}

class Encoder {
 public:
  Encoder(const Chat& chat, std::string_view model, LeftOut& left_out)
      : chat_(chat), model_(model), left_out_(left_out) {}

  std::string run() {
    out_.reserve(room_for(chat_));
    json_.begin_object();
    write_system();
    write_contents();
    write_tools();
    write_generation();
    for (const auto& other : chat_.others) {
      (other.hint ? left_out_.hints : left_out_.fields).push_back(other.field);
    }
    json_.end_object();
    return std::move(out_);
  }

 private:
  static bool is_system(const ChatMessage& message) {
    return message.role == Role::System || message.role == Role::Developer;
  }

  bool has_turns() const {
    return !std::all_of(chat_.messages.begin(), chat_.messages.end(), is_system);
  }

  // A conversation of instructions only is a question all the same.
  void write_system() {
    bool any = false;
    if (!has_turns()) return;
    for (const auto& message : chat_.messages) {
      if (!is_system(message)) continue;
      for (const auto& part : message.parts) {
        if (!std::exchange(any, true)) {
          json_.key("systemInstruction").begin_object().key("parts").begin_array();
        }
        write_text(part.text);
      }
    }
    if (any) json_.end_array().end_object();
  }

  void write_text(std::string_view text) { json_.begin_object().field("text", text).end_object(); }

  // Turns of one side that follow each other are one content, but results of tools begin theirs: in
  // a content they are read before all else.
  void write_contents() {
    json_.key("contents").begin_array();
    const bool has_turns = this->has_turns();
    std::string_view open;
    for (const auto& message : chat_.messages) {
      if (is_system(message) && has_turns) continue;
      if (!message.name.empty()) hint("messages.name");
      const std::string_view role = message.role == Role::Assistant ? "model" : "user";
      bool begins = message.role == Role::Tool;
      for (const auto& part : message.parts) {
        if (is_empty(part)) continue;
        if (std::exchange(begins, false) || role != open) {
          if (!open.empty()) json_.end_array().end_object();
          json_.begin_object().field("role", role).key("parts").begin_array();
          open = role;
        }
        write_part(part);
      }
      if (message.role == Role::Tool) write_media_of_results(message);
    }
    if (open.empty()) throw Untranslatable{"messages", "there is nothing in it"};
    json_.end_array().end_object().end_array();
  }

  // Gemini refuses parts that say nothing. Thoughts are given back only where they are signed: as
  // plain text they would be taken for an answer.
  static bool is_empty(const ChatPart& part) {
    const bool sealed = part.seal.dialect == "gemini";
    if (part.kind == Kind::Reasoning) return !sealed;
    return (part.kind == Kind::Text || part.kind == Kind::Refusal) && part.text.empty() && !sealed;
  }

  void hint(std::string field) {
    auto& hints = left_out_.hints;
    if (std::find(hints.begin(), hints.end(), field) == hints.end()) {
      hints.push_back(std::move(field));
    }
  }

  void write_seal(const ChatPart& part) {
    if (part.seal.dialect == "gemini") json_.field("thoughtSignature", part.seal.value);
  }

  void write_part(const ChatPart& part) {
    switch (part.kind) {
      case Kind::Text:
      case Kind::Refusal:
        json_.begin_object().field("text", part.text);
        write_seal(part);
        json_.end_object();
        break;
      case Kind::Reasoning:
        json_.begin_object().field("text", part.text);
        if (!part.text.empty()) json_.field("thought", true);
        write_seal(part);
        json_.end_object();
        break;
      case Kind::Image:
      case Kind::Audio:
      case Kind::Document:
        write_media(part);
        break;
      case Kind::ToolCall:
        write_call(part);
        break;
      case Kind::ToolResult:
        write_result(part);
        break;
    }
  }

  void write_media(const ChatPart& part) {
    const Media& media = part.media;
    if (part.kind == Kind::Document && !part.text.empty()) return write_text(part.text);
    if (media.data.empty() && media.url.empty()) {
      throw Untranslatable{"messages", "a file that was uploaded elsewhere is not known there"};
    }
    json_.begin_object();
    if (!media.data.empty()) {
      json_.key("inlineData").begin_object();
      json_.field("mimeType", type_of(part)).field("data", media.data).end_object();
    } else {
      json_.key("fileData").begin_object();
      json_.field("mimeType", type_of(part)).field("fileUri", media.url).end_object();
    }
    json_.end_object();
  }

  // Gemini wants a type; an address tells it by its ending.
  static std::string type_of(const ChatPart& part) {
    if (!part.media.type.empty()) return part.media.type;
    const std::string& url = part.media.url;
    const auto ends = [&](std::string_view ending) { return url.ends_with(ending); };
    if (part.kind == Kind::Document) return "application/pdf";
    if (part.kind == Kind::Audio) return ends(".mp3") ? "audio/mp3" : "audio/wav";
    if (ends(".png")) return "image/png";
    if (ends(".webp")) return "image/webp";
    if (ends(".gif")) return "image/gif";
    return "image/jpeg";
  }

  void write_call(const ChatPart& call) {
    if (!call.arguments.empty() && !is_json_object(call.arguments)) {
      throw Untranslatable{"messages", "the arguments of a tool call are no JSON object"};
    }
    json_.begin_object().key("functionCall").begin_object();
    write_id(call.id);
    json_.field("name", call.name).key("args");
    json_.raw(call.arguments.empty() ? std::string_view("{}") : call.arguments).end_object();
    write_seal(call);
    json_.end_object();
  }

  void write_id(std::string_view id) {
    if (!id.empty() && !is_made(id)) json_.field("id", id);
  }

  void write_result(const ChatPart& result) {
    if (result.name.empty()) {
      throw Untranslatable{"messages", "a tool result belongs to no call in the conversation"};
    }
    std::string text;
    for (const auto& part : result.content) {
      if (!has_media(part)) text += part.text;
    }
    json_.begin_object().key("functionResponse").begin_object();
    write_id(result.id);
    json_.field("name", result.name).key("response");
    // A tool that speaks JSON says it as the object that is wanted here.
    const bool bare = text.starts_with('{') && text.ends_with('}');
    if (!result.failed && bare && is_json_object(text) && !is_wrapped(text)) {
      json_.raw(text);
    } else {
      json_.begin_object();
      json_.field(result.failed ? std::string_view("error") : std::string_view("output"), text);
      json_.end_object();
    }
    json_.end_object().end_object();
  }

  static bool has_media(const ChatPart& part) {
    return !part.media.data.empty() || !part.media.url.empty();
  }

  // A result holds an object only: pictures that a tool gave follow behind all results.
  void write_media_of_results(const ChatMessage& message) {
    for (const auto& result : message.parts) {
      for (const auto& part : result.content) {
        if (has_media(part)) write_media(part);
      }
    }
  }

  void write_tools() {
    if (chat_.parallel_tools && !*chat_.parallel_tools) {
      left_out_.fields.push_back("parallel_tool_calls");
    }
    if (chat_.tools.empty()) return;
    json_.key("tools").begin_array().begin_object().key("functionDeclarations").begin_array();
    for (const auto& tool : chat_.tools) {
      json_.begin_object().field("name", tool.name);
      if (!tool.description.empty()) json_.field("description", tool.description);
      if (!tool.schema.empty()) json_.key("parametersJsonSchema").raw(tool.schema);
      if (tool.strict) hint("tools.strict");
      json_.end_object();
    }
    json_.end_array().end_object().end_array();
    using Choice = ToolChoice::Kind;
    const auto& choice = chat_.tool_choice;
    if (choice.kind == Choice::Unset) return;
    json_.key("toolConfig").begin_object().key("functionCallingConfig").begin_object();
    json_.field("mode", choice.kind == Choice::None   ? "NONE"
                        : choice.kind == Choice::Auto ? "AUTO"
                                                      : "ANY");
    if (choice.kind == Choice::Named) {
      json_.key("allowedFunctionNames").begin_array().string(choice.name).end_array();
    }
    json_.end_object().end_object();
  }

  void write_generation() {
    json_.key("generationConfig").begin_object();
    if (chat_.max_tokens) json_.field("maxOutputTokens", *chat_.max_tokens);
    if (chat_.temperature) json_.field("temperature", *chat_.temperature);
    if (chat_.top_p) json_.field("topP", *chat_.top_p);
    if (chat_.top_k) json_.field("topK", *chat_.top_k);
    if (chat_.frequency_penalty) json_.field("frequencyPenalty", *chat_.frequency_penalty);
    if (chat_.presence_penalty) json_.field("presencePenalty", *chat_.presence_penalty);
    if (chat_.seed) json_.field("seed", *chat_.seed);
    if (chat_.choices != 1) json_.field("candidateCount", chat_.choices);
    if (chat_.logprobs.value_or(false)) left_out_.fields.push_back("logprobs");
    if (!chat_.user.empty()) hint("user");
    if (!chat_.stop.empty()) {
      json_.key("stopSequences").begin_array();
      for (const auto& stop : chat_.stop) json_.string(stop);
      json_.end_array();
    }
    const auto& format = chat_.format;
    if (format.kind == ResponseFormat::Kind::JsonObject ||
        format.kind == ResponseFormat::Kind::JsonSchema) {
      json_.field("responseMimeType", "application/json");
      if (!format.schema.empty()) json_.key("responseJsonSchema").raw(format.schema);
    }
    write_thinking();
    json_.end_object();
  }

  // From its third generation on, Gemini is told how much to think by a word.
  bool knows_levels() const {
    return model_.find("gemini-") != model_.npos && model_.find("gemini-1") == model_.npos &&
           model_.find("gemini-2") == model_.npos;
  }

  bool is_model(std::string_view word) const { return model_.find(word) != model_.npos; }

  // Before Gemini 2.5, and the open models, know no thinking and refuse to be told about it.
  bool thinks() const {
    return !is_model("gemini-1") && !is_model("gemini-2.0") && !is_model("gemma");
  }

  void write_thinking() {
    const auto& reasoning = chat_.reasoning;
    const std::string& effort = reasoning.effort;
    if (!reasoning.budget && !reasoning.off && !reasoning.visible && effort.empty()) return;
    if (!thinks()) {
      if (!reasoning.off) hint("reasoning");
      return;
    }
    json_.key("thinkingConfig").begin_object();
    if (reasoning.visible) json_.field("includeThoughts", true);
    if (reasoning.off) {
      write_least_thinking();
    } else if (reasoning.budget) {
      json_.field("thinkingBudget", *reasoning.budget);
    } else if (!effort.empty() && knows_levels()) {
      json_.field("thinkingLevel", effort == "minimal"  ? "MINIMAL"
                                   : effort == "low"    ? "LOW"
                                   : effort == "medium" ? "MEDIUM"
                                                        : "HIGH");
    } else if (!effort.empty()) {
      json_.field("thinkingBudget", budget_of(effort));
    }
    json_.end_object();
  }

  // Only Flash of the second generation can be told not to think at all.
  void write_least_thinking() {
    const bool pro = is_model("-pro");
    if (pro || knows_levels()) hint("reasoning");
    if (knows_levels()) {
      json_.field("thinkingLevel", pro ? "LOW" : "MINIMAL");
    } else {
      json_.field("thinkingBudget", pro ? kLeastBudgetOfPro : 0);
    }
  }

  const Chat& chat_;
  std::string_view model_;
  LeftOut& left_out_;
  std::string out_;
  text::JsonWriter json_{out_};
};

}  // namespace

Result<std::string> GeminiDialect::encode(const Chat& chat, std::string_view upstream_model,
                                          LeftOut& left_out) const {
  try {
    return Encoder(chat, upstream_model, left_out).run();
  } catch (const Untranslatable& part) {
    return refused(part);
  }
}

}  // namespace causeway::gemini
