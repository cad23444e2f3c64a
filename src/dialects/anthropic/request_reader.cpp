// One pass over a request's body: every value is visited, keys are compared unescaped, and
// duplicates are refused in every object that is read here, since a scanner and the provider must
// see the same value.
#include <utility>

#include "core/request_body.h"
#include "dialects/anthropic/dialect.h"
#include "platform/text/json_writer.h"

namespace causeway::anthropic {
namespace {

constexpr std::size_t kMaxMessages = 65'535;  // Where::message is 16 bits

Role role_of(std::string_view name) {
  if (name == "user") return Role::User;
  if (name == "assistant") return Role::Assistant;
  if (name == "system") return Role::System;
  return Role::Other;
}

std::string encode_message(const Message& message) {
  std::string json = R"({"role":")";
  json += message.role == Role::Assistant ? "assistant" : "user";
  json += R"(","content":)" + encode_json_string(message.text) + "}";
  return json;
}

// A text stays one where nothing was there before; otherwise all become blocks.
std::string encode_system(std::string_view value, const RequestIndex::Texts& before,
                          const RequestIndex::Texts& behind) {
  if (value == "null") value = {};
  if (value.empty() && before.size() + behind.size() == 1) {
    return encode_json_string(before.empty() ? behind.front() : before.front());
  }
  std::string out;
  text::JsonWriter json(out);
  const auto block = [&](std::string_view text) {
    json.begin_object().field("type", "text").field("text", text).end_object();
  };
  json.begin_array();
  for (const auto text : before) block(text);
  if (value.starts_with('[')) {
    const std::string_view inner = json::trimmed(value.substr(1, value.size() - 2));
    if (!inner.empty()) json.raw(inner);
  } else if (!value.empty()) {
    json.begin_object().field("type", "text").key("text").raw(value).end_object();
  }
  for (const auto text : behind) block(text);
  json.end_array();
  return out;
}

class Walk : JsonWalk {
 public:
  Walk(std::string_view body, RequestIndex& index) : JsonWalk(index, body) {}

  void run(od::document& document) {
    index_.system_member = "system";
    index_.encode_system = &encode_system;
    body_members(document,
                 [this](std::string_view key, od::value value) { top_member(key, value); });
    messages_are("messages");
  }

 private:
  void top_member(std::string_view key, od::value value) {
    if (key == "model") return read_model(value);
    if (key == "stream") return read_stream(value);
    if (key == "max_tokens") return read_limit(value);
    if (key == "system") return read_system(value);
    if (key == "messages") return read_messages(value);
    if (key == "tools") return read_tools(value);
    if (key == "metadata") return read_metadata(value);
    check(value, 1);
  }

  void read_stream(od::value value) {
    if (json::is_null(value)) return check(value, 1);
    if (value.type() != od::json_type::boolean)
      refuse("\"stream\" must be true or false", "stream");
    index_.stream = value.get_bool();
    index_.usage_wanted = true;  // this dialect always tells it
  }

  void read_limit(od::value value) {
    std::uint64_t limit = 0;
    const ByteRange where = trimmed(value.raw_json_token());
    if (value.type() != od::json_type::number || value.get_uint64().get(limit) ||
        limit > 0xFFFFFFFFu) {
      refuse("\"max_tokens\" must be a whole number", "max_tokens");
    }
    index_.max_tokens = static_cast<std::uint32_t>(limit);
    index_.max_tokens_values[0] = where;
  }

  void add_text(od::value value, TextKind kind) {
    if (!json::is_string(value)) return check(value, 4);
    index_.texts.push_back({{role_, kind, message_, part_}, string_range(value)});
    if (part_ < 0xFFFF) ++part_;
  }

  void read_metadata(od::value value) {
    if (value.type() != od::json_type::object) return check(value, 1);
    role_ = Role::None;
    members(value, "metadata", [&](std::string_view key, od::value member) {
      add_text(member, key == "user_id" ? TextKind::UserId : TextKind::Metadata);
    });
  }

  void read_system(od::value value) {
    role_ = Role::System;
    message_ = part_ = 0;
    if (json::is_null(value)) return check(value, 1);
    index_.has_system_prompt = true;
    if (json::is_string(value)) return add_text(value, TextKind::Content);
    if (value.type() != od::json_type::array) {
      refuse("\"system\" must be a string or a list of text blocks", "system");
    }
    path_ = "system";
    read_blocks(value, TextKind::Content, 2);
  }

  void read_tools(od::value value) {
    if (value.type() != od::json_type::array) return check(value, 1);
    role_ = Role::None;
    od::array array = value.get_array();
    for (auto element : array) {
      od::value tool = take(std::move(element));
      index_.has_tools = true;
      if (tool.type() != od::json_type::object) {
        check(tool, 2);
        continue;
      }
      members(tool, "tools", [&](std::string_view key, od::value member) {
        if (key == "description") return add_text(member, TextKind::Description);
        check(member, 3);
      });
    }
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

  void read_message(od::value value) {
    message_ = static_cast<std::uint16_t>(index_.messages.size());
    path_ = "messages." + std::to_string(message_);
    part_ = 0;
    if (value.type() != od::json_type::object) refuse(path_ + " must be an object", path_);
    const std::uint32_t begin = offset(value.raw_json_token().data());
    const std::size_t first_text = index_.texts.size();
    Role role = Role::None;
    bool has_content = false;
    role_ = Role::None;
    members(value, path_, [&](std::string_view key, od::value member) {
      if (key == "role") {
        if (!json::is_string(member)) refuse(path_ + ".role must be a string", path_ + ".role");
        role = role_of(json::string_of(member));
      } else if (key == "content") {
        has_content = true;
        read_content(member, TextKind::Content, 3);
      } else {
        check(member, 3);
      }
    });
    if (role == Role::None) refuse(path_ + ".role is missing", path_ + ".role");
    if (role == Role::Other) {
      refuse(path_ + ".role must be \"user\" or \"assistant\"", path_ + ".role");
    }
    if (!has_content) refuse(path_ + ".content is missing", path_ + ".content");
    for (std::size_t i = first_text; i < index_.texts.size(); ++i) {
      auto& where = index_.texts[i].where;
      where.role = where.kind == TextKind::ToolResult ? Role::Tool : role;
      where.message = message_;
    }
    index_.has_system_prompt |= role == Role::System;
    index_.messages.push_back({role, {begin, end_of_container()}});
  }

  void read_content(od::value value, TextKind kind, int depth) {
    if (json::is_string(value)) return add_text(value, kind);
    if (value.type() != od::json_type::array) {
      refuse(path_ + ".content must be a string or a list of blocks", path_ + ".content");
    }
    read_blocks(value, kind, depth);
  }

  void read_blocks(od::value value, TextKind kind, int depth) {
    if (depth > kMaxDepth) refuse("the body is nested deeper than 64 levels");
    od::array array = value.get_array();
    for (auto element : array) {
      od::value block = take(std::move(element));
      if (block.type() != od::json_type::object) {
        refuse("each block of " + path_ + ".content must be an object", path_ + ".content");
      }
      read_block(block, kind, depth + 1);
    }
  }

  // A block's type may stand behind its contents: texts are taken by the names of their members,
  // which mean the same in all types.
  void read_block(od::value block, TextKind kind, int depth) {
    const std::uint32_t begin = offset(std::string_view(block.raw_json_token()).data());
    const std::size_t first_text = index_.texts.size();
    std::string type;
    const bool outer = std::exchange(source_is_unread_, false);
    std::string_view id, result_of;
    members(block, path_, [&](std::string_view key, od::value member) {
      if (key == "type") {
        if (json::is_string(member))
          type = json::string_of(member);
        else
          check(member, depth);
      } else if (key == "id") {
        id = id_in(member, depth);
      } else if (key == "tool_use_id") {
        result_of = id_in(member, depth);
      } else if (key == "text" || key == "thinking" || key == "context") {
        add_text(member, kind);
      } else if (key == "title") {
        add_text(member, TextKind::Name);
      } else if (key == "input") {
        add_strings(member, TextKind::ToolArguments, depth);
      } else if (key == "source") {
        read_source(member, kind, depth);
      } else if (key == "content" &&
                 (json::is_string(member) || member.type() == od::json_type::array)) {
        read_content(member, kind, depth);
      } else {
        check(member, depth);
      }
    });
    // Of the API's own tools, too: server_tool_use, web_search_tool_result.
    if (type.ends_with("tool_use")) add_call(message_, false, id);
    if (type.ends_with("tool_result")) add_call(message_, true, result_of);
    if (type == "tool_result") {
      for (std::size_t i = first_text; i < index_.texts.size(); ++i) {
        auto& where = index_.texts[i].where;
        if (where.kind == TextKind::Content) where.kind = TextKind::ToolResult;
      }
    }
    // What is redacted is the provider's own words, for nobody else to read.
    const bool readable = type == "text" || type == "thinking" || type == "redacted_thinking" ||
                          type == "tool_use" || type == "tool_result" || type == "search_result" ||
                          type == "document";
    if (!readable || source_is_unread_) unread_part(begin, first_text);
    source_is_unread_ = outer;
  }

  // {type, media_type, data | url | file_id | content}, or a search result's address.
  void read_source(od::value value, TextKind kind, int depth) {
    if (json::is_string(value)) return add_text(value, TextKind::Name);
    if (value.type() != od::json_type::object) return check(value, depth);
    ByteRange data{};
    bool plain = false;
    const std::size_t place = index_.texts.size();
    members(value, path_, [&](std::string_view key, od::value member) {
      if (key == "type" && json::is_string(member)) {
        const std::string_view type = json::string_of(member);
        plain = type == "text" || type == "content";
      } else if (key == "data" && json::is_string(member)) {
        data = string_range(member);
      } else if (key == "content" &&
                 (json::is_string(member) || member.type() == od::json_type::array)) {
        read_content(member, kind, depth + 1);
      } else {
        check(member, depth + 1);
      }
    });
    if (!plain) {
      source_is_unread_ = true;
    } else if (!data.empty()) {
      const auto at = index_.texts.begin() + static_cast<std::ptrdiff_t>(place);
      index_.texts.insert(at, {{role_, TextKind::File, message_, part_}, data});
      if (part_ < 0xFFFF) ++part_;
    }
  }

  /// Every string inside a value: a model's arguments are an object here.
  void add_strings(od::value value, TextKind kind, int depth) {
    if (depth > kMaxDepth) refuse("the body is nested deeper than 64 levels");
    switch (value.type().value()) {
      case od::json_type::object: {
        od::object object = value.get_object();
        for (auto result : object) {
          od::field field = take(std::move(result));
          (void)key_of(field);
          add_strings(field.value(), kind, depth + 1);
        }
        break;
      }
      case od::json_type::array: {
        od::array array = value.get_array();
        for (auto element : array) add_strings(take(std::move(element)), kind, depth + 1);
        break;
      }
      case od::json_type::string:
        add_text(value, kind);
        break;
      default:
        check(value, depth);
    }
  }

  Role role_ = Role::None;
  std::uint16_t message_ = 0;
  std::uint16_t part_ = 0;
  bool source_is_unread_ = false;  // of the block that is read
  std::string path_;               // of the message that is read
};

void require(const Operation& operation, const RequestIndex& index) {
  if (index.model.empty()) refuse("\"model\" is missing", "model");
  if (!index.member("messages")) refuse("\"messages\" is missing", "messages");
  if (index.messages.empty()) refuse("\"messages\" is empty", "messages");
  if (operation.kind == OperationKind::Chat && !index.max_tokens) {
    refuse("\"max_tokens\" is missing", "max_tokens");
  }
}

}  // namespace

Result<void> AnthropicDialect::read(const Operation& operation, std::string_view,
                                    std::string_view body, RequestIndex& index) const {
  return read_with(body, [&](od::document& document) {
    Walk(body, index).run(document);
    require(operation, index);
  });
}

}  // namespace causeway::anthropic
