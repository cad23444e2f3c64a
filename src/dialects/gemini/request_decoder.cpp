// A request to generateContent → the neutral Chat.
#include <algorithm>
#include <array>
#include <utility>

#include "core/request_body.h"
#include "dialects/gemini/dialect.h"
#include "dialects/gemini/words.h"

namespace causeway::gemini {
namespace {

using json::boolean_of, json::each_element, json::integer_of, json::is_null, json::is_string,
    json::number_of, json::raw_of, json::text_of;
using Kind = ChatPart::Kind;

// Fields without which the answer is right as well: thresholds of Google's own filters, labels of
// its bill, where its traffic goes.
bool is_hint(std::string_view field) {
  static constexpr std::array<std::string_view, 7> kHints = {
      "safetySettings", "labels",          "store",
      "serviceTier",    "mediaResolution", "enableEnhancedCivicAnswers",
      "audioTimestamp"};
  return std::find(kHints.begin(), kHints.end(), field) != kHints.end();
}

std::optional<std::uint32_t> count_of(od::value value) {
  const auto number = integer_of(value);
  if (!number || *number < 0 || *number > 0xFFFFFFFF) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

/// Calls fn(name, value) for each member that is not null, its name in lowerCamelCase.
template <class Object, class Fn>
void each_field(Object object, Fn fn) {
  json::each_member(object, [&](std::string_view key, od::value value) {
    std::string storage;
    if (!is_null(value)) fn(camel(key, storage), value);
  });
}

/// The same for a list's elements, of which Google takes a single one as well.
template <class Fn>
void each_of(od::value value, Fn fn) {
  if (value.type() == od::json_type::object) return fn(value);
  each_element(value, fn);
}

Kind kind_of(std::string_view type) {
  if (type.starts_with("image/")) return Kind::Image;
  if (type.starts_with("audio/")) return Kind::Audio;
  return Kind::Document;
}

class Decoder {
 public:
  Decoder(const Operation& operation, std::string_view model) {
    chat_.model = model;
    chat_.stream = operation.path.ends_with(kStream);
  }

  Chat run(od::object body) {
    each_field(body, [&](std::string_view name, od::value value) { top(name, value); });
    answer_calls();
    return std::move(chat_);
  }

 private:
  void top(std::string_view name, od::value value) {
    if (name == "contents") {
      each_of(value, [&](od::value content) { read_content(content); });
    } else if (name == "systemInstruction") {
      read_system(value);
    } else if (name == "tools") {
      each_of(value, [&](od::value tool) { read_tool(tool); });
    } else if (name == "toolConfig") {
      read_tool_config(value);
    } else if (name == "generationConfig") {
      each_field(value, [&](std::string_view inner, od::value one) { generation(inner, one); });
    } else if (name == "generateContentRequest") {  // of a count of tokens: the whole request
      each_field(value, [&](std::string_view inner, od::value one) { top(inner, one); });
    } else if (name != "model") {
      other(name, value);
    }
  }

  void other(std::string_view name, od::value value, std::string_view inside = {}) {
    const std::string_view raw = raw_of(value);
    if (raw == "{}" || raw == "[]" || raw == "false") return;
    std::string field(inside);
    field += name;
    chat_.others.push_back({std::move(field), std::string(raw), is_hint(name)});
  }

  // ---- contents

  // Wherever it stands in the body, it comes first.
  void read_system(od::value value) {
    ChatMessage message;
    message.role = Role::System;
    each_field(value, [&](std::string_view name, od::value parts) {
      if (name != "parts") return;
      each_of(parts, [&](od::value part) { read_part(part, message, message); });
    });
    if (!message.parts.empty()) chat_.messages.insert(chat_.messages.begin(), std::move(message));
  }

  // One content may hold results of tools beside other parts: two messages here.
  void read_content(od::value value) {
    ChatMessage message, results;
    results.role = Role::Tool;
    std::string role;
    each_field(value, [&](std::string_view name, od::value member) {
      if (name == "role") role = text_of(member);
      if (name == "parts") {
        each_of(member, [&](od::value part) { read_part(part, message, results); });
      }
    });
    message.role = role == "model" ? Role::Assistant : Role::User;
    if (!results.parts.empty()) chat_.messages.push_back(std::move(results));
    if (!message.parts.empty()) chat_.messages.push_back(std::move(message));
  }

  void read_part(od::value value, ChatMessage& message, ChatMessage& results) {
    ChatPart part;
    bool thought = false, known = false, result = false;
    std::string unknown;
    each_field(value, [&](std::string_view name, od::value member) {
      if (name == "text") {
        part.text = text_of(member);
        known = true;
      } else if (name == "thought") {
        thought = boolean_of(member).value_or(false);
      } else if (name == "thoughtSignature") {
        part.seal = seal_of(text_of(member));
        known = true;
      } else if (name == "inlineData" || name == "fileData") {
        read_media(member, part);
        known = true;
      } else if (name == "functionCall") {
        read_call(member, part);
        known = true;
      } else if (name == "functionResponse") {
        read_result(member, part);
        known = result = true;
      } else if (name != "mediaResolution" && name != "partMetadata") {
        unknown = name;
      }
    });
    if (!unknown.empty()) {
      throw Untranslatable{"contents", "\"" + unknown + "\" exists only in Gemini's dialect"};
    }
    if (!known) return;
    if (thought && part.kind == Kind::Text) part.kind = Kind::Reasoning;
    (result ? results : message).parts.push_back(std::move(part));
  }

  static void read_media(od::value value, ChatPart& part) {
    each_field(value, [&](std::string_view name, od::value member) {
      if (name == "mimeType") {
        part.media.type = text_of(member);
      } else if (name == "data") {
        part.media.data = text_of(member);
      } else if (name == "fileUri") {
        set_address(text_of(member), part.media);
      } else if (name == "displayName") {
        part.media.name = text_of(member);
      }
    });
    // Google's clients write either alphabet of base64, others know the usual one.
    std::replace(part.media.data.begin(), part.media.data.end(), '-', '+');
    std::replace(part.media.data.begin(), part.media.data.end(), '_', '/');
    part.kind = kind_of(part.media.type);
  }

  // Files that were uploaded to Google have an address that only Google reads.
  static void set_address(std::string_view uri, Media& media) {
    const bool uploaded = uri.find("generativelanguage.googleapis.com") != uri.npos;
    (uploaded ? media.file : media.url) = uri;
  }

  void read_call(od::value value, ChatPart& part) {
    part.kind = Kind::ToolCall;
    part.arguments = "{}";
    each_field(value, [&](std::string_view name, od::value member) {
      if (name == "id") {
        part.id = text_of(member);
      } else if (name == "name") {
        part.name = text_of(member);
      } else if (name == "args") {
        part.arguments = raw_of(member);
      }
    });
    ++calls_;
    if (part.id.empty()) part.id = made_id({}, calls_);
  }

  void read_result(od::value value, ChatPart& part) {
    part.kind = Kind::ToolResult;
    ChatPart text;
    std::vector<ChatPart> media;
    each_field(value, [&](std::string_view name, od::value member) {
      if (name == "id") {
        part.id = text_of(member);
      } else if (name == "name") {
        part.name = text_of(member);
      } else if (name == "response") {
        read_response(member, part, text.text);
      } else if (name == "parts") {
        ChatMessage inner;
        each_of(member, [&](od::value one) { read_part(one, inner, inner); });
        media = std::move(inner.parts);
      }
    });
    part.content.push_back(std::move(text));
    for (auto& one : media) part.content.push_back(std::move(one));
  }

  // {"output":"…"}, {"result":"…"} and {"error":"…"} are a text in Google's wrapping; any other
  // object is what the tool said.
  static void read_response(od::value value, ChatPart& part, std::string& text) {
    std::size_t members = 0;
    bool wrapped = false;
    const std::string raw(raw_of(value));
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    text = raw;
    if (parser.parse(simdjson::padded_string(raw)).get_object().get(object)) return;
    std::string_view inner;
    for (const auto& [name, member] : object) {
      ++members;
      wrapped = (name == "output" || name == "result" || name == "error") &&
                !member.get_string().get(inner);
      part.failed = wrapped && name == "error";
    }
    if (members == 1 && wrapped) text = inner;
    part.failed &= members == 1;
  }

  // Results without an id belong to the calls of the turn before, by name and in their order.
  void answer_calls() {
    std::vector<ChatPart*> open;
    for (auto& message : chat_.messages) {
      if (message.role == Role::Assistant) open.clear();
      for (auto& part : message.parts) {
        if (part.kind == Kind::ToolCall) open.push_back(&part);
        if (part.kind != Kind::ToolResult) continue;
        const auto call = std::find_if(open.begin(), open.end(), [&](const ChatPart* one) {
          return part.id.empty() ? one->name == part.name : one->id == part.id;
        });
        if (call == open.end()) continue;
        part.id = (*call)->id;
        if (part.name.empty()) part.name = (*call)->name;
        open.erase(call);
      }
    }
  }

  // ---- tools

  void read_tool(od::value value) {
    each_field(value, [&](std::string_view name, od::value member) {
      if (name == "functionDeclarations") {
        each_of(member, [&](od::value function) { read_function(function); });
      } else {
        other(name, member, "tools.");
      }
    });
  }

  void read_function(od::value value) {
    auto& tool = chat_.tools.emplace_back();
    each_field(value, [&](std::string_view name, od::value member) {
      if (name == "name") {
        tool.name = text_of(member);
      } else if (name == "description") {
        tool.description = text_of(member);
      } else if (name == "parametersJsonSchema") {
        tool.schema = raw_of(member);
      } else if (name == "parameters") {
        tool.schema = json_schema(raw_of(member));
      }
    });
  }

  void read_tool_config(od::value value) {
    each_field(value, [&](std::string_view name, od::value member) {
      if (name == "functionCallingConfig") {
        read_calling(member);
      } else {
        other(name, member, "toolConfig.");
      }
    });
  }

  void read_calling(od::value value) {
    using Choice = ToolChoice::Kind;
    std::vector<std::string> allowed;
    std::string mode;
    each_field(value, [&](std::string_view name, od::value member) {
      if (name == "mode") mode = text_of(member);
      if (name == "allowedFunctionNames") {
        each_element(member, [&](od::value one) { allowed.emplace_back(text_of(one)); });
      }
      if (name == "streamFunctionCallArguments") other(name, member, "toolConfig.");
    });
    auto& choice = chat_.tool_choice;
    choice.kind = mode == "ANY"                           ? Choice::Required
                  : mode == "NONE"                        ? Choice::None
                  : mode == "AUTO" || mode == "VALIDATED" ? Choice::Auto
                                                          : Choice::Unset;
    if (choice.kind == Choice::Required && allowed.size() == 1) {
      choice = {Choice::Named, allowed.front()};
    } else if (!allowed.empty()) {
      chat_.others.push_back({"toolConfig.functionCallingConfig.allowedFunctionNames", {}, false});
    }
  }

  // ---- generationConfig

  void generation(std::string_view name, od::value value) {
    if (name == "maxOutputTokens") {
      chat_.max_tokens = count_of(value);
    } else if (name == "temperature") {
      chat_.temperature = number_of(value);
    } else if (name == "topP") {
      chat_.top_p = number_of(value);
    } else if (name == "topK") {
      if (const auto top_k = number_of(value); top_k && *top_k >= 0 && *top_k < 1e9) {
        chat_.top_k = static_cast<std::uint32_t>(*top_k);
      }
    } else if (name == "frequencyPenalty") {
      chat_.frequency_penalty = number_of(value);
    } else if (name == "presencePenalty") {
      chat_.presence_penalty = number_of(value);
    } else if (name == "seed") {
      chat_.seed = integer_of(value);
    } else if (name == "candidateCount") {
      chat_.choices = count_of(value).value_or(1);
    } else if (name == "stopSequences") {
      each_element(value, [&](od::value one) { chat_.stop.emplace_back(text_of(one)); });
    } else if (!format(name, value)) {
      other(name, value, "generationConfig.");
    }
  }

  bool format(std::string_view name, od::value value) {
    using Format = ResponseFormat::Kind;
    auto& wanted = chat_.format;
    if (name == "responseMimeType") {
      const std::string_view type = text_of(value);
      if (type == "application/json" && wanted.kind == Format::Unset) {
        wanted.kind = Format::JsonObject;
      }
      return type == "application/json" || type == "text/plain";
    }
    if (name == "responseSchema" || name == "responseJsonSchema" || name == "ResponseJsonSchema") {
      wanted.kind = Format::JsonSchema;
      wanted.schema = name == "responseSchema" ? json_schema(raw_of(value)) : raw_of(value);
      return true;
    }
    if (name == "responseModalities") {
      const std::string_view raw = raw_of(value);
      const bool only_text = raw.find("IMAGE") == raw.npos && raw.find("AUDIO") == raw.npos;
      if (!only_text) chat_.others.push_back({"generationConfig.responseModalities", RawJson(raw)});
      return true;
    }
    if (name != "thinkingConfig") return false;
    each_field(value, [&](std::string_view inner, od::value one) { thinking(inner, one); });
    return true;
  }

  void thinking(std::string_view name, od::value value) {
    auto& reasoning = chat_.reasoning;
    if (name == "includeThoughts") {
      reasoning.visible = boolean_of(value).value_or(false);
    } else if (name == "thinkingBudget") {
      reasoning.budget = integer_of(value);
      reasoning.off = reasoning.budget == 0;
    } else if (name == "thinkingLevel") {
      for (const char c : text_of(value)) {
        reasoning.effort += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
      if (reasoning.effort.ends_with("unspecified")) reasoning.effort.clear();
    }
  }

  Chat chat_;
  std::size_t calls_ = 0;
};

}  // namespace

Result<Chat> GeminiDialect::decode(const Operation& operation, const Request& request) const {
  return decode_with(
      request, [&](od::object body) { return Decoder(operation, request.model()).run(body); });
}

}  // namespace causeway::gemini
