// The view that stages have of a request to generateContent.
#include "core/json_walk.h"
#include "core/request_body.h"
#include "dialects/gemini/dialect.h"
#include "dialects/gemini/names.h"
#include "platform/text/percent.h"

namespace causeway::gemini {
namespace {

constexpr std::size_t kMaxModelName = 256;    // bytes
constexpr std::size_t kMaxContents = 65'535;  // Where::message is 16 bits

std::string encode_message(const Message& message) {
  const char* role = message.role == Role::Assistant ? "model" : "user";
  return std::string(R"({"role":")") + role + R"(","parts":[{"text":)" +
         encode_json_string(message.text) + "}]}";
}

// The parts of the application's own instruction, with ours around them.
std::string encode_system(std::string_view value, const RequestIndex::Texts& before,
                          const RequestIndex::Texts& behind) {
  std::string parts;
  const auto add = [&](std::string part) {
    if (!parts.empty()) parts += ',';
    parts += part;
  };
  for (const auto text : before) add(R"({"text":)" + encode_json_string(text) + "}");
  // {"parts":[…]}: what stands between the outermost brackets of the list.
  const auto begin = value.find('['), end = value.rfind(']');
  if (begin != value.npos && end != value.npos && end > begin) {
    const auto own = value.substr(begin + 1, end - begin - 1);
    if (own.find_first_not_of(" \t\r\n") != own.npos) add(std::string(own));
  } else if (const auto one = value.find("\"text\""); one != value.npos) {
    add(std::string(value));  // a single part, as some clients write it
  }
  for (const auto text : behind) add(R"({"text":)" + encode_json_string(text) + "}");
  return R"({"parts":[)" + parts + "]}";
}

class Walk : JsonWalk {
 public:
  Walk(std::string_view body, RequestIndex& index) : JsonWalk(index, body) {}

  void run(od::document& document) {
    document_ = &document;
    if (document.type() != od::json_type::object) refuse("the body must be a JSON object");
    index_.system_member = "systemInstruction";
    index_.encode_system = &encode_system;
    od::object object = document.get_object();
    for (auto result : object) {
      od::field field = take(std::move(result));
      const std::uint32_t begin = offset(field.key().raw()) - 1;
      const std::string_view key = kept_key(field);
      if (index_.member(key)) {
        refuse("duplicate member \"" + std::string(key) + "\"", std::string(key));
      }
      if (index_.members.size() == kMaxMembers) refuse("too many members in the body");
      od::value value = field.value();
      const std::string_view token = value.raw_json_token();
      ByteRange range = trimmed(token);
      const char first = token.front();
      member(key, value);
      if (first == '{' || first == '[') range.end = end_of_container();
      index_.members.push_back({key, {begin, range.end}, range});
      if (key == "contents" && first == '[') index_.messages_array = range;
    }
    const char* behind = nullptr;
    if (!document.current_location().get(behind)) refuse("the body goes on behind the JSON object");
  }

 private:
  void member(std::string_view key, od::value value) {
    if (key == "contents") return read_contents(value);
    if (is(key, "systemInstruction", "system_instruction")) {
      if (index_.has_system_prompt) refuse("two system instructions", std::string(key));
      index_.has_system_prompt = value.type() != od::json_type::null;
      index_.system_member = key;
      role_ = Role::System;
      return read_content(value, std::string(key));
    }
    if (is(key, "generationConfig", "generation_config")) return read_generation(value);
    if (key == "tools") return read_tools(value);
    check(value, 1);
  }

  void read_contents(od::value value) {
    index_.encode_message = &encode_message;
    // The clients send a list; a single content is known to be taken as well.
    if (value.type() != od::json_type::array) refuse("\"contents\" must be a list", "contents");
    od::array array = value.get_array();
    for (auto element : array) {
      if (index_.messages.size() == kMaxContents) refuse("too many contents", "contents");
      od::value content = take(std::move(element));
      const std::string at = "contents[" + std::to_string(index_.messages.size()) + "]";
      if (content.type() != od::json_type::object) refuse(at + " must be an object", at);
      const std::uint32_t begin = offset(std::string_view(content.raw_json_token()).data());
      const std::size_t first = index_.texts.size();
      message_ = static_cast<std::uint16_t>(index_.messages.size());
      index_.messages.emplace_back();
      role_ = Role::User;
      read_content(content, at);
      for (std::size_t i = first; i < index_.texts.size(); ++i) index_.texts[i].where.role = role_;
      index_.messages.back() = {role_, {begin, end_of_container()}};
    }
    if (index_.messages.empty()) refuse("\"contents\" is empty", "contents");
  }

  void read_content(od::value value, const std::string& at) {
    part_ = 0;
    if (value.type() == od::json_type::string) return add(value, TextKind::Content);
    if (value.type() != od::json_type::object) return check(value, 3);
    members(value, at, [&](std::string_view key, od::value one) {
      if (key == "role" && one.type() == od::json_type::string) {
        const std::string_view role = json::string_of(one);
        if (role_ != Role::System) role_ = role == "model" ? Role::Assistant : Role::User;
      } else if (key == "parts" && one.type() == od::json_type::array) {
        od::array array = one.get_array();
        for (auto element : array) read_part(take(std::move(element)), at);
      } else if (key == "parts") {
        read_part(one, at);
      } else if (key == "text") {
        add(one, TextKind::Content);
      } else {
        check(one, 4);
      }
    });
  }

  void add(od::value value, TextKind kind) {
    if (value.type() != od::json_type::string) return check(value, 5);
    index_.texts.push_back({{role_, kind, message_, part_}, string_range(value)});
    if (part_ < 0xFFFF) ++part_;
  }

  void read_part(od::value part, const std::string& at) {
    if (part.type() != od::json_type::object) {
      refuse("each part of " + at + " must be an object", at + ".parts");
    }
    members(part, at, [&](std::string_view key, od::value one) {
      if (key == "text") {
        add(one, TextKind::Content);
      } else if (is(key, "functionResponse", "function_response")) {
        role_ = Role::Tool;
        read_strings(one, TextKind::ToolResult, 5);
      } else if (is(key, "functionCall", "function_call")) {
        read_strings(one, TextKind::ToolArguments, 5);
      } else if (is(key, "inlineData", "inline_data") || is(key, "fileData", "file_data") ||
                 is(key, "executableCode", "executable_code")) {
        index_.has_unread_content = true;
        check(one, 5);
      } else {
        check(one, 5);
      }
    });
  }

  // Arguments and results are objects here: each string in them is a text. Ids and names are not.
  void read_strings(od::value value, TextKind kind, int depth) {
    if (depth > kMaxDepth) refuse("the body is nested deeper than 64 levels");
    switch (value.type().value()) {
      case od::json_type::string:
        add(value, kind);
        break;
      case od::json_type::array: {
        od::array array = value.get_array();
        for (auto element : array) read_strings(take(std::move(element)), kind, depth + 1);
        break;
      }
      case od::json_type::object:
        members(value, "a function's arguments", [&](std::string_view key, od::value one) {
          if (depth == 5 && (key == "id" || key == "name")) return check(one, depth + 1);
          read_strings(one, kind, depth + 1);
        });
        break;
      default:
        check(value, depth);
    }
  }

  void read_generation(od::value value) {
    if (value.type() != od::json_type::object) return check(value, 1);
    members(value, "generationConfig", [&](std::string_view key, od::value one) {
      std::uint64_t number = 0;
      const bool limit = is(key, "maxOutputTokens", "max_output_tokens");
      if (!limit && !is(key, "candidateCount", "candidate_count")) return check(one, 2);
      if (one.type() != od::json_type::number || one.get_uint64().get(number) ||
          number > 0xFFFFFFFFu) {
        refuse("generationConfig." + std::string(key) + " must be a whole number",
               "generationConfig." + std::string(key));
      }
      if (limit) {
        index_.max_tokens = static_cast<std::uint32_t>(number);
      } else {
        index_.choices = static_cast<std::uint32_t>(std::max<std::uint64_t>(number, 1));
      }
    });
  }

  void read_tools(od::value value) {
    index_.has_tools = value.type() == od::json_type::array;
    role_ = Role::None;
    read_descriptions(value, 1);
  }

  // Descriptions stand at any depth of a declaration.
  void read_descriptions(od::value value, int depth) {
    if (depth > kMaxDepth) refuse("the body is nested deeper than 64 levels");
    if (value.type() == od::json_type::array) {
      od::array array = value.get_array();
      for (auto element : array) read_descriptions(take(std::move(element)), depth + 1);
    } else if (value.type() == od::json_type::object) {
      members(value, "tools", [&](std::string_view key, od::value one) {
        if (key == "description" && one.type() == od::json_type::string) {
          return add(one, TextKind::Description);
        }
        read_descriptions(one, depth + 1);
      });
    } else {
      check(value, depth);
    }
  }

  Role role_ = Role::None;
  std::uint16_t message_ = 0;
  std::uint16_t part_ = 0;
};

}  // namespace

Result<void> GeminiDialect::read(const Operation& operation, std::string_view argument,
                                 std::string_view body, RequestIndex& index) const {
  index.unescaped_keys.push_back(text::percent_decoded(argument));
  const std::string& model = index.unescaped_keys.back();
  if (model.size() > kMaxModelName) {
    return fail(ErrorKind::InvalidRequest, Origin::Client,
                "The model's name is longer than 256 bytes.");
  }
  index.model = model;
  index.stream = operation.path.ends_with(kStream);
  index.usage_wanted = true;  // this dialect always tells it
  return read_with(body, [&](od::document& document) {
    Walk(body, index).run(document);
    if (index.messages.empty() && !index.member("generateContentRequest")) {
      refuse("\"contents\" is missing", "contents");
    }
  });
}

}  // namespace causeway::gemini
