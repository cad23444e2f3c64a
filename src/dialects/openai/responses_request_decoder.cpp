// A request to the Responses API → the neutral Chat.
#include <utility>

#include "dialects/openai/detail/decoding.h"
#include "dialects/openai/responses.h"

namespace causeway::openai {
namespace {

using json::boolean_of, json::each_element, json::each_member, json::integer_of, json::is_string,
    json::number_of, json::raw_of, json::text_of;

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
      chat_.model = text_of(value);
    } else if (key == "instructions") {
      instructions_ = text_of(value);
    } else if (key == "input") {
      read_input(value);
    } else if (key == "stream") {
      chat_.stream = boolean_of(value).value_or(false);
    } else if (key == "tools") {
      each_element(value, [this](od::value tool) { read_tool(tool); });
    } else if (key == "tool_choice") {
      read_choice(value);
    } else if (key == "parallel_tool_calls") {
      chat_.parallel_tools = boolean_of(value);
    } else if (key == "text") {
      read_text_wish(value);
    } else if (key == "reasoning") {
      read_reasoning_wish(value);
    } else if (key == "max_output_tokens") {
      chat_.max_tokens = count_of(value);
    } else if (key == "temperature") {
      chat_.temperature = number_of(value);
    } else if (key == "top_p") {
      chat_.top_p = number_of(value);
    } else if (key == "top_logprobs") {
      chat_.top_logprobs = count_of(value);
      chat_.logprobs = true;
    } else if (key == "user" || key == "safety_identifier") {
      chat_.user = text_of(value);
    } else {
      const std::string_view raw = raw_of(value);
      if (raw == "{}" || raw == "[]" || raw == "false" || raw == "\"disabled\"") return;
      chat_.others.push_back({std::string(key), std::string(raw), is_hint(key)});
    }
  }

  void read_input(od::value value) {
    if (is_string(value)) {
      add(message_of(Role::User), ChatPart::Kind::Text).text = text_of(value);
      return;
    }
    each_element(value, [this](od::value item) {
      read_item(item);
      ++item_;
    });
  }

  std::string at(std::string_view part) const {
    return "input[" + std::to_string(item_) + "]" + std::string(part);
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
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "type") {
        item.type = text_of(member);
      } else if (key == "role") {
        item.role = text_of(member);
      } else if (key == "content" || key == "output") {
        read_content(member, item.parts);
      } else if (key == "summary") {
        read_content(member, item.summary);
      } else if (key == "call_id") {
        item.id = text_of(member);
      } else if (key == "name") {
        item.name = text_of(member);
      } else if (key == "arguments") {
        item.arguments = text_of(member);
      } else if (key == "encrypted_content") {
        item.sealed = text_of(member);
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
      throw Untranslatable{at(".type"),
                           "items of type \"" + item.type + "\" exist only in OpenAI's dialect"};
    }
  }

  void put_message(Item item) {
    const Role role = item.role == "assistant"   ? Role::Assistant
                      : item.role == "system"    ? Role::System
                      : item.role == "developer" ? Role::Developer
                                                 : Role::User;
    ChatMessage& message = message_of(role);
    for (auto& part : item.parts) message.parts.push_back(std::move(part));
  }

  void put_reasoning(Item item) {
    ChatPart& part = add(message_of(Role::Assistant), ChatPart::Kind::Reasoning);
    for (const auto& piece : item.summary) part.text += piece.text;
    for (const auto& piece : item.parts) part.text += piece.text;
    if (!item.sealed.empty()) part.seal = {"openai", std::move(item.sealed)};
    part.hidden = part.text.empty();
  }

  std::string name_of(std::string_view id) const {
    for (auto message = chat_.messages.rbegin(); message != chat_.messages.rend(); ++message) {
      for (const auto& part : message->parts) {
        if (part.kind == ChatPart::Kind::ToolCall && part.id == id) return part.name;
      }
    }
    return {};
  }

  void read_content(od::value value, std::vector<ChatPart>& parts) {
    if (is_string(value)) {
      parts.emplace_back().text = text_of(value);
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
      } else if (key == "image_url" || key == "file_url" || key == "file_data") {
        set_address(text_of(member), part.media);
      } else if (key == "file_id") {
        part.media.file = text_of(member);
      } else if (key == "filename") {
        part.media.name = text_of(member);
      } else if (key == "detail") {
        part.media.detail = text_of(member);
      } else if (key == "input_audio") {
        each_member(member, [&](std::string_view inner, od::value one) {
          if (inner == "data") part.media.data = text_of(one);
          if (inner == "format") part.media.type = "audio/" + std::string(text_of(one));
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
      throw Untranslatable{at(".content"), "parts of type \"" + type + "\" are not known"};
    }
    parts.push_back(std::move(part));
  }

  void read_tool(od::value value) {
    ChatTool tool;
    std::string type;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "type") {
        type = text_of(member);
      } else if (key == "name") {
        tool.name = text_of(member);
      } else if (key == "description") {
        tool.description = text_of(member);
      } else if (key == "parameters" && !json::is_null(member)) {
        tool.schema = raw_of(member);
      } else if (key == "strict") {
        tool.strict = boolean_of(member).value_or(false);
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
      const std::string_view word = text_of(value);
      choice.kind = word == "none" ? Kind::None : word == "required" ? Kind::Required : Kind::Auto;
      return;
    }
    std::string type;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "type") type = text_of(member);
      if (key == "name") choice.name = text_of(member);
    });
    if (type != "function") {
      throw Untranslatable{"tool_choice", "this form exists only in OpenAI's dialect"};
    }
    choice.kind = Kind::Named;
  }

  void read_text_wish(od::value value) {
    each_member(value, [this](std::string_view key, od::value member) {
      if (key == "format") {
        read_format(member);
      } else if (key == "verbosity" && !json::is_null(member)) {
        chat_.others.push_back({"text.verbosity", std::string(raw_of(member)), true});
      }
    });
  }

  void read_format(od::value value) {
    using Kind = ResponseFormat::Kind;
    auto& format = chat_.format;
    std::string type;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "type") {
        type = text_of(member);
      } else if (key == "name") {
        format.name = text_of(member);
      } else if (key == "description") {
        format.description = text_of(member);
      } else if (key == "schema") {
        format.schema = raw_of(member);
      } else if (key == "strict") {
        format.strict = boolean_of(member).value_or(false);
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
    each_member(value, [this](std::string_view key, od::value member) {
      if (key == "effort") {
        chat_.reasoning.effort = text_of(member);
        chat_.reasoning.off = chat_.reasoning.effort == "none";
      } else if (key == "summary" && is_string(member)) {
        chat_.reasoning.visible = true;
      }
    });
  }

  Chat chat_;
  std::string instructions_;
  std::size_t item_ = 0;
};

}  // namespace

Result<Chat> ResponsesDialect::decode(const Operation&, const Request& request) const {
  return decode_with(request, [](od::object body) { return Decoder().run(body); });
}

}  // namespace causeway::openai
