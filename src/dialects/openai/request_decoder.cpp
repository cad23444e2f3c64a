// A chat completion's request → the neutral Chat.
#include <utility>

#include "dialects/openai/detail/decoding.h"
#include "dialects/openai/dialect.h"
#include "platform/json/on_demand.h"

namespace causeway::openai {
namespace {

using json::boolean_of, json::each_element, json::each_member, json::integer_of, json::is_string,
    json::number_of, json::raw_of, json::text_of;

class Decoder {
 public:
  explicit Decoder(std::size_t messages) { chat_.messages.reserve(messages); }

  Chat run(od::object body) {
    for (auto result : body) {
      od::field field = json::take(std::move(result));
      const std::string_view key = json::key_of(field);
      od::value value = field.value();
      if (!json::is_null(value)) top(key, value);
    }
    return std::move(chat_);
  }

 private:
  void top(std::string_view key, od::value value) {
    if (key == "model") {
      chat_.model = text_of(value);
    } else if (key == "messages") {
      each_element(value, [&](od::value message) { read_message(message); });
    } else if (key == "stream") {
      chat_.stream = boolean_of(value).value_or(false);
    } else if (key == "tools") {
      each_element(value, [&](od::value tool) { read_tool(tool); });
    } else if (key == "functions") {
      each_element(value, [&](od::value tool) { read_function_of_tool(tool); });
    } else if (key == "tool_choice" || key == "function_call") {
      read_choice(value, key);
    } else if (key == "response_format") {
      read_format(value);
    } else if (key == "reasoning_effort") {
      chat_.reasoning.effort = text_of(value);
      chat_.reasoning.off = chat_.reasoning.effort == "none";
    } else if (key == "stop") {
      if (is_string(value)) {
        chat_.stop.emplace_back(text_of(value));
      } else {
        each_element(value, [&](od::value one) { chat_.stop.emplace_back(text_of(one)); });
      }
    } else if (!number(key, value)) {
      other(key, value);
    }
  }

  bool number(std::string_view key, od::value value) {
    if (key == "max_completion_tokens" || (key == "max_tokens" && !chat_.max_tokens)) {
      chat_.max_tokens = count_of(value);
    } else if (key == "max_tokens") {
      return true;  // the newer name was there
    } else if (key == "temperature") {
      chat_.temperature = number_of(value);
    } else if (key == "top_p") {
      chat_.top_p = number_of(value);
    } else if (key == "top_k") {
      chat_.top_k = count_of(value);
    } else if (key == "frequency_penalty") {
      chat_.frequency_penalty = number_of(value);
    } else if (key == "presence_penalty") {
      chat_.presence_penalty = number_of(value);
    } else if (key == "seed") {
      chat_.seed = integer_of(value);
    } else if (key == "n") {
      chat_.choices = count_of(value).value_or(1);
    } else if (key == "logprobs") {
      chat_.logprobs = boolean_of(value);
    } else if (key == "top_logprobs") {
      chat_.top_logprobs = count_of(value);
    } else if (key == "parallel_tool_calls") {
      chat_.parallel_tools = boolean_of(value);
    } else {
      return false;
    }
    return true;
  }

  void other(std::string_view key, od::value value) {
    if (key == "stream_options") return;
    if (key == "user" || key == "safety_identifier") {
      if (is_string(value)) chat_.user = text_of(value);
      return;
    }
    const std::string_view raw = raw_of(value);
    if (raw == "{}" || raw == "[]" || raw == "false") return;
    if (key == "modalities" && raw.find("audio") == raw.npos) return;
    chat_.others.push_back({std::string(key), std::string(raw), is_hint(key)});
  }

  std::string at(std::string_view part) const {
    return "messages[" + std::to_string(message_) + "]" + std::string(part);
  }

  // Members come in any order: what depends on the role is put together at the end.
  void read_message(od::value value) {
    ChatMessage message;
    std::string role, call_id, refusal, reasoning;
    std::vector<ChatPart> content, calls, seals;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "role") {
        role = text_of(member);
      } else if (key == "content") {
        read_content(member, content);
      } else if (key == "name") {
        message.name = text_of(member);
      } else if (key == "tool_call_id") {
        call_id = text_of(member);
      } else if (key == "refusal") {
        refusal = text_of(member);
      } else if (key == "reasoning_content" || key == "reasoning") {
        reasoning = text_of(member);
      } else if (key == "reasoning_details") {
        each_element(member, [&](od::value detail) { read_reasoning(detail, seals); });
      } else if (key == "tool_calls") {
        each_element(member, [&](od::value call) { read_call(call, calls); });
      } else if (key == "function_call") {
        read_old_call(member, calls);
      } else if (key == "audio" && !json::is_null(member)) {
        throw Untranslatable{at(".audio"), "an earlier spoken answer cannot be given back"};
      }
    });
    if (role == "tool" || role == "function") {
      put_result(role == "function", std::move(message), std::move(call_id), std::move(content));
    } else {
      if (role == "assistant") {
        put_reasoning(message, std::move(reasoning), std::move(seals));
      }
      message.role = role == "system"      ? Role::System
                     : role == "developer" ? Role::Developer
                     : role == "assistant" ? Role::Assistant
                                           : Role::User;
      append(message, content);
      if (!refusal.empty()) add(message.parts, ChatPart::Kind::Refusal, std::move(refusal));
      append(message, calls);
      chat_.messages.push_back(std::move(message));
    }
    ++message_;
  }

  static void append(ChatMessage& message, std::vector<ChatPart>& parts) {
    if (message.parts.empty()) return message.parts.swap(parts);
    for (auto& part : parts) message.parts.push_back(std::move(part));
  }

  static ChatPart& add(std::vector<ChatPart>& parts, ChatPart::Kind kind, std::string text) {
    auto& part = parts.emplace_back();
    part.kind = kind;
    part.text = std::move(text);
    return part;
  }

  static void put_reasoning(ChatMessage& message, std::string text, std::vector<ChatPart> seals) {
    if (!seals.empty()) return append(message, seals);
    if (!text.empty()) add(message.parts, ChatPart::Kind::Reasoning, std::move(text));
  }

  // One tool message for each result; those of one answer are put together.
  void put_result(bool old, ChatMessage message, std::string id, std::vector<ChatPart> content) {
    ChatPart result;
    result.kind = ChatPart::Kind::ToolResult;
    result.id = old ? last_old_call_ : std::move(id);
    result.name = std::exchange(message.name, {});
    if (result.name.empty()) result.name = name_of(result.id);
    result.content = std::move(content);
    if (chat_.messages.empty() || chat_.messages.back().role != Role::Tool) {
      message.role = Role::Tool;
      chat_.messages.push_back(std::move(message));
    }
    chat_.messages.back().parts.push_back(std::move(result));
  }

  std::string name_of(std::string_view id) const {
    for (auto message = chat_.messages.rbegin(); message != chat_.messages.rend(); ++message) {
      for (const auto& part : message->parts) {
        if (part.kind == ChatPart::Kind::ToolCall && part.id == id) return part.name;
      }
    }
    return {};
  }

  // Our own form of what a reasoning model wants back: {type, text, data, signature, format}.
  static void read_reasoning(od::value value, std::vector<ChatPart>& parts) {
    ChatPart part;
    part.kind = ChatPart::Kind::Reasoning;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "text" || key == "summary") {
        part.text = text_of(member);
      } else if (key == "signature" || key == "data") {
        part.seal.value = text_of(member);
        part.hidden = key == "data";
      } else if (key == "format") {
        part.seal.dialect = text_of(member);
      }
    });
    parts.push_back(std::move(part));
  }

  void read_call(od::value value, std::vector<ChatPart>& parts) {
    ChatPart& call = add(parts, ChatPart::Kind::ToolCall, {});
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "id") {
        call.id = text_of(member);
      } else if (key == "function") {
        read_function(member, call);
      } else if (key == "custom") {
        throw Untranslatable{at(".tool_calls"), "custom tools exist only in OpenAI's dialect"};
      } else if (key == "extra_content") {
        read_extra(member, call.seal);
      }
    });
  }

  static void read_function(od::value value, ChatPart& call) {
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "name") call.name = text_of(member);
      if (key == "arguments") call.arguments = text_of(member);
    });
  }

  void read_old_call(od::value value, std::vector<ChatPart>& parts) {
    if (json::is_null(value)) return;
    ChatPart& call = add(parts, ChatPart::Kind::ToolCall, {});
    read_function(value, call);
    last_old_call_ = call.id = "call_" + std::to_string(message_);
  }

  // {"google":{"thought_signature":"…"}}, as Google's own service of this dialect has it.
  static void read_extra(od::value value, Seal& seal) {
    each_member(value, [&](std::string_view vendor, od::value inner) {
      if (vendor != "google") return;
      each_member(inner, [&](std::string_view key, od::value member) {
        if (key == "thought_signature") seal = {"gemini", std::string(text_of(member))};
      });
    });
  }

  void read_content(od::value value, std::vector<ChatPart>& parts) {
    if (is_string(value)) {
      add(parts, ChatPart::Kind::Text, std::string(text_of(value)));
      return;
    }
    each_element(value, [&](od::value part) { read_part(part, parts); });
  }

  void read_part(od::value value, std::vector<ChatPart>& parts) {
    ChatPart part;
    std::string type;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "type") {
        type = text_of(member);
      } else if (key == "text" || key == "refusal") {
        part.text = text_of(member);
      } else if (key == "image_url" || key == "input_audio" || key == "file") {
        read_media(member, part.media);
      } else if (key == "cache_control") {
        part.cache = raw_of(member);
      }
    });
    if (type == "image_url") {
      part.kind = ChatPart::Kind::Image;
    } else if (type == "input_audio") {
      part.kind = ChatPart::Kind::Audio;
    } else if (type == "file") {
      part.kind = ChatPart::Kind::Document;
    } else if (type == "refusal") {
      part.kind = ChatPart::Kind::Refusal;
    } else if (type != "text") {
      throw Untranslatable{at(".content"), "parts of type \"" + type + "\" are not known"};
    }
    parts.push_back(std::move(part));
  }

  static void read_media(od::value value, Media& media) {
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "url" || key == "file_data") {
        set_address(text_of(member), media);
      } else if (key == "detail") {
        media.detail = text_of(member);
      } else if (key == "data") {
        media.data = text_of(member);
      } else if (key == "format") {
        media.type = "audio/" + std::string(text_of(member));
      } else if (key == "file_id") {
        media.file = text_of(member);
      } else if (key == "filename") {
        media.name = text_of(member);
      }
    });
  }

  void read_tool(od::value value) {
    bool found = false;
    RawJson cache;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "function") {
        read_function_of_tool(member);
        found = true;
      } else if (key == "cache_control") {
        cache = raw_of(member);
      }
    });
    if (!found) throw Untranslatable{"tools", "only tools of type \"function\" can be"};
    chat_.tools.back().cache = std::move(cache);
  }

  void read_function_of_tool(od::value value) {
    auto& tool = chat_.tools.emplace_back();
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "name") {
        tool.name = text_of(member);
      } else if (key == "description") {
        tool.description = text_of(member);
      } else if (key == "parameters" && !json::is_null(member)) {
        tool.schema = raw_of(member);
      } else if (key == "strict") {
        tool.strict = boolean_of(member).value_or(false);
      }
    });
  }

  void read_choice(od::value value, std::string_view field) {
    using Kind = ToolChoice::Kind;
    if (is_string(value)) {
      const std::string_view word = text_of(value);
      if (word == "auto") {
        chat_.tool_choice.kind = Kind::Auto;
      } else if (word == "none") {
        chat_.tool_choice.kind = Kind::None;
      } else if (word == "required") {
        chat_.tool_choice.kind = Kind::Required;
      } else {
        throw Untranslatable{std::string(field), "\"" + std::string(word) + "\" is not known"};
      }
      return;
    }
    const auto name_in = [&](std::string_view key, od::value member) {
      if (key != "name") return;
      chat_.tool_choice = {Kind::Named, std::string(text_of(member))};
    };
    each_member(value, [&](std::string_view key, od::value member) {
      name_in(key, member);
      if (key == "function") each_member(member, name_in);
    });
    if (chat_.tool_choice.kind != Kind::Named) {
      throw Untranslatable{std::string(field), "this form exists only in OpenAI's dialect"};
    }
  }

  void read_format(od::value value) {
    using Kind = ResponseFormat::Kind;
    auto& format = chat_.format;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "type") {
        const std::string_view type = text_of(member);
        format.kind = type == "json_schema"   ? Kind::JsonSchema
                      : type == "json_object" ? Kind::JsonObject
                      : type == "text"        ? Kind::Text
                                              : Kind::Unset;
        if (format.kind == Kind::Unset) {
          throw Untranslatable{"response_format", "this type exists only in OpenAI's dialect"};
        }
      } else if (key == "json_schema") {
        each_member(member, [&](std::string_view inner, od::value one) {
          if (inner == "name") {
            format.name = text_of(one);
          } else if (inner == "description") {
            format.description = text_of(one);
          } else if (inner == "schema") {
            format.schema = raw_of(one);
          } else if (inner == "strict") {
            format.strict = boolean_of(one).value_or(false);
          }
        });
      }
    });
  }

  Chat chat_;
  std::size_t message_ = 0;
  std::string last_old_call_;
};

}  // namespace

Result<Chat> OpenAiDialect::decode(const Operation&, const Request& request) const {
  return decode_with(
      request, [&](od::object body) { return Decoder(request.index().messages.size()).run(body); });
}

}  // namespace causeway::openai
