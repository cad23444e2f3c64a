// One pass over a request's body: every value is visited (so what is forwarded is valid JSON), keys
// are compared unescaped, and duplicates are refused in every object that is read here, since a
// scanner and the provider must see the same value.
#include <array>
#include <cstring>

#include "core/json_walk.h"
#include "core/request_body.h"
#include "dialects/openai/dialect.h"

namespace causeway::openai {
namespace {

using json::string_of;

constexpr std::size_t kMaxMessages = 65'535;  // Where::message is 16 bits

Role role_of(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, Role>, 6> kRoles = {{
      {"user", Role::User},
      {"assistant", Role::Assistant},
      {"system", Role::System},
      {"tool", Role::Tool},
      {"developer", Role::Developer},
      {"function", Role::Function},
  }};
  for (const auto& [text, role] : kRoles) {
    if (text == name) return role;
  }
  return Role::Other;
}

std::string encode_message(const Message& message) {
  static constexpr std::string_view kNames[] = {"user",      "system", "developer", "user",
                                                "assistant", "tool",   "function",  "user"};
  std::string json = R"({"role":")";
  json += kNames[static_cast<std::size_t>(message.role)];
  json += R"(","content":)";
  json += encode_json_string(message.text);
  json += '}';
  return json;
}

class RequestWalk : JsonWalk {
 public:
  RequestWalk(const Operation& operation, std::string_view body, RequestIndex& index)
      : JsonWalk(index, body), operation_(operation) {}

  void run(od::document& document) {
    body_members(document,
                 [this](std::string_view key, od::value value) { top_member(key, value); });
    if (operation_.kind == OperationKind::Chat) messages_are("messages");
  }

 private:
  void top_member(std::string_view key, od::value value) {
    const bool chat = operation_.kind == OperationKind::Chat;
    if (key == "model") return read_model(value);
    if (key == "stream") return read_bool(value, "stream", index_.stream);
    if (key == "stream_options") return read_stream_options(value);
    if (key == "max_tokens" || key == "max_completion_tokens") return read_limit(value, key);
    if (key == "n") return read_choices(value);
    if (key == "user" || key == "safety_identifier") return add_if_string(value, TextKind::UserId);
    if (key == "metadata") return read_metadata(value);
    if (chat) {
      if (key == "messages") return read_messages(value);
      if (key == "tools" || key == "functions") return read_tools(value, key);
      if (key == "prediction") return read_prediction(value);
    } else if (operation_.kind == OperationKind::Completion) {
      if (key == "prompt") return read_texts(value, TextKind::Prompt, "prompt");
      if (key == "suffix") return add_if_string(value, TextKind::Suffix);
    } else if (operation_.kind == OperationKind::Moderation) {
      if (key == "input") return read_texts(value, TextKind::Content, "input");
    } else if (operation_.kind == OperationKind::Embeddings) {
      if (key == "input") return read_texts(value, TextKind::Input, "input");
      if (key == "encoding_format") {
        if (value.type() == od::json_type::string) {
          index_.base64_embeddings = index_.bytes(string_range(value)) == "\"base64\"";
          return;
        }
      }
    }
    check(value, 1);
  }

  void read_bool(od::value value, const char* name, bool& out) {
    if (value.type() == od::json_type::null) return check(value, 1);
    if (value.type() != od::json_type::boolean) {
      refuse("\"" + std::string(name) + "\" must be true or false", name);
    }
    out = value.get_bool();
  }

  void read_stream_options(od::value value) {
    if (value.type() == od::json_type::null) return check(value, 1);
    if (value.type() != od::json_type::object) {
      refuse("\"stream_options\" must be an object", "stream_options");
    }
    members(value, "stream_options", [&](std::string_view key, od::value member) {
      if (key != "include_usage") return check(member, 2);
      index_.usage_wanted_value = trimmed(member.raw_json_token());
      read_bool(member, "stream_options.include_usage", index_.usage_wanted);
    });
  }

  void read_limit(od::value value, std::string_view name) {
    if (value.type() == od::json_type::null) return check(value, 1);
    std::uint64_t limit = 0;
    const ByteRange where = trimmed(value.raw_json_token());
    if (value.type() != od::json_type::number || value.get_uint64().get(limit) ||
        limit > 0xFFFFFFFFu) {
      refuse("\"" + std::string(name) + "\" must be a whole number", std::string(name));
    }
    // Of both names the larger counts: which one a provider heeds is not known.
    index_.max_tokens = std::max(index_.max_tokens.value_or(0), static_cast<std::uint32_t>(limit));
    index_.max_tokens_values[name == "max_tokens" ? 0 : 1] = where;
  }

  void read_choices(od::value value) {
    if (value.type() == od::json_type::null) return check(value, 1);
    std::uint64_t n = 0;
    if (value.type() != od::json_type::number || value.get_uint64().get(n) || n < 1 || n > 128) {
      refuse("\"n\" must be a whole number from 1 to 128", "n");
    }
    index_.choices = static_cast<std::uint32_t>(n);
  }

  void add_text(od::value value, Where where) {
    index_.texts.push_back({where, string_range(value)});
  }

  void add_if_string(od::value value, TextKind kind) {
    if (value.type() != od::json_type::string) return check(value, 1);
    add_text(value, {Role::None, kind, 0, 0});
  }

  void read_metadata(od::value value) {
    if (value.type() != od::json_type::object) return check(value, 1);
    members(value, "metadata", [&](std::string_view, od::value member) {
      if (member.type() != od::json_type::string) return check(member, 2);
      add_text(member, {Role::None, TextKind::Metadata, 0, 0});
    });
  }

  // A string, a list of strings, token ids, or lists of token ids.
  void read_texts(od::value value, TextKind kind, const std::string& name) {
    if (value.type() == od::json_type::string) {
      index_.inputs = 1;
      return add_text(value, {Role::User, kind, 0, 0});
    }
    if (value.type() != od::json_type::array) {
      if (value.type() == od::json_type::null) return check(value, 1);
      refuse("\"" + name + "\" must be a string or a list", name);
    }
    od::array array = value.get_array();
    std::uint16_t part = 0;
    bool token_ids = false;
    for (auto element : array) {
      od::value item = take(std::move(element));
      if (item.type() == od::json_type::string) {
        add_text(item, {Role::User, kind, 0, part});
        ++index_.inputs;
      } else {
        if (item.type() == od::json_type::number) {
          token_ids = true;
        } else {
          ++index_.inputs;
        }
        unread();  // token ids are words that no stage can read
        check(item, 2);
      }
      if (part < 0xFFFF) ++part;
    }
    if (token_ids) index_.inputs = 1;
  }

  void read_messages(od::value value) {
    if (value.type() != od::json_type::array) refuse("\"messages\" must be a list", "messages");
    index_.encode_message = &encode_message;
    index_.left_out_part = R"({"type":"text","text":"[left out]"})";
    od::array array = value.get_array();
    for (auto element : array) {
      if (index_.messages.size() == kMaxMessages) refuse("too many messages", "messages");
      read_message(take(std::move(element)));
    }
  }

  std::string at(std::string_view part) const {
    return "messages[" + std::to_string(index_.messages.size() - 1) + "]" + std::string(part);
  }

  void read_message(od::value value) {
    index_.messages.emplace_back();
    if (value.type() != od::json_type::object) refuse(at("") + " must be an object", at(""));
    const std::string_view token = value.raw_json_token();
    const std::uint32_t begin = offset(token.data());
    const std::size_t first_text = index_.texts.size();
    message_ = static_cast<std::uint16_t>(index_.messages.size() - 1);
    part_ = 0;
    Role role = Role::None;
    std::string_view result_of;
    members(
        value, [this] { return at(""); },
        [&](std::string_view key, od::value member) {
          if (key == "role") {
            if (member.type() != od::json_type::string)
              refuse(at(".role") + " must be a string", at(".role"));
            role = role_of(string_of(member));
          } else if (key == "content") {
            read_content(member);
          } else if (key == "name") {
            add_part(member, TextKind::Name);
          } else if (key == "refusal") {
            add_part(member, TextKind::Refusal);
          } else if (key == "tool_calls") {
            read_tool_calls(member);
          } else if (key == "tool_call_id") {
            result_of = id_in(member, 4);
          } else if (key == "function_call") {
            if (member.type() == od::json_type::object) add_call(message_, false);
            read_function(member, ".function_call");
          } else if (key == "reasoning_content" || key == "reasoning") {
            add_part(member, TextKind::Content);
          } else {
            if (key == "audio" && member.type() != od::json_type::null) unread();
            check(member, 3);
          }
        });
    if (role == Role::None) refuse(at(".role") + " is missing", at(".role"));
    const bool result = role == Role::Tool || role == Role::Function;
    if (result) add_call(message_, true, result_of);
    for (std::size_t i = first_text; i < index_.texts.size(); ++i) {
      auto& where = index_.texts[i].where;
      where.role = role;
      where.message = message_;
      if (result && where.kind == TextKind::Content) where.kind = TextKind::ToolResult;
    }
    index_.has_system_prompt |= role == Role::System || role == Role::Developer;
    index_.messages.back() = {role, {begin, end_of_container()}};
  }

  void add_part(od::value value, TextKind kind) {
    if (value.type() != od::json_type::string) return check(value, 4);
    add_text(value, {Role::None, kind, message_, part_});
    if (part_ < 0xFFFF) ++part_;
  }

  void read_content(od::value value) {
    switch (value.type().value()) {
      case od::json_type::string:
        add_part(value, TextKind::Content);
        break;
      case od::json_type::null:
        check(value, 3);
        break;
      case od::json_type::array: {
        od::array array = value.get_array();
        for (auto element : array) {
          od::value part = take(std::move(element));
          if (part.type() != od::json_type::object) {
            refuse("each part of " + at(".content") + " must be an object", at(".content"));
          }
          read_part(part);
        }
        break;
      }
      default:
        refuse(at(".content") + " must be a string, a list of parts or null", at(".content"));
    }
  }

  void read_part(od::value part) {
    bool readable = false;
    const std::uint32_t begin = offset(std::string_view(part.raw_json_token()).data());
    const std::size_t first_text = index_.texts.size();
    members(
        part, [this] { return at(".content"); },
        [&](std::string_view key, od::value member) {
          if (key == "type" && member.type() == od::json_type::string) {
            const std::string_view type = index_.bytes(string_range(member));
            readable = type == "\"text\"" || type == "\"refusal\"";
          } else if (key == "text") {
            add_part(member, TextKind::Content);
          } else if (key == "refusal") {
            add_part(member, TextKind::Refusal);
          } else if (key == "file" && member.type() == od::json_type::object) {
            members(
                member, [this] { return at(".content.file"); },
                [&](std::string_view inner, od::value text) {
                  if (inner == "filename") {
                    add_part(text, TextKind::Name);
                  } else if (inner == "file_data") {
                    add_part(text, TextKind::File);
                  } else {
                    check(text, 6);
                  }
                });
          } else {
            check(member, 5);
          }
        });
    if (!readable) unread_part(begin, first_text);
  }

  void read_tool_calls(od::value value) {
    if (value.type() != od::json_type::array) return check(value, 3);
    od::array array = value.get_array();
    for (auto element : array) {
      od::value call = take(std::move(element));
      if (call.type() != od::json_type::object) {
        check(call, 4);
        continue;
      }
      std::string_view id;
      members(
          call, [this] { return at(".tool_calls"); },
          [&](std::string_view key, od::value member) {
            if (key == "id") {
              id = id_in(member, 5);
            } else if (key == "function") {
              read_function(member, ".tool_calls.function");
            } else if (key == "custom" && member.type() == od::json_type::object) {
              members(
                  member, [this] { return at(".tool_calls.custom"); },
                  [&](std::string_view inner, od::value text) {
                    if (inner == "input") return add_part(text, TextKind::ToolArguments);
                    check(text, 6);
                  });
            } else {
              check(member, 5);
            }
          });
      add_call(message_, false, id);
    }
  }

  void read_function(od::value value, const char* path) {
    if (value.type() != od::json_type::object) return check(value, 4);
    members(
        value, [&] { return at(path); },
        [&](std::string_view key, od::value member) {
          if (key == "arguments") return add_part(member, TextKind::ToolArguments);
          check(member, 6);
        });
  }

  void read_tools(od::value value, std::string_view name) {
    if (value.type() != od::json_type::array) return check(value, 1);
    od::array array = value.get_array();
    for (auto element : array) {
      od::value tool = take(std::move(element));
      index_.has_tools = true;
      if (tool.type() != od::json_type::object) {
        check(tool, 2);
        continue;
      }
      members(tool, name, [&](std::string_view key, od::value member) {
        if (key == "description") return add_description(member);
        if (key != "function" || member.type() != od::json_type::object) return check(member, 3);
        members(
            member, [&] { return std::string(name) + ".function"; },
            [&](std::string_view inner, od::value text) {
              if (inner == "description") return add_description(text);
              check(text, 4);
            });
      });
    }
  }

  void add_description(od::value value) {
    if (value.type() != od::json_type::string) return check(value, 4);
    add_text(value, {Role::None, TextKind::Description, 0, 0});
  }

  void read_prediction(od::value value) {
    if (value.type() != od::json_type::object) return check(value, 1);
    members(value, "prediction", [&](std::string_view key, od::value member) {
      if (key != "content") return check(member, 2);
      if (member.type() == od::json_type::string) {
        return add_text(member, {Role::Assistant, TextKind::Content, 0, 0});
      }
      if (member.type() != od::json_type::array) return check(member, 2);
      od::array array = member.get_array();
      for (auto element : array) {
        od::value part = take(std::move(element));
        if (part.type() != od::json_type::object) {
          check(part, 3);
          continue;
        }
        members(part, "prediction.content", [&](std::string_view inner, od::value text) {
          if (inner != "text" || text.type() != od::json_type::string) return check(text, 4);
          add_text(text, {Role::Assistant, TextKind::Content, 0, 0});
        });
      }
    });
  }

  const Operation& operation_;
  std::uint16_t message_ = 0;
  std::uint16_t part_ = 0;
};

void require(const Operation& operation, const RequestIndex& index) {
  if (index.model.empty()) refuse("\"model\" is missing", "model");
  const char* needed = operation.kind == OperationKind::Chat         ? "messages"
                       : operation.kind == OperationKind::Completion ? "prompt"
                                                                     : "input";
  if (!index.member(needed)) refuse("\"" + std::string(needed) + "\" is missing", needed);
  if (operation.kind == OperationKind::Chat && index.messages.empty()) {
    refuse("\"messages\" is empty", "messages");
  }
}

}  // namespace

Result<void> OpenAiDialect::read(const Operation& operation, std::string_view,
                                 std::string_view body, RequestIndex& index) const {
  return read_with(body, [&](od::document& document) {
    RequestWalk(operation, body, index).run(document);
    require(operation, index);
  });
}

}  // namespace causeway::openai
