// The view that stages have of a request to the Responses API.
#include "core/json_walk.h"
#include "core/request_body.h"
#include "dialects/openai/responses.h"

namespace causeway::openai {
namespace {

using json::string_of, json::with_parser;

constexpr std::size_t kMaxItems = 65'535;  // Where::message is 16 bits

[[noreturn]] void not_served(const std::string& field, const std::string& instead) {
  Error error;
  error.kind = ErrorKind::NotImplemented;
  error.origin = Origin::Us;
  error.message = "\"" + field + "\" is not served: answers are not stored here. " + instead;
  error.param = field;
  throw Refused{std::move(error)};
}

Role role_of(std::string_view word) {
  if (word == "user") return Role::User;
  if (word == "assistant") return Role::Assistant;
  if (word == "system") return Role::System;
  if (word == "developer") return Role::Developer;
  return Role::Other;
}

// An item of `input`.
std::string encode_message(const Message& message) {
  const char* role = message.role == Role::System      ? "system"
                     : message.role == Role::Developer ? "developer"
                     : message.role == Role::Assistant ? "assistant"
                                                       : "user";
  return std::string(R"({"role":")") + role + R"(","content":)" + encode_json_string(message.text) +
         "}";
}

class Walk : JsonWalk {
 public:
  Walk(const Operation& operation, std::string_view body, RequestIndex& index)
      : JsonWalk(index, body), counts_(operation.kind == OperationKind::CountTokens) {}

  void run(od::document& document) {
    body_members(document, [this](std::string_view key, od::value value) { member(key, value); });
    if (!index_.messages.empty()) messages_are("input");  // else it is a text
    if (index_.model.empty()) refuse("\"model\" is missing", "model");
    if (!counts_ && !index_.member("input")) refuse("\"input\" is missing", "input");
  }

 private:
  static bool is_null(od::value& value) { return value.type() == od::json_type::null; }

  void member(std::string_view key, od::value value) {
    if (is_null(value)) return check(value, 1);
    if (key == "model") return read_model(value);
    if (key == "stream") return read_stream(value);
    if (key == "input") return read_input(value);
    if (key == "instructions") {
      index_.has_system_prompt = true;
      return add(value, {Role::System, TextKind::Content, 0, 0});
    }
    if (key == "user" || key == "safety_identifier") {
      return add(value, {Role::None, TextKind::UserId, 0, 0});
    }
    if (key == "tools") return read_tools(value);
    if (key == "max_output_tokens") return read_limit(value);
    if (key == "metadata") return read_metadata(value);
    if (key == "previous_response_id" || key == "conversation") {
      not_served(std::string(key), "Send the whole conversation in \"input\".");
    }
    if (key == "prompt") not_served("prompt", "Send the text of the prompt in \"instructions\".");
    if (key == "background" && value.type() == od::json_type::boolean) {
      if (value.get_bool()) not_served("background", "Use \"stream\": true.");
      return;
    }
    check(value, 1);
  }

  void add(od::value value, Where where) {
    if (value.type() != od::json_type::string) return check(value, 3);
    index_.texts.push_back({where, string_range(value)});
  }

  void read_stream(od::value value) {
    if (value.type() != od::json_type::boolean)
      refuse("\"stream\" must be true or false", "stream");
    const bool stream = value.get_bool();
    index_.stream = stream && !counts_;  // a count has the members of the request that it is of
  }

  void read_limit(od::value value) {
    std::uint64_t limit = 0;
    const ByteRange where = trimmed(value.raw_json_token());
    if (value.type() != od::json_type::number || value.get_uint64().get(limit) ||
        limit > 0xFFFFFFFFu) {
      refuse("\"max_output_tokens\" must be a whole number", "max_output_tokens");
    }
    index_.max_tokens = static_cast<std::uint32_t>(limit);
    index_.max_tokens_values[0] = where;
  }

  void read_metadata(od::value value) {
    if (value.type() != od::json_type::object) return check(value, 1);
    members(value, "metadata", [&](std::string_view, od::value one) {
      add(one, {Role::None, TextKind::Metadata, 0, 0});
    });
  }

  void read_tools(od::value value) {
    if (value.type() != od::json_type::array) return check(value, 1);
    od::array array = value.get_array();
    for (auto element : array) {
      od::value tool = take(std::move(element));
      index_.has_tools = true;
      if (tool.type() != od::json_type::object) {
        check(tool, 2);
        continue;
      }
      members(tool, "tools", [&](std::string_view key, od::value one) {
        if (key == "description") return add(one, {Role::None, TextKind::Description, 0, 0});
        check(one, 3);
      });
    }
  }

  void read_input(od::value value) {
    if (value.type() == od::json_type::string) {
      return add(value, {Role::User, TextKind::Content, 0, 0});
    }
    if (value.type() != od::json_type::array) {
      refuse("\"input\" must be a string or a list of items", "input");
    }
    index_.encode_message = &encode_message;
    index_.left_out_part = R"({"type":"input_text","text":"[left out]"})";
    od::array array = value.get_array();
    for (auto element : array) {
      if (index_.messages.size() == kMaxItems) refuse("too many items", "input");
      read_item(take(std::move(element)));
    }
    if (index_.messages.empty()) refuse("\"input\" is empty", "input");
  }

  std::string at(std::string_view part) const {
    return "input[" + std::to_string(index_.messages.size() - 1) + "]" + std::string(part);
  }

  void read_item(od::value item) {
    index_.messages.emplace_back();
    if (item.type() != od::json_type::object) refuse(at("") + " must be an object", at(""));
    const std::uint32_t begin = offset(std::string_view(item.raw_json_token()).data());
    const std::size_t first = index_.texts.size();
    message_ = static_cast<std::uint16_t>(index_.messages.size() - 1);
    part_ = 0;
    Role role = Role::None;
    std::string type = "message";
    std::string_view call;
    members(
        item, [this] { return at(""); },
        [&](std::string_view key, od::value member) {
          if (key == "type" || key == "role") {
            if (member.type() != od::json_type::string) {
              refuse(at("." + std::string(key)) + " must be a string", at("." + std::string(key)));
            }
            if (key == "type") {
              type = string_of(member);
            } else {
              role = role_of(string_of(member));
            }
          } else if (key == "call_id") {
            call = id_in(member, 3);
          } else if (key == "content" || key == "output" || key == "summary") {
            read_content(member, key);
          } else if (key == "arguments" || key == "input") {
            add_part(member, TextKind::ToolArguments);
          } else {
            check(member, 3);
          }
        });
    if (type == "item_reference") not_served(at(".type"), "Send the item itself.");
    // Of functions and of the API's own tools: function_call, web_search_call, shell_call_output, …
    const bool calls = type.ends_with("_call");
    const bool result = type.ends_with("_call_output");
    if (calls || type == "reasoning") role = Role::Assistant;
    if (result) role = Role::Tool;
    if (calls || result) add_call(message_, result, call);
    if (role == Role::None && type == "message") refuse(at(".role") + " is missing", at(".role"));
    index_.has_system_prompt |= role == Role::System || role == Role::Developer;
    for (std::size_t i = first; i < index_.texts.size(); ++i) {
      index_.texts[i].where.role = role;
      index_.texts[i].where.message = message_;
    }
    index_.messages.back() = {role, {begin, end_of_container()}};
  }

  void add_part(od::value value, TextKind kind) {
    add(value, {Role::None, kind, message_, part_});
    if (part_ < 0xFFFF) ++part_;
  }

  void read_content(od::value value, std::string_view key) {
    const TextKind kind = key == "output" ? TextKind::ToolResult : TextKind::Content;
    if (value.type() == od::json_type::string) return add_part(value, kind);
    if (value.type() != od::json_type::array) return check(value, 3);
    od::array array = value.get_array();
    for (auto element : array) {
      od::value part = take(std::move(element));
      if (part.type() != od::json_type::object) {
        refuse("each part of " + at(".content") + " must be an object", at(".content"));
      }
      bool readable = false;
      const std::uint32_t begin = offset(std::string_view(part.raw_json_token()).data());
      const std::size_t first_text = index_.texts.size();
      members(
          part, [this] { return at(".content"); },
          [&](std::string_view name, od::value member) {
            if (name == "text" || name == "refusal") {
              readable = true;
              add_part(member, name == "text" ? kind : TextKind::Refusal);
            } else if (name == "filename") {
              add_part(member, TextKind::Name);
            } else if (name == "file_data") {
              add_part(member, TextKind::File);
            } else {
              check(member, 5);
            }
          });
      if (!readable) unread_part(begin, first_text);
    }
  }

  bool counts_;
  std::uint16_t message_ = 0;
  std::uint16_t part_ = 0;
};

}  // namespace

Result<void> ResponsesDialect::read(const Operation& operation, std::string_view,
                                    std::string_view body, RequestIndex& index) const {
  return read_with(body,
                   [&](od::document& document) { Walk(operation, body, index).run(document); });
}

}  // namespace causeway::openai
