// A request to generateContent → the neutral Chat.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/request_body.h"
#include "dialects/gemini/dialect.h"
#include "dialects/gemini/names.h"
#include "dialects/gemini/usage.h"

namespace causeway::gemini {
namespace {

using json::boolean_of, json::each_element, json::each_member, json::integer_of, json::is_string,
    json::number_of, json::raw_of, json::text_of;

class Decoder {
 public:
  Chat run(od::object body) {
    each_member(body, [this](std::string_view key, od::value value) {
      if (!json::is_null(value)) top(key, value);
    });
    if (!system_.parts.empty()) {
      system_.role = Role::System;
      chat_.messages.insert(chat_.messages.begin(), std::move(system_));
    }
    return std::move(chat_);
  }

 private:
  void other(std::string field, od::value value, bool hint) {
    const std::string_view raw = raw_of(value);
    if (raw == "{}" || raw == "[]") return;
    chat_.others.push_back({std::move(field), std::string(raw), hint});
  }

  void top(std::string_view key, od::value value) {
    if (key == "contents") {
      each_element(value, [this](od::value content) { read_content(content); });
    } else if (is(key, "systemInstruction", "system_instruction")) {
      read_system(value);
    } else if (key == "tools") {
      each_element(value, [this](od::value tool) { read_tool(tool); });
    } else if (is(key, "toolConfig", "tool_config")) {
      read_tool_config(value);
    } else if (is(key, "generationConfig", "generation_config")) {
      each_member(value, [this](std::string_view name, od::value one) {
        if (!json::is_null(one)) read_setting(name, one);
      });
    } else {
      const bool hint = is(key, "safetySettings", "safety_settings") || key == "labels";
      other(std::string(key), value, hint);
    }
  }

  void read_system(od::value value) {
    if (is_string(value)) {
      system_.parts.emplace_back().text = text_of(value);
      return;
    }
    each_member(value, [this](std::string_view key, od::value one) {
      if (key == "text") system_.parts.emplace_back().text = text_of(one);
      if (key == "parts") read_parts(one, system_);
    });
  }

  std::string at() const { return "contents[" + std::to_string(content_) + "]"; }

  // Results of tools stand in the user's content here, in a message of their own in a Chat.
  void read_content(od::value value) {
    ChatMessage message;
    std::string role;
    each_member(value, [&](std::string_view key, od::value one) {
      if (key == "role") role = text_of(one);
      if (key == "parts") read_parts(one, message);
    });
    message.role = role == "model" ? Role::Assistant : Role::User;
    ChatMessage results;
    results.role = Role::Tool;
    std::erase_if(message.parts, [&](ChatPart& part) {
      if (part.kind != ChatPart::Kind::ToolResult) return false;
      results.parts.push_back(std::move(part));
      return true;
    });
    if (!results.parts.empty()) chat_.messages.push_back(std::move(results));
    if (!message.parts.empty()) chat_.messages.push_back(std::move(message));
    ++content_;
  }

  void read_parts(od::value value, ChatMessage& message) {
    if (value.type() == od::json_type::object) return read_part(value, message);
    each_element(value, [&](od::value part) { read_part(part, message); });
  }

  void read_part(od::value value, ChatMessage& message) {
    ChatPart part;
    bool thought = false, known = false;
    each_member(value, [&](std::string_view key, od::value one) {
      if (key == "text") {
        part.text = text_of(one);
        known = true;
      } else if (key == "thought") {
        thought = boolean_of(one).value_or(false);
      } else if (is(key, "thoughtSignature", "thought_signature")) {
        part.seal = {"gemini", std::string(text_of(one))};
      } else if (is(key, "inlineData", "inline_data") || is(key, "fileData", "file_data")) {
        read_media(one, part);
        known = true;
      } else if (is(key, "functionCall", "function_call")) {
        read_call(one, part);
        known = true;
      } else if (is(key, "functionResponse", "function_response")) {
        read_result(one, part);
        known = true;
      }
    });
    if (!known)
      throw Untranslatable{at() + ".parts", "a part of this kind exists only in Gemini's dialect"};
    if (thought) part.kind = ChatPart::Kind::Reasoning;
    message.parts.push_back(std::move(part));
  }

  static void read_media(od::value value, ChatPart& part) {
    each_member(value, [&](std::string_view key, od::value one) {
      if (is(key, "mimeType", "mime_type")) {
        part.media.type = text_of(one);
      } else if (key == "data") {
        part.media.data = text_of(one);
      } else if (is(key, "fileUri", "file_uri")) {
        part.media.url = text_of(one);
      } else if (is(key, "displayName", "display_name")) {
        part.media.name = text_of(one);
      }
    });
    // base64 of either alphabet is taken here, others know the usual one.
    for (char& c : part.media.data) c = c == '-' ? '+' : c == '_' ? '/' : c;
    const std::string& type = part.media.type;
    part.kind = type.starts_with("image/")   ? ChatPart::Kind::Image
                : type.starts_with("audio/") ? ChatPart::Kind::Audio
                                             : ChatPart::Kind::Document;
  }

  // Calls without an id get one by their order; results find theirs by name.
  void read_call(od::value value, ChatPart& part) {
    part.kind = ChatPart::Kind::ToolCall;
    part.arguments = "{}";
    each_member(value, [&](std::string_view key, od::value one) {
      if (key == "id") {
        part.id = text_of(one);
      } else if (key == "name") {
        part.name = text_of(one);
      } else if (key == "args" && !json::is_null(one)) {
        part.arguments = raw_of(one);
      }
    });
    if (part.id.empty()) part.id = "call_" + std::to_string(++calls_);
    open_calls_.emplace_back(part.name, part.id);
  }

  void read_result(od::value value, ChatPart& part) {
    part.kind = ChatPart::Kind::ToolResult;
    std::string output, raw;
    bool only_output = true;
    each_member(value, [&](std::string_view key, od::value one) {
      if (key == "id") {
        part.id = text_of(one);
      } else if (key == "name") {
        part.name = text_of(one);
      } else if (key == "response") {
        raw = raw_of(one);
      }
    });
    read_response(raw, output, only_output, part.failed);
    part.content.emplace_back().text = only_output ? output : raw;
    const auto open = std::find_if(open_calls_.begin(), open_calls_.end(), [&](const auto& call) {
      return part.id.empty() ? call.first == part.name : call.second == part.id;
    });
    if (open == open_calls_.end()) return;
    if (part.id.empty()) part.id = open->second;
    open_calls_.erase(open);
  }

  // {"output":"text"} or {"error":"text"} are texts; whatever else stays JSON. A reader of its own:
  // the one that reads the request stands in the middle of it.
  static void read_response(const std::string& raw, std::string& output, bool& only_output,
                            bool& failed) {
    only_output = false;
    std::size_t members = 0;
    od::parser parser;
    const simdjson::padded_string padded(raw);
    od::document document = parser.iterate(padded);
    each_member(json::take(document.get_object()), [&](std::string_view key, od::value one) {
      ++members;
      if ((key != "output" && key != "result" && key != "error") || !is_string(one)) return;
      only_output = true;
      failed = key == "error";
      output = text_of(one);
    });
    if (members != 1) only_output = failed = false;
  }

  void read_tool(od::value value) {
    each_member(value, [&](std::string_view key, od::value one) {
      if (!is(key, "functionDeclarations", "function_declarations")) {
        throw Untranslatable{"tools." + std::string(key), "it runs at Google only"};
      }
      each_element(one, [this](od::value declaration) { read_declaration(declaration); });
    });
  }

  void read_declaration(od::value value) {
    ChatTool tool;
    each_member(value, [&](std::string_view key, od::value one) {
      if (key == "name") {
        tool.name = text_of(one);
      } else if (key == "description") {
        tool.description = text_of(one);
      } else if (is(key, "parametersJsonSchema", "parameters_json_schema")) {
        tool.schema = raw_of(one);
      } else if (key == "parameters" && !json::is_null(one)) {
        tool.schema = json_schema_of(raw_of(one));
      }
    });
    chat_.tools.push_back(std::move(tool));
  }

  // Google's own schemas name types in capitals, JSON Schema in small letters.
  static std::string json_schema_of(std::string_view schema) {
    std::string out(schema);
    for (std::size_t at = 0; (at = out.find("\"type\"", at)) != out.npos; ++at) {
      std::size_t i = out.find_first_not_of(" \t\r\n", at + 6);
      if (i == out.npos || out[i] != ':') continue;
      i = out.find_first_not_of(" \t\r\n", i + 1);
      if (i == out.npos || out[i] != '"') continue;
      for (++i; i < out.size() && out[i] >= 'A' && out[i] <= 'Z'; ++i) out[i] += 'a' - 'A';
    }
    return out;
  }

  void read_tool_config(od::value value) {
    each_member(value, [this](std::string_view key, od::value config) {
      if (!is(key, "functionCallingConfig", "function_calling_config")) {
        return other("toolConfig." + std::string(key), config, true);
      }
      using Kind = ToolChoice::Kind;
      auto& choice = chat_.tool_choice;
      each_member(config, [&](std::string_view name, od::value one) {
        if (name == "mode") {
          const std::string_view mode = text_of(one);
          choice.kind = mode == "NONE" ? Kind::None : mode == "ANY" ? Kind::Required : Kind::Auto;
        } else if (is(name, "allowedFunctionNames", "allowed_function_names")) {
          std::size_t count = 0;
          each_element(one, [&](od::value allowed) {
            ++count;
            choice.name = text_of(allowed);
          });
          if (count > 1)
            throw Untranslatable{"toolConfig", "a choice among some tools is known to Gemini only"};
        }
      });
      if (choice.kind == Kind::Required && !choice.name.empty()) choice.kind = Kind::Named;
    });
  }

  void read_setting(std::string_view key, od::value value) {
    if (is(key, "maxOutputTokens", "max_output_tokens")) {
      chat_.max_tokens = count_of(value);
    } else if (key == "temperature") {
      chat_.temperature = number_of(value);
    } else if (is(key, "topP", "top_p")) {
      chat_.top_p = number_of(value);
    } else if (is(key, "topK", "top_k")) {
      if (const auto number = number_of(value)) chat_.top_k = static_cast<std::uint32_t>(*number);
    } else if (is(key, "candidateCount", "candidate_count")) {
      chat_.choices = std::max(count_of(value), 1u);
    } else if (is(key, "stopSequences", "stop_sequences")) {
      each_element(value, [this](od::value one) { chat_.stop.emplace_back(text_of(one)); });
    } else if (key == "seed") {
      chat_.seed = integer_of(value);
    } else if (is(key, "frequencyPenalty", "frequency_penalty")) {
      chat_.frequency_penalty = number_of(value);
    } else if (is(key, "presencePenalty", "presence_penalty")) {
      chat_.presence_penalty = number_of(value);
    } else if (is(key, "responseMimeType", "response_mime_type")) {
      read_mime_type(text_of(value));
    } else if (is(key, "responseJsonSchema", "response_json_schema")) {
      set_schema(std::string(raw_of(value)));
    } else if (is(key, "responseSchema", "response_schema")) {
      set_schema(json_schema_of(raw_of(value)));
    } else if (is(key, "thinkingConfig", "thinking_config")) {
      each_member(value,
                  [this](std::string_view name, od::value one) { read_thinking(name, one); });
    } else {
      other("generationConfig." + std::string(key), value, false);
    }
  }

  void set_schema(std::string schema) {
    chat_.format.kind = ResponseFormat::Kind::JsonSchema;
    chat_.format.schema = std::move(schema);
  }

  void read_mime_type(std::string_view type) {
    if (type == "text/plain") return;
    if (type != "application/json") {
      throw Untranslatable{"generationConfig.responseMimeType",
                           "only text and JSON are known elsewhere"};
    }
    if (chat_.format.kind == ResponseFormat::Kind::Unset) {
      chat_.format.kind = ResponseFormat::Kind::JsonObject;
    }
  }

  void read_thinking(std::string_view name, od::value value) {
    if (is(name, "thinkingBudget", "thinking_budget")) {
      chat_.reasoning.budget = integer_of(value);
      chat_.reasoning.off = chat_.reasoning.budget == 0;
    } else if (is(name, "includeThoughts", "include_thoughts")) {
      chat_.reasoning.visible = boolean_of(value).value_or(false);
    } else if (is(name, "thinkingLevel", "thinking_level")) {
      for (const char c : text_of(value)) {
        chat_.reasoning.effort += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
      }
    }
  }

  Chat chat_;
  ChatMessage system_;
  std::size_t content_ = 0;
  int calls_ = 0;
  std::vector<std::pair<std::string, std::string>> open_calls_;  // name, id
};

}  // namespace

Result<Chat> GeminiDialect::decode(const Operation& operation, const Request& request) const {
  auto chat = decode_with(request, [](od::object body) { return Decoder().run(body); });
  if (chat) {
    chat->model = request.model();
    chat->stream = operation.path.ends_with(kStream);
  }
  return chat;
}

}  // namespace causeway::gemini
