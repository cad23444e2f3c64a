// A request to the Messages API → the neutral Chat.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/request_body.h"
#include "dialects/anthropic/dialect.h"

namespace causeway::anthropic {
namespace {

using json::boolean_of, json::each_element, json::each_member, json::integer_of, json::is_string,
    json::number_of, json::raw_of, json::text_of;
using Kind = ChatPart::Kind;

// Without these the answer is right as well.
constexpr std::array<std::string_view, 7> kHints = {
    "service_tier",  "speed",           "inference_geo",     "diagnostics",
    "cache_control", "user_profile_id", "context_management"};

std::optional<std::uint32_t> count_of(od::value value) {
  const auto number = integer_of(value);
  if (!number || *number < 0 || *number > 0xFFFFFFFF) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

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
    name_results();
    return std::move(chat_);
  }

 private:
  void top(std::string_view key, od::value value) {
    if (key == "model") {
      chat_.model = text_of(value);
    } else if (key == "system") {
      read_content(value, system_.parts);
    } else if (key == "messages") {
      each_element(value, [this](od::value message) { read_message(message); });
    } else if (key == "max_tokens") {
      chat_.max_tokens = count_of(value);
    } else if (key == "stream") {
      chat_.stream = boolean_of(value).value_or(false);
    } else if (key == "temperature") {
      chat_.temperature = number_of(value);
    } else if (key == "top_p") {
      chat_.top_p = number_of(value);
    } else if (key == "top_k") {
      chat_.top_k = count_of(value);
    } else if (key == "stop_sequences") {
      each_element(value, [this](od::value one) { chat_.stop.emplace_back(text_of(one)); });
    } else if (key == "tools") {
      each_element(value, [this](od::value tool) { read_tool(tool); });
    } else if (key == "tool_choice") {
      read_choice(value);
    } else if (key == "thinking") {
      read_thinking(value);
    } else if (key == "output_config") {
      read_output(value);
    } else if (key == "output_format") {
      read_format(value);
    } else if (key == "metadata") {
      each_member(value, [this](std::string_view inner, od::value one) {
        if (inner == "user_id") chat_.user = text_of(one);
      });
    } else {
      other(key, value);
    }
  }

  void other(std::string_view key, od::value value) {
    const std::string_view raw = raw_of(value);
    if (raw == "{}" || raw == "[]" || raw == "false") return;
    const bool hint = std::find(kHints.begin(), kHints.end(), key) != kHints.end();
    chat_.others.push_back({std::string(key), std::string(raw), hint});
  }

  std::string at(std::string_view part) const {
    return "messages." + std::to_string(message_) + std::string(part);
  }

  // Results of tools stand in a user's message here: they become a message of their own, in front
  // of what the user says.
  void read_message(od::value value) {
    ChatMessage message, results;
    std::string role;
    std::vector<ChatPart> parts;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "role") role = text_of(member);
      if (key == "content") read_content(member, parts);
    });
    message.role = role == "assistant" ? Role::Assistant
                   : role == "system"  ? Role::System
                                       : Role::User;
    results.role = Role::Tool;
    for (auto& part : parts) {
      auto& to = part.kind == Kind::ToolResult ? results : message;
      to.parts.push_back(std::move(part));
    }
    if (!results.parts.empty()) chat_.messages.push_back(std::move(results));
    if (!message.parts.empty()) chat_.messages.push_back(std::move(message));
    ++message_;
  }

  void read_content(od::value value, std::vector<ChatPart>& parts) {
    if (is_string(value)) {
      parts.emplace_back().text = text_of(value);
      return;
    }
    each_element(value, [&](od::value block) { parts.push_back(read_block(block)); });
  }

  ChatPart read_block(od::value block) {
    ChatPart part;
    std::string type;
    each_member(block, [&](std::string_view key, od::value value) {
      if (json::is_null(value)) return;
      if (key == "type") {
        type = text_of(value);
      } else if (key == "text" || key == "thinking") {
        part.text = text_of(value);
      } else if (key == "signature" || key == "data") {
        part.seal = {"anthropic", std::string(text_of(value))};
        part.hidden = key == "data";
      } else if (key == "id" || key == "tool_use_id") {
        part.id = text_of(value);
      } else if (key == "name") {
        part.name = text_of(value);
      } else if (key == "input") {
        part.arguments = raw_of(value);
      } else if (key == "content") {
        read_content(value, part.content);
      } else if (key == "is_error") {
        part.failed = boolean_of(value).value_or(false);
      } else if (key == "cache_control") {
        part.cache = raw_of(value);
      } else if (key == "title") {
        part.media.name = text_of(value);
      } else if (key == "citations") {
        read_citations(value, part);
      } else if (key == "source" && !is_string(value)) {
        read_source(value, part);
      } else if (key == "context") {
        chat_.others.push_back({at(".content.context"), std::string(raw_of(value)), true});
      }
    });
    part.kind = kind_of(type);
    if (type == "search_result") take_search_result(part);
    return part;
  }

  Kind kind_of(const std::string& type) const {
    static constexpr std::array<std::pair<std::string_view, Kind>, 8> kKinds = {{
        {"text", Kind::Text},
        {"image", Kind::Image},
        {"document", Kind::Document},
        {"search_result", Kind::Document},
        {"tool_use", Kind::ToolCall},
        {"tool_result", Kind::ToolResult},
        {"thinking", Kind::Reasoning},
        {"redacted_thinking", Kind::Reasoning},
    }};
    for (const auto& [name, kind] : kKinds) {
      if (name == type) return kind;
    }
    throw Untranslatable{at(".content"),
                         "blocks of type \"" + type + "\" exist only in Anthropic's dialect"};
  }

  static void read_citations(od::value value, ChatPart& part) {
    if (value.type() == od::json_type::array) {
      part.citations = raw_of(value);
      return;
    }
    each_member(value, [&](std::string_view key, od::value one) {
      if (key == "enabled") part.cites = boolean_of(one).value_or(false);
    });
  }

  void read_source(od::value value, ChatPart& part) {
    std::string type, data;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "type") {
        type = text_of(member);
      } else if (key == "media_type") {
        part.media.type = text_of(member);
      } else if (key == "data") {
        data = text_of(member);
      } else if (key == "url") {
        part.media.url = text_of(member);
      } else if (key == "file_id") {
        part.media.file = text_of(member);
      } else if (key == "content") {
        read_content(member, part.content);
      }
    });
    if (type == "text") {
      part.text = std::move(data);
    } else if (type == "content") {
      part.text = text_in(std::exchange(part.content, {}));
    } else {
      part.media.data = std::move(data);
    }
  }

  // The text of blocks that may only be texts here.
  std::string text_in(const std::vector<ChatPart>& parts) const {
    std::string text;
    for (const auto& part : parts) {
      if (part.kind != Kind::Text) {
        throw Untranslatable{at(".content"), "a document may hold nothing but text"};
      }
      if (!text.empty()) text += "\n\n";
      text += part.text;
    }
    return text;
  }

  void take_search_result(ChatPart& part) const {
    part.text = text_in(std::exchange(part.content, {}));
    if (!part.media.name.empty()) part.text = part.media.name + "\n\n" + part.text;
  }

  // A result names only its call.
  void name_results() {
    std::map<std::string_view, std::string_view> names;
    for (auto& message : chat_.messages) {
      for (auto& part : message.parts) {
        if (part.kind == Kind::ToolCall) names[part.id] = part.name;
        if (part.kind == Kind::ToolResult) part.name = names[part.id];
      }
    }
  }

  void read_tool(od::value value) {
    ChatTool tool;
    std::string type;
    each_member(value, [&](std::string_view key, od::value member) {
      if (json::is_null(member)) return;
      if (key == "type") {
        type = text_of(member);
      } else if (key == "name") {
        tool.name = text_of(member);
      } else if (key == "description") {
        tool.description = text_of(member);
      } else if (key == "input_schema") {
        tool.schema = raw_of(member);
      } else if (key == "strict") {
        tool.strict = boolean_of(member).value_or(false);
      } else if (key == "cache_control") {
        tool.cache = raw_of(member);
      }
    });
    if (!type.empty() && type != "custom") {
      throw Untranslatable{"tools", "the tool \"" + type + "\" is run by Anthropic itself"};
    }
    chat_.tools.push_back(std::move(tool));
  }

  void read_choice(od::value value) {
    std::string type, name;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "type") type = text_of(member);
      if (key == "name") name = text_of(member);
      if (key == "disable_parallel_tool_use" && boolean_of(member).value_or(false)) {
        chat_.parallel_tools = false;
      }
    });
    using Choice = ToolChoice::Kind;
    const Choice kind = type == "auto"   ? Choice::Auto
                        : type == "any"  ? Choice::Required
                        : type == "tool" ? Choice::Named
                        : type == "none" ? Choice::None
                                         : Choice::Unset;
    if (kind == Choice::Unset) {
      throw Untranslatable{"tool_choice", "\"" + type + "\" is not known"};
    }
    chat_.tool_choice = {kind, std::move(name)};
  }

  void read_thinking(od::value value) {
    auto& reasoning = chat_.reasoning;
    std::string display;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "type") {
        const std::string_view type = text_of(member);
        reasoning.off = type == "disabled" || type == "between_tools";
        if (type == "adaptive") reasoning.budget = -1;
      } else if (key == "budget_tokens") {
        reasoning.budget = integer_of(member);
      } else if (key == "display") {
        display = text_of(member);
      }
    });
    reasoning.visible = !reasoning.off && display != "omitted";
  }

  void read_output(od::value value) {
    each_member(value, [&](std::string_view key, od::value member) {
      if (json::is_null(member)) return;
      if (key == "effort") {
        const std::string_view effort = text_of(member);
        chat_.reasoning.effort = effort == "max" ? "xhigh" : effort;
      } else if (key == "format") {
        read_format(member);
      } else {
        other("output_config." + std::string(key), member);
      }
    });
  }

  void read_format(od::value value) {
    std::string type;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "type") type = text_of(member);
      if (key == "schema") chat_.format.schema = raw_of(member);
    });
    if (type != "json_schema") {
      throw Untranslatable{"output_config.format", "\"" + type + "\" is not known"};
    }
    chat_.format.kind = ResponseFormat::Kind::JsonSchema;
    chat_.format.strict = true;
  }

  Chat chat_;
  ChatMessage system_;
  std::size_t message_ = 0;
};

}  // namespace

Result<Chat> AnthropicDialect::decode(const Operation&, const Request& request) const {
  return decode_with(request, [](od::object body) { return Decoder().run(body); });
}

}  // namespace causeway::anthropic
