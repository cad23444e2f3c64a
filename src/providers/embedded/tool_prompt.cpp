#include "providers/embedded/tool_prompt.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "platform/schema/json_schema.h"
#include "platform/text/json_writer.h"

namespace causeway::embedded {
namespace {

namespace bj = boost::json;
using Kind = ChatPart::Kind;

constexpr int kMostCalls = 8;  // of one answer: small models repeat themselves without end

std::unexpected<Error> refused(std::string param, std::string message) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client, std::move(message), "invalid_tools");
  error.error().param = std::move(param);
  return error;
}

// References of a schema that becomes a part of another one.
void move_references(bj::value& value, const std::string& place) {
  if (auto* array = value.if_array()) {
    for (auto& item : *array) move_references(item, place);
  }
  auto* object = value.if_object();
  if (!object) return;
  for (auto& member : *object) {
    auto* reference = member.key() == "$ref" ? member.value().if_string() : nullptr;
    if (reference && reference->starts_with('#')) {
      *reference = place + std::string(reference->subview(1));
    } else {
      move_references(member.value(), place);
    }
  }
}

class Words {
 public:
  explicit Words(const Chat& chat) : chat_(chat) {
    const auto choice = chat.tool_choice.kind;
    if (choice == ToolChoice::Kind::None) return;
    for (const auto& tool : chat.tools) {
      if (choice != ToolChoice::Kind::Named || tool.name == chat.tool_choice.name) {
        tools_.push_back(&tool);
      }
    }
  }

  Result<Chat> run() {
    if (chat_.tool_choice.kind == ToolChoice::Kind::Named && tools_.empty()) {
      return refused("tool_choice", "\"tool_choice\" names a tool that is not in \"tools\".");
    }
    out_ = chat_;
    out_.tools.clear();
    out_.tool_choice = {};
    out_.parallel_tools.reset();
    out_.messages.clear();
    for (const auto& message : chat_.messages) add(message);
    if (tools_.empty()) {
      if (out_.format.name == kSchemaName) out_.format.name.clear();
      return std::move(out_);
    }
    if (auto made = make_format(); !made) return pass(std::move(made));
    add_instructions();
    return std::move(out_);
  }

 private:
  bool must_call() const {
    return chat_.tool_choice.kind == ToolChoice::Kind::Required ||
           chat_.tool_choice.kind == ToolChoice::Kind::Named;
  }
  bool wants_data() const {
    return chat_.format.kind == ResponseFormat::Kind::JsonObject ||
           chat_.format.kind == ResponseFormat::Kind::JsonSchema;
  }

  void add(const ChatMessage& message) {
    switch (message.role) {
      case Role::Assistant:
        add_assistant(message);
        break;
      case Role::Tool:
      case Role::Function:
        add_results(message);
        break;
      default:
        // Templates may want the roles to take turns.
        if (message.role == Role::User && after_results_) {
          auto& parts = out_.messages.back().parts;
          parts.insert(parts.end(), message.parts.begin(), message.parts.end());
        } else {
          out_.messages.push_back(message);
        }
    }
    after_results_ = message.role == Role::Tool || message.role == Role::Function;
  }

  // Calls in prose: small models go on repeating what stands there as JSON.
  void add_assistant(const ChatMessage& message) {
    ChatMessage said;
    said.role = Role::Assistant;
    std::string text;
    bool calls = false;
    for (const auto& part : message.parts) {
      if (part.kind == Kind::Text || part.kind == Kind::Refusal) text += part.text;
      if (part.kind != Kind::ToolCall) continue;
      calls = true;
      names_[part.id] = part.name;
      if (!text.empty()) text += '\n';
      text += "I call the tool " + part.name + " with " + part.arguments + '.';
    }
    if (!calls && !tools_.empty() && !must_call() && !wants_data()) {
      std::string answer;
      text::JsonWriter(answer).begin_object().field("answer", text).end_object();
      text = std::move(answer);
    }
    said.parts.emplace_back().text = std::move(text);
    out_.messages.push_back(std::move(said));
  }

  void add_results(const ChatMessage& message) {
    ChatMessage told;
    told.role = Role::User;
    std::vector<ChatPart> media;
    std::string text;
    for (const auto& result : message.parts) {
      if (result.kind != Kind::ToolResult) continue;
      const auto name = names_.find(result.id);
      if (!text.empty()) text += '\n';
      text += result.failed ? "Error of the tool " : "Result of the tool ";
      text += name == names_.end() ? result.name : name->second;
      text += ": ";
      for (const auto& part : result.content) {
        text += part.text;
        if (part.kind == Kind::Image) media.push_back(part);
      }
    }
    told.parts.emplace_back().text = std::move(text);
    told.parts.insert(told.parts.end(), media.begin(), media.end());
    out_.messages.push_back(std::move(told));
  }

  Result<bj::value> schema_at(const RawJson& json, const std::string& field,
                              const std::string& place) {
    if (json.empty()) return bj::value(bj::object{{"type", "object"}});
    auto value = schema::parse_json(json);
    if (!value || !value->is_object())
      return refused(field, "A schema in \"" + field + "\" is no JSON object.");
    move_references(*value, place);
    return value;
  }

  static bj::object object_of(bj::object properties) {
    bj::array required;
    for (const auto& member : properties) required.emplace_back(member.key());
    return {{"type", "object"},
            {"properties", std::move(properties)},
            {"required", std::move(required)},
            {"additionalProperties", false}};
  }

  // Every tool's own schema stands at a place of its own, so that its references can be moved.
  Result<void> make_format() {
    bj::object places;
    bj::array calls, answers;
    for (std::size_t i = 0; i < tools_.size(); ++i) {
      const std::string key = "tool_" + std::to_string(i), place = "#/$defs/" + key;
      auto arguments = schema_at(tools_[i]->schema, "tools", place);
      if (!arguments) return pass(std::move(arguments));
      places[key] = std::move(*arguments);
      calls.push_back(
          object_of({{"name", {{"const", tools_[i]->name}}}, {"arguments", {{"$ref", place}}}}));
    }
    places["call"] = {{"anyOf", std::move(calls)}};
    const bool one = !chat_.parallel_tools.value_or(true);
    answers.push_back(object_of({{kCalls,
                                  {{"type", "array"},
                                   {"minItems", 1},
                                   {"maxItems", one ? 1 : kMostCalls},
                                   {"items", {{"$ref", kCallSchema}}}}}}));
    if (!must_call() && wants_data()) {
      auto data = schema_at(chat_.format.schema, "response_format", "#/$defs/data");
      if (!data) return pass(std::move(data));
      places["data"] = std::move(*data);
      answers.push_back(object_of({{kData, {{"$ref", "#/$defs/data"}}}}));
    } else if (!must_call()) {
      answers.push_back(object_of({{kAnswer, {{"type", "string"}}}}));
    }
    out_.format = {};
    out_.format.kind = ResponseFormat::Kind::JsonSchema;
    out_.format.name = kSchemaName;
    out_.format.schema =
        bj::serialize(bj::object{{"$defs", std::move(places)}, {"anyOf", std::move(answers)}});
    return {};
  }

  void add_instructions() {
    std::string text = "You can call these tools:\n";
    for (const auto* tool : tools_) {
      text::JsonWriter json(text);
      json.begin_object().field("name", tool->name);
      if (!tool->description.empty()) json.field("description", tool->description);
      if (!tool->schema.empty()) json.key("parameters").raw(tool->schema);
      json.end_object();
      text += '\n';
    }
    text += must_call() ? "Call a tool. Answer with JSON only:\n"
                        : "Answer with JSON only. To call tools:\n";
    text += R"({"tool_calls":[{"name":"TOOL","arguments":{}}]})";
    if (!must_call()) {
      text += "\nTo answer without a tool:\n";
      text += wants_data() ? R"({"data":{}})" : R"({"answer":"..."})";
    }
    auto& messages = out_.messages;
    const auto is_system = [](const ChatMessage& message) {
      return message.role == Role::System || message.role == Role::Developer;
    };
    if (messages.empty() || !is_system(messages.front())) {
      messages.insert(messages.begin(), ChatMessage{})->role = Role::System;
    }
    auto& parts = messages.front().parts;
    if (parts.empty()) parts.emplace_back();
    auto& system = parts.back().text;
    if (!system.empty()) system += "\n\n";
    system += text;
  }

  const Chat& chat_;
  std::vector<const ChatTool*> tools_;
  Chat out_;
  std::map<std::string, std::string> names_;  // of calls, by id
  bool after_results_ = false;
};

}  // namespace

Result<Chat> tools_in_words(const Chat& chat) { return Words(chat).run(); }

}  // namespace causeway::embedded
