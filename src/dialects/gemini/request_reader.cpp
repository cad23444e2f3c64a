// One pass over a request's body, as core/json_walk.h has it. The model stands in the path, system
// prompts stand apart from the contents, and arguments and results of tools are objects: every
// string in them is a text that stages see.
#include <array>

#include "core/json_walk.h"
#include "core/request_body.h"
#include "dialects/gemini/dialect.h"
#include "dialects/gemini/words.h"
#include "platform/text/percent.h"
#include "platform/text/utf8.h"

namespace causeway::gemini {
namespace {

using json::string_of;

constexpr std::size_t kMaxMessages = 65'535;  // Where::message is 16 bits

std::string encode_message(const Message& message) {
  std::string json = R"({"role":")";
  json += message.role == Role::Assistant ? "model" : "user";
  json += R"(","parts":[{"text":)" + encode_json_string(message.text) + "}]}";
  return json;
}

// What stands between the brackets of the list of parts in a content; empty = there is none.
std::string parts_in(std::string_view content) {
  std::string found;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element parts;
  if (parser.parse(simdjson::padded_string(content)).get(root)) return found;
  if (root["parts"].get(parts) || parts.is_null()) return found;
  const std::string list = simdjson::minify(parts);
  return parts.is_array() ? list.substr(1, list.size() - 2) : list;
}

std::string encode_system(std::string_view value, const RequestIndex::Texts& before,
                          const RequestIndex::Texts& behind) {
  std::string json = R"({"parts":[)";
  const auto add = [&](const std::string& part) {
    if (part.empty()) return;
    if (json.back() != '[') json += ',';
    json += part;
  };
  for (const auto text : before) add(R"({"text":)" + encode_json_string(text) + "}");
  add(parts_in(value));
  for (const auto text : behind) add(R"({"text":)" + encode_json_string(text) + "}");
  return json + "]}";
}

class RequestWalk : JsonWalk {
 public:
  RequestWalk(const Operation& operation, std::string_view body, RequestIndex& index)
      : JsonWalk(index, body), kind_(operation.kind) {}

  void run(od::document& document) {
    Names names;  // a name in its two spellings is one
    body_members(document, [&](std::string_view key, od::value value) {
      const std::string_view name = kept_name(key);
      if (!names.add(name)) {
        refuse("duplicate member \"" + std::string(key) + "\"", std::string(key));
      }
      if (name == "systemInstruction") index_.system_member = key;
      top_member(name, value, true);
    });
    if (kind_ == OperationKind::Chat) messages_are("contents");
  }

 private:
  /// The names in one object, each spelt in one way only: two readers must see the same value.
  class Names {
   public:
    bool add(std::string_view name) {
      const auto end = names_.begin() + static_cast<std::ptrdiff_t>(count_);
      if (std::find(names_.begin(), end, name) != end) return false;
      if (count_ == names_.size()) refuse("too many members in an object of the body");
      names_[count_++] = name;
      return true;
    }

   private:
    std::array<std::string_view, 64> names_;
    std::size_t count_ = 0;
  };

  std::string_view kept_name(std::string_view key) {
    std::string storage;
    const std::string_view name = camel(key, storage);
    if (storage.empty()) return name;
    return index_.unescaped_keys.emplace_back(std::move(storage));
  }

  /// members() with the names in lowerCamelCase.
  template <class Visit>
  void fields(od::value value, std::string_view path, Visit visit) {
    if (value.type() != od::json_type::object) {
      refuse("\"" + std::string(path) + "\" must be an object", std::string(path));
    }
    Names names;
    members(value, path, [&](std::string_view key, od::value member) {
      const std::string_view name = kept_name(key);
      if (!names.add(name)) {
        refuse("duplicate member \"" + std::string(key) + "\" in " + std::string(path),
               std::string(path));
      }
      visit(name, member);
    });
  }

  // Google takes a single element for a list of one.
  template <class Visit>
  void elements(od::value value, std::string_view path, Visit visit) {
    if (value.type() == od::json_type::object) return visit(value);
    if (value.type() != od::json_type::array) {
      refuse("\"" + std::string(path) + "\" must be a list", std::string(path));
    }
    od::array array = value.get_array();
    for (auto element : array) visit(take(std::move(element)));
  }

  void top_member(std::string_view name, od::value value, bool outermost) {
    if (value.type() == od::json_type::null) return check(value, 1);
    if (kind_ == OperationKind::Embeddings) {
      if (name == "content") return read_input(value);
      if (name == "requests") {
        return elements(value, "requests", [&](od::value request) {
          fields(request, "requests", [&](std::string_view inner, od::value member) {
            if (inner == "content") return read_input(member);
            check(member, 3);
          });
        });
      }
      return check(value, 1);
    }
    if (name == "contents") return read_contents(value, outermost);
    if (name == "systemInstruction") return read_system(value);
    if (name == "tools") return read_tools(value);
    if (name == "generationConfig") return read_generation(value);
    if (name == "generateContentRequest" && kind_ == OperationKind::CountTokens && outermost) {
      return fields(value, name, [&](std::string_view inner, od::value member) {
        top_member(inner, member, false);
      });
    }
    check(value, 1);
  }

  void read_contents(od::value value, bool outermost) {
    if (outermost && kind_ == OperationKind::Chat) index_.encode_message = &encode_message;
    index_.left_out_part = R"({"text":"[left out]"})";
    elements(value, "contents", [&](od::value content) {
      if (index_.messages.size() == kMaxMessages) refuse("too many contents", "contents");
      read_message(content);
    });
  }

  void read_message(od::value value) {
    index_.messages.emplace_back();
    const std::size_t first_text = index_.texts.size();
    message_ = static_cast<std::uint16_t>(index_.messages.size() - 1);
    part_ = 0;
    if (value.type() != od::json_type::object) refuse("each content must be an object", "contents");
    const std::uint32_t begin = offset(value.raw_json_token().data());
    Role role = Role::User;
    bool names_role = false;
    fields(value, "contents", [&](std::string_view name, od::value member) {
      names_role |= name == "role";
      if (name == "role" && member.type() == od::json_type::string) {
        const std::string_view word = string_of(member);
        role = word == "user" || word.empty() ? Role::User
               : word == "model"              ? Role::Assistant
               : word == "function"           ? Role::Tool
                                              : Role::Other;
      } else if (name == "parts") {
        read_parts(member);
      } else {
        check(member, 3);
      }
    });
    for (std::size_t i = first_text; i < index_.texts.size(); ++i) {
      auto& where = index_.texts[i].where;
      where.role = where.kind == TextKind::ToolResult ? Role::Tool : role;
      where.message = message_;
    }
    index_.messages.back() = {role, {begin, end_of_container()}, names_role};
  }

  void read_system(od::value value) {
    const std::size_t first_text = index_.texts.size();
    message_ = 0;
    part_ = 0;
    fields(value, "systemInstruction", [&](std::string_view name, od::value member) {
      if (name == "parts") return read_parts(member);
      check(member, 2);
    });
    for (std::size_t i = first_text; i < index_.texts.size(); ++i) {
      index_.texts[i].where.role = Role::System;
    }
    index_.has_system_prompt = true;
  }

  void read_parts(od::value value) {
    elements(value, "parts", [&](od::value part) {
      const std::uint32_t begin = offset(std::string_view(part.raw_json_token()).data());
      const std::size_t first_text = index_.texts.size();
      bool readable = true;
      fields(part, "parts", [&](std::string_view name, od::value member) {
        if (name == "text") return add_text(member, TextKind::Content);
        if (name == "functionCall") return read_object_of(member, name, "args");
        if (name == "functionResponse") return read_object_of(member, name, "response");
        if (name == "executableCode") return read_object_of(member, name, "code");
        if (name == "codeExecutionResult") return read_object_of(member, name, "output");
        readable &= name == "thought" || name == "thoughtSignature";
        check(member, 4);
      });
      if (!readable) unread_part(begin, first_text);
    });
  }

  // The strings in one member of it, however deep.
  void read_object_of(od::value value, std::string_view name, std::string_view wanted) {
    const bool call = wanted == "args" || wanted == "code";
    std::string_view id;
    fields(value, name, [&](std::string_view inner, od::value member) {
      if (inner == "id") return void(id = id_in(member, 5));
      if (inner == "parts") unread();
      if (inner != wanted) return check(member, 5);
      read_strings(member, call ? TextKind::ToolArguments : TextKind::ToolResult, 5);
    });
    add_call(message_, !call, id);
  }

  void read_strings(od::value value, TextKind kind, int depth) {
    if (depth > kMaxDepth) refuse("the body is nested deeper than 64 levels");
    if (value.type() == od::json_type::string) return add_text(value, kind);
    if (value.type() == od::json_type::array) {
      od::array array = value.get_array();
      for (auto element : array) read_strings(take(std::move(element)), kind, depth + 1);
      return;
    }
    if (value.type() != od::json_type::object) return check(value, depth);
    members(value, "args",
            [&](std::string_view, od::value member) { read_strings(member, kind, depth + 1); });
  }

  void add_text(od::value value, TextKind kind) {
    if (value.type() != od::json_type::string) return check(value, 5);
    index_.texts.push_back({{Role::None, kind, message_, part_}, string_range(value)});
    if (part_ < 0xFFFF) ++part_;
  }

  void read_input(od::value value) {
    ++index_.inputs;
    fields(value, "content", [&](std::string_view name, od::value member) {
      if (name != "parts") return check(member, 3);
      elements(member, "parts", [&](od::value part) {
        fields(part, "parts", [&](std::string_view inner, od::value text) {
          if (inner != "text") {
            unread();
            return check(text, 5);
          }
          if (text.type() != od::json_type::string) return check(text, 5);
          const auto number = std::min<std::uint32_t>(index_.inputs - 1, 0xFFFF);
          index_.texts.push_back(
              {{Role::User, TextKind::Input, 0, static_cast<std::uint16_t>(number)},
               string_range(text)});
        });
      });
    });
  }

  void read_tools(od::value value) {
    elements(value, "tools", [&](od::value tool) {
      index_.has_tools = true;
      fields(tool, "tools", [&](std::string_view name, od::value member) {
        if (name != "functionDeclarations") return check(member, 3);
        elements(member, name, [&](od::value function) {
          fields(function, name, [&](std::string_view inner, od::value one) {
            if (inner != "description" || one.type() != od::json_type::string) return check(one, 5);
            index_.texts.push_back({{Role::None, TextKind::Description, 0, 0}, string_range(one)});
          });
        });
      });
    });
  }

  void read_generation(od::value value) {
    fields(value, "generationConfig", [&](std::string_view name, od::value member) {
      std::uint64_t number = 0;
      const bool counts = name == "maxOutputTokens" || name == "candidateCount";
      if (!counts || member.type() != od::json_type::number) return check(member, 2);
      const ByteRange value = trimmed(member.raw_json_token());
      if (member.get_uint64().get(number) || number > 0xFFFFFFFFu) {
        refuse("\"generationConfig." + std::string(name) + "\" must be a whole number",
               "generationConfig." + std::string(name));
      }
      if (name == "maxOutputTokens") {
        index_.max_tokens = static_cast<std::uint32_t>(number);
        index_.max_tokens_values[0] = value;
        return;
      }
      if (number < 1 || number > 128) {
        refuse("\"generationConfig.candidateCount\" must be from 1 to 128",
               "generationConfig.candidateCount");
      }
      index_.choices = static_cast<std::uint32_t>(number);
    });
  }

  OperationKind kind_;
  std::uint16_t message_ = 0;
  std::uint16_t part_ = 0;
};

void read_model(std::string_view argument, RequestIndex& index) {
  std::string name = text::percent_decoded(argument);
  if (name.size() > kMaxModelName) refuse("the model's name is longer than 256 bytes", "model");
  if (!text::utf8_valid(name)) refuse("the model's name is not UTF-8", "model");
  index.model = index.unescaped_keys.emplace_back(std::move(name));
}

void require(const Operation& operation, const RequestIndex& index) {
  switch (operation.kind) {
    case OperationKind::Chat:
      if (index.messages.empty()) refuse("\"contents\" is missing or empty", "contents");
      break;
    case OperationKind::Embeddings:
      if (index.inputs == 0) refuse("\"content\" is missing", "content");
      break;
    default:
      break;
  }
}

}  // namespace

Result<void> GeminiDialect::read(const Operation& operation, std::string_view argument,
                                 std::string_view body, RequestIndex& index) const {
  return read_with(body, [&](od::document& document) {
    read_model(argument, index);
    RequestWalk(operation, body, index).run(document);
    if (operation.kind == OperationKind::Chat) {
      if (index.system_member.empty()) index.system_member = "systemInstruction";
      index.encode_system = &encode_system;
    }
    index.stream = operation.path.ends_with(kStream);
    index.usage_wanted = true;  // it stands in every answer
    require(operation, index);
  });
}

}  // namespace causeway::gemini
