// A request to the Responses API → the neutral Chat.
#include <utility>

#include "dialects/openai/detail/decoding.h"
#include "dialects/openai/responses.h"
#include "dialects/openai/words.h"

namespace causeway::openai {
namespace {

using json::each_member, json::is_null, json::is_string, json::raw_of;

class Decoder {
 public:
  Chat run(od::object body) {
    each_member(body, [this](std::string_view key, od::value value) {
      if (!json::is_null(value)) top(key, value);
    });
    if (!instructions_.empty()) {
      ChatMessage system;
      system.role = Role::System;
      system.parts.emplace_back().text = std::move(instructions_);
      chat_.messages.insert(chat_.messages.begin(), std::move(system));
    }
    return std::move(chat_);
  }

 private:
  void top(std::string_view key, od::value value) {
    if (key == "model") {
      chat_.model = text(key, value);
    } else if (key == "instructions") {
      instructions_ = text(key, value);
    } else if (key == "input") {
      read_input(value);
    } else if (key == "stream") {
      chat_.stream = boolean(key, value);
    } else if (key == "tools") {
      elements(key, value, [this](od::value tool) { read_tool(tool); });
    } else if (key == "tool_choice") {
      read_choice(value);
    } else if (key == "parallel_tool_calls") {
      chat_.parallel_tools = boolean(key, value);
    } else if (key == "text") {
      read_text_wish(value);
    } else if (key == "reasoning") {
      read_reasoning_wish(value);
    } else if (key == "max_output_tokens") {
      chat_.max_tokens = count(key, value);
    } else if (key == "temperature") {
      chat_.temperature = number(key, value);
    } else if (key == "top_p") {
      chat_.top_p = number(key, value);
    } else if (key == "top_logprobs") {
      chat_.top_logprobs = count(key, value);
      chat_.logprobs = true;
    } else if (key == "user" || key == "safety_identifier") {
      chat_.user = text(key, value);
    } else {
      const std::string_view raw = raw_of(value);
      if (raw == "{}" || raw == "[]" || raw == "false" || raw == "\"disabled\"") return;
      chat_.others.push_back({std::string(key), std::string(raw), is_hint(key)});
    }
  }

  // What is wrong in kind must not be left out in silence: the answer would be to another question.
  [[noreturn]] void wrong(std::string_view key, std::string_view wanted) const {
    const std::string field = here(key);
    refuse("\"" + field + "\" must be " + std::string(wanted), field);
  }

  // Of these, null says as much as nothing.
  std::string_view text(std::string_view key, od::value value) const {
    if (is_string(value)) return json::string_of(value);
    if (!is_null(value)) wrong(key, "a string");
    return {};
  }
  bool boolean(std::string_view key, od::value value) const {
    const auto found = json::boolean_of(value);
    if (!found && !is_null(value)) wrong(key, "true or false");
    return found.value_or(false);
  }
  std::optional<double> number(std::string_view key, od::value value) const {
    const auto found = json::number_of(value);
    if (!found) wrong(key, "a number");
    return found;
  }
  std::optional<std::uint32_t> count(std::string_view key, od::value value) const {
    const auto found = count_of(value);
    if (!found) wrong(key, "a whole number");
    return found;
  }
  std::string_view object(std::string_view key, od::value value) const {
    if (value.type() != od::json_type::object) wrong(key, "an object");
    return raw_of(value);
  }
  template <class Fn>
  void members(std::string_view key, od::value value, Fn fn) {
    if (value.type() == od::json_type::object) return each_member(value, fn);
    if (!is_null(value)) wrong(key, "an object");
  }
  // The same inside of the member `key`, which here() names from then on.
  template <class Fn>
  void inside(std::string_view key, od::value value, Fn fn) {
    if (value.type() != od::json_type::object) wrong(key, "an object");
    const Place outside = std::exchange(place_, Place{here(key)});
    each_member(value, fn);
    place_ = outside;
  }
  template <class Fn>
  void elements(std::string_view key, od::value value, Fn fn) {
    if (value.type() != od::json_type::array) wrong(key, "a list");
    const Place outside = std::exchange(place_, Place{here(key), 0});
    json::each_element(value, [&](od::value element) {
      fn(element);
      ++*place_.element;
    });
    place_ = outside;
  }

  // Where the reading is: a member of the body and, of a list, which of its elements.
  struct Place {
    std::string name;
    std::optional<std::size_t> element = std::nullopt;
  };
  std::string here(std::string_view key = {}) const {
    std::string field = place_.name;
    if (place_.element) field += "[" + std::to_string(*place_.element) + "]";
    if (!field.empty() && !key.empty()) field += ".";
    return field.append(key);
  }

  void read_input(od::value value) {
    if (is_string(value)) {
      add(message_of(Role::User), ChatPart::Kind::Text).text = json::string_of(value);
    } else {
      elements("input", value, [this](od::value item) { read_item(item); });
    }
  }

  static ChatPart& add(ChatMessage& message, ChatPart::Kind kind) {
    ChatPart& part = message.parts.emplace_back();
    part.kind = kind;
    return part;
  }

  // A new message, but for what belongs to one turn of the model or of its tools.
  ChatMessage& message_of(Role role) {
    const bool joins = role == Role::Assistant || role == Role::Tool;
    if (!joins || chat_.messages.empty() || chat_.messages.back().role != role) {
      chat_.messages.emplace_back().role = role;
    }
    return chat_.messages.back();
  }

  struct Item {
    std::string type = "message", role, id, name, arguments, sealed, output;
    std::vector<ChatPart> parts, summary;
  };

  void read_item(od::value value) {
    Item item;
    members({}, value, [&](std::string_view key, od::value member) {
      if (key == "type") {
        item.type = text(key, member);
      } else if (key == "role") {
        item.role = text(key, member);
      } else if (key == "content" || key == "output") {
        read_content(key, member, item.parts);
      } else if (key == "summary") {
        read_content(key, member, item.summary);
      } else if (key == "call_id") {
        item.id = text(key, member);
      } else if (key == "name") {
        item.name = text(key, member);
      } else if (key == "arguments") {
        item.arguments = text(key, member);
      } else if (key == "encrypted_content") {
        item.sealed = text(key, member);
      }
    });
    put(std::move(item));
  }

  void put(Item item) {
    if (item.type == "message") return put_message(std::move(item));
    if (item.type == "function_call") {
      ChatPart& call = add(message_of(Role::Assistant), ChatPart::Kind::ToolCall);
      call.id = std::move(item.id);
      call.name = std::move(item.name);
      call.arguments = std::move(item.arguments);
    } else if (item.type == "function_call_output") {
      ChatPart& result = add(message_of(Role::Tool), ChatPart::Kind::ToolResult);
      result.id = std::move(item.id);
      result.name = name_of(result.id);
      result.content = std::move(item.parts);
    } else if (item.type == "reasoning") {
      put_reasoning(std::move(item));
    } else {
      throw Untranslatable{here("type"),
                           "items of type \"" + item.type + "\" exist only in OpenAI's dialect"};
    }
  }

  void put_message(Item item) {
    const Role role = item.role == "assistant"   ? Role::Assistant
                      : item.role == "system"    ? Role::System
                      : item.role == "developer" ? Role::Developer
                      : item.role == "user"      ? Role::User
                                                 : Role::None;
    if (role == Role::None) wrong("role", "user, assistant, system or developer");
    ChatMessage& message = message_of(role);
    for (auto& part : item.parts) message.parts.push_back(std::move(part));
  }

  void put_reasoning(Item item) {
    ChatPart& part = add(message_of(Role::Assistant), ChatPart::Kind::Reasoning);
    for (const auto& piece : item.summary) part.text += piece.text;
    for (const auto& piece : item.parts) part.text += piece.text;
    part.hidden = part.text.empty();
    if (item.sealed.empty()) return;
    Unsealed unsealed = unseal(item.sealed);
    part.seal = std::move(unsealed.seal);
    part.hidden = unsealed.hidden.value_or(part.hidden);
  }

  std::string name_of(std::string_view id) const {
    for (auto message = chat_.messages.rbegin(); message != chat_.messages.rend(); ++message) {
      for (const auto& part : message->parts) {
        if (part.kind == ChatPart::Kind::ToolCall && part.id == id) return part.name;
      }
    }
    return {};
  }

  void read_content(std::string_view key, od::value value, std::vector<ChatPart>& parts) {
    if (is_null(value)) return;
    if (is_string(value)) {
      parts.emplace_back().text = json::string_of(value);
    } else if (value.type() == od::json_type::array) {
      elements(key, value, [&](od::value part) { read_part(part, parts); });
    } else {
      wrong(key, "a string or a list of parts");
    }
  }

  void read_part(od::value value, std::vector<ChatPart>& parts) {
    ChatPart part;
    std::string type;
    members({}, value, [&](std::string_view key, od::value member) {
      if (key == "type") {
        type = text(key, member);
      } else if (key == "text" || key == "refusal") {
        part.text = text(key, member);
      } else if (key == "image_url" || key == "file_url" || key == "file_data") {
        if (!is_null(member)) set_address(text(key, member), part.media);
      } else if (key == "file_id") {
        part.media.file = text(key, member);
      } else if (key == "filename") {
        part.media.name = text(key, member);
      } else if (key == "detail") {
        part.media.detail = text(key, member);
      } else if (key == "input_audio") {
        inside(key, member, [&](std::string_view inner, od::value one) {
          if (inner == "data") part.media.data = text(inner, one);
          if (inner == "format") part.media.type = "audio/" + std::string(text(inner, one));
        });
      }
    });
    if (type == "input_image") {
      part.kind = ChatPart::Kind::Image;
    } else if (type == "input_file") {
      part.kind = ChatPart::Kind::Document;
    } else if (type == "input_audio") {
      part.kind = ChatPart::Kind::Audio;
    } else if (type == "refusal") {
      part.kind = ChatPart::Kind::Refusal;
    } else if (type != "input_text" && type != "output_text" && type != "text" &&
               type != "summary_text" && type != "reasoning_text") {
      throw Untranslatable{here("type"), "parts of type \"" + type + "\" are not known"};
    }
    parts.push_back(std::move(part));
  }

  void read_tool(od::value value) {
    ChatTool tool;
    std::string type;
    members({}, value, [&](std::string_view key, od::value member) {
      if (key == "type") {
        type = text(key, member);
      } else if (key == "name") {
        tool.name = text(key, member);
      } else if (key == "description") {
        tool.description = text(key, member);
      } else if (key == "parameters" && !is_null(member)) {
        tool.schema = object(key, member);
      } else if (key == "strict") {
        tool.strict = boolean(key, member);
      }
    });
    if (type != "function") {
      throw Untranslatable{"tools", "tools of type \"" + type + "\" run at OpenAI only"};
    }
    chat_.tools.push_back(std::move(tool));
  }

  void read_choice(od::value value) {
    using Kind = ToolChoice::Kind;
    auto& choice = chat_.tool_choice;
    if (is_string(value)) {
      const std::string_view word = json::string_of(value);
      if (word != "none" && word != "required" && word != "auto") {
        wrong("tool_choice", "none, auto, required or an object");
      }
      choice.kind = word == "none" ? Kind::None : word == "required" ? Kind::Required : Kind::Auto;
      return;
    }
    std::string type;
    inside("tool_choice", value, [&](std::string_view key, od::value member) {
      if (key == "type") type = text(key, member);
      if (key == "name") choice.name = text(key, member);
    });
    if (type != "function") {
      throw Untranslatable{"tool_choice", "this form exists only in OpenAI's dialect"};
    }
    choice.kind = Kind::Named;
  }

  void read_text_wish(od::value value) {
    inside("text", value, [this](std::string_view key, od::value member) {
      if (is_null(member)) return;
      if (key == "format") {
        read_format(member);
      } else if (key == "verbosity") {
        chat_.others.push_back({"text.verbosity", std::string(raw_of(member)), true});
      }
    });
  }

  void read_format(od::value value) {
    using Kind = ResponseFormat::Kind;
    auto& format = chat_.format;
    std::string type;
    inside("format", value, [&](std::string_view key, od::value member) {
      if (key == "type") {
        type = text(key, member);
      } else if (key == "name") {
        format.name = text(key, member);
      } else if (key == "description") {
        format.description = text(key, member);
      } else if (key == "schema" && !is_null(member)) {
        format.schema = object(key, member);
      } else if (key == "strict") {
        format.strict = boolean(key, member);
      }
    });
    format.kind = type == "json_schema"   ? Kind::JsonSchema
                  : type == "json_object" ? Kind::JsonObject
                  : type == "text"        ? Kind::Text
                                          : Kind::Unset;
    if (format.kind == Kind::Unset) {
      throw Untranslatable{"text.format", "this type exists only in OpenAI's dialect"};
    }
  }

  void read_reasoning_wish(od::value value) {
    inside("reasoning", value, [this](std::string_view key, od::value member) {
      if (key == "effort") {
        chat_.reasoning.effort = text(key, member);
        chat_.reasoning.off = chat_.reasoning.effort == "none";
      } else if (key == "summary") {
        chat_.reasoning.visible |= !text(key, member).empty();
      }
    });
  }

  Chat chat_;
  std::string instructions_;
  Place place_;
};

}  // namespace

Result<Chat> ResponsesDialect::decode(const Operation&, const Request& request) const {
  return decode_with(request, [](od::object body) { return Decoder().run(body); });
}

}  // namespace causeway::openai
