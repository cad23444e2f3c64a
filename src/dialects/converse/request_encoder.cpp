// The neutral Chat → a request to Converse.
#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "dialects/converse/blocks.h"
#include "dialects/converse/dialect.h"
#include "dialects/converse/models.h"
#include "platform/text/json_writer.h"

namespace causeway::converse {
namespace {

using Kind = ChatPart::Kind;
using text::JsonWriter;

constexpr std::int64_t kLeastBudget = 1024;  // tokens of thinking, Claude's own limit
constexpr std::string_view kJsonOnly = "Answer with one JSON object and nothing else.";
constexpr std::string_view kAnyObject = R"({"type":"object","properties":{}})";

bool is_system(const ChatMessage& message) {
  return message.role == Role::System || message.role == Role::Developer;
}

std::int64_t budget_of(std::string_view effort) {
  if (effort == "minimal" || effort == "low") return 2048;
  if (effort == "high") return 16'384;
  if (effort == "xhigh") return 32'768;
  return 8192;
}

/// "low", "medium" or "high".
std::string_view effort_of(const ReasoningWish& wish) {
  if (wish.effort == "minimal") return "low";
  if (wish.effort == "xhigh") return "high";
  if (!wish.effort.empty()) return wish.effort;
  if (!wish.budget || *wish.budget <= 0) return "medium";
  return *wish.budget <= 2048 ? "low" : *wish.budget <= 8192 ? "medium" : "high";
}

class Encoder {
 public:
  Encoder(const Chat& chat, std::string_view model, LeftOut& left_out)
      : chat_(chat), traits_(traits_of(model)), left_out_(left_out) {}

  Result<std::string> run() {
    gather_turns();
    if (turns_.empty()) refuse("messages", "there is no message with content.");
    choose_reasoning();
    out_.reserve(room_for(chat_));
    json_.begin_object();
    write_messages();
    write_system();
    write_tools();
    write_numbers();
    write_output();
    write_more();
    leave_out();
    json_.end_object();
    if (blocks_.refusal()) refuse("messages", *blocks_.refusal());
    if (error_) return std::unexpected(std::move(*error_));
    return std::move(out_);
  }

 private:
  /// Consecutive messages of one side: the two must take turns.
  struct Turn {
    bool assistant = false;
    std::string blocks;  // JSON, with commas between
  };

  void refuse(std::string field, const std::string& why) {
    if (error_) return;
    auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                      "\"" + field + "\" cannot be translated for a Bedrock target: " + why,
                      "unsupported_field");
    error.error().param = std::move(field);
    error_ = std::move(error).error();
  }

  void hint(const char* field) {
    auto& hints = left_out_.hints;
    if (std::find(hints.begin(), hints.end(), field) == hints.end()) hints.emplace_back(field);
  }

  void gather_turns() {
    for (const auto& message : chat_.messages) {
      if (is_system(message)) continue;
      if (!message.name.empty()) hint("messages.name");
      const bool assistant = message.role == Role::Assistant;
      for (const auto& part : message.parts) {
        std::string block;
        JsonWriter json(block);
        if (!blocks_.write(json, part)) hint("reasoning");
        if (part.kind == Kind::ToolCall) called_.insert(part.name);
        if (block.empty()) continue;
        if (!part.cache.empty()) write_cache_point(json, part.cache);
        if (turns_.empty() || turns_.back().assistant != assistant) {
          turns_.push_back({assistant, {}});
        }
        Turn& turn = turns_.back();
        if (!turn.blocks.empty()) turn.blocks += ',';
        turn.blocks += block;
      }
    }
  }

  void write_messages() {
    json_.key("messages").begin_array();
    for (const auto& turn : turns_) {
      json_.begin_object().field("role", turn.assistant ? "assistant" : "user");
      json_.key("content").raw("[" + turn.blocks + "]").end_object();
    }
    json_.end_array();
  }

  void write_system() {
    std::string system;
    JsonWriter json(system);
    for (const auto& message : chat_.messages) {
      if (!is_system(message)) continue;
      for (const auto& part : message.parts) {
        if (part.kind != Kind::Text) {
          refuse("messages", "a system prompt may hold nothing but text.");
        } else if (!is_blank(part.text)) {
          json.begin_object().field("text", part.text).end_object();
          if (!part.cache.empty()) write_cache_point(json, part.cache);
        }
      }
    }
    if (chat_.format.kind == ResponseFormat::Kind::JsonObject) {
      json.begin_object().field("text", kJsonOnly).end_object();
    }
    if (!system.empty()) json_.key("system").raw("[" + system + "]");
  }

  // A conversation with calls in it must have tools, also where the application brings none any
  // more.
  void write_tools() {
    const bool none = chat_.tool_choice.kind == ToolChoice::Kind::None;
    if (called_.empty() && (chat_.tools.empty() || none)) return;
    if (none && !chat_.tools.empty()) left_out_.fields.emplace_back("tool_choice");
    json_.key("toolConfig").begin_object().key("tools").begin_array();
    for (const auto& tool : chat_.tools) write_tool(tool);
    if (chat_.tools.empty()) {
      for (const auto& name : called_) {
        ChatTool tool;
        tool.name = name;
        write_tool(tool);
      }
    }
    json_.end_array();
    write_tool_choice();
    json_.end_object();
  }

  void write_tool(const ChatTool& tool) {
    json_.begin_object().key("toolSpec").begin_object().field("name", tool.name);
    if (!is_blank(tool.description)) json_.field("description", tool.description);
    json_.key("inputSchema").begin_object().key("json");
    json_.raw(tool.schema.empty() ? kAnyObject : std::string_view(tool.schema)).end_object();
    if (tool.strict) json_.field("strict", true);
    json_.end_object().end_object();
    if (!tool.cache.empty()) write_cache_point(json_, tool.cache);
  }

  void write_tool_choice() {
    const auto& choice = chat_.tool_choice;
    if (chat_.parallel_tools == false && !chat_.tools.empty()) one_call_at_a_time();
    if (choice.kind == ToolChoice::Kind::Required) {
      json_.key("toolChoice").raw(R"({"any":{}})");
    } else if (choice.kind == ToolChoice::Kind::Named) {
      json_.key("toolChoice").begin_object().key("tool").begin_object();
      json_.field("name", choice.name).end_object().end_object();
    } else if (choice.kind == ToolChoice::Kind::Auto) {
      json_.key("toolChoice").raw(R"({"auto":{}})");
    }
  }

  // Converse has no word for it, Claude has.
  void one_call_at_a_time() {
    const auto& choice = chat_.tool_choice;
    if (!traits_.claude) {
      left_out_.fields.emplace_back("parallel_tool_calls");
      return;
    }
    std::string value;
    JsonWriter json(value);
    json.begin_object();
    if (choice.kind == ToolChoice::Kind::Named) {
      json.field("type", "tool").field("name", choice.name);
    } else {
      json.field("type", choice.kind == ToolChoice::Kind::Required ? "any" : "auto");
    }
    json.field("disable_parallel_tool_use", true).end_object();
    more_.emplace_back("tool_choice", std::move(value));
  }

  bool forces_tools() const {
    const auto kind = chat_.tool_choice.kind;
    return !chat_.tools.empty() &&
           (kind == ToolChoice::Kind::Required || kind == ToolChoice::Kind::Named);
  }

  void choose_reasoning() {
    const auto& wish = chat_.reasoning;
    if (wish.off && traits_.reasoning == Reasoning::Effort) {
      hint("reasoning");  // gpt-oss always thinks
      more_.emplace_back("reasoning_effort", R"("low")");
      return;
    }
    if (wish.off || (wish.effort.empty() && !wish.budget)) return;
    switch (traits_.reasoning) {
      case Reasoning::None:
        return hint("reasoning");
      case Reasoning::Budget:
        return think_by_budget();
      case Reasoning::Adaptive:
        if (forces_tools()) return hint("reasoning");
        effort_ = effort_of(wish);
        more_.emplace_back("thinking", R"({"type":"adaptive"})");
        thinks_ = true;
        return;
      case Reasoning::Effort:
        more_.emplace_back("reasoning_effort", "\"" + std::string(effort_of(wish)) + "\"");
        return;
      case Reasoning::Nova:
        more_.emplace_back("reasoningConfig", R"({"type":"enabled","maxReasoningEffort":")" +
                                                  std::string(effort_of(wish)) + "\"}");
        return;
    }
  }

  void think_by_budget() {
    const auto& wish = chat_.reasoning;
    // A tool's result without the thoughts that led to the call cannot be thought on about.
    if (forces_tools() || in_tools_without_thoughts()) return hint("reasoning");
    const bool given = wish.budget.value_or(-1) > 0;
    std::int64_t budget = given ? *wish.budget : budget_of(wish.effort);
    if (chat_.max_tokens) {
      // The limit holds for thoughts and answer together, as in other dialects. A budget that the
      // application gave beneath it leaves the answer what the application meant to leave.
      const std::int64_t half = *chat_.max_tokens / 2;
      if (!given || budget >= *chat_.max_tokens) budget = std::min(budget, half);
      if (budget < kLeastBudget) return hint("reasoning");
    }
    thinks_ = true;
    more_.emplace_back("thinking", R"({"type":"enabled","budget_tokens":)" +
                                       std::to_string(std::max(budget, kLeastBudget)) + "}");
  }

  bool in_tools_without_thoughts() const {
    if (chat_.messages.empty() || chat_.messages.back().role != Role::Tool) return false;
    const auto last = std::find_if(chat_.messages.rbegin(), chat_.messages.rend(),
                                   [](const auto& m) { return m.role == Role::Assistant; });
    if (last == chat_.messages.rend()) return false;
    return std::none_of(last->parts.begin(), last->parts.end(), [](const ChatPart& part) {
      return part.kind == Kind::Reasoning && !part.seal.value.empty();
    });
  }

  void write_numbers() {
    std::string config;
    JsonWriter json(config);
    json.begin_object();
    if (chat_.max_tokens) json.field("maxTokens", *chat_.max_tokens);
    if (thinks_) {
      if (chat_.temperature) hint("temperature");
      if (chat_.top_p) hint("top_p");
    } else {
      if (chat_.temperature) json.field("temperature", std::min(*chat_.temperature, 1.0));
      if (chat_.top_p && chat_.temperature && traits_.one_sampling) {
        hint("top_p");
      } else if (chat_.top_p) {
        json.field("topP", *chat_.top_p);
      }
    }
    write_stop(json);
    json.end_object();
    if (config != "{}") json_.key("inferenceConfig").raw(config);
    if (!chat_.top_k) return;
    if (traits_.claude && !thinks_) {
      more_.emplace_back("top_k", std::to_string(*chat_.top_k));
    } else {
      hint("top_k");
    }
  }

  void write_stop(JsonWriter& json) {
    std::vector<std::string_view> stops;
    for (const auto& stop : chat_.stop) {
      if (is_blank(stop)) {
        left_out_.fields.emplace_back("stop");
      } else {
        stops.push_back(stop);
      }
    }
    if (stops.empty()) return;
    json.key("stopSequences").begin_array();
    for (const auto stop : stops) json.string(stop);
    json.end_array();
  }

  void write_output() {
    const bool schema = chat_.format.kind == ResponseFormat::Kind::JsonSchema;
    if (!schema && effort_.empty()) return;
    json_.key("outputConfig").begin_object();
    if (!effort_.empty()) json_.field("effort", effort_);
    if (schema) {
      const auto& format = chat_.format;
      json_.key("textFormat").begin_object().field("type", "json_schema");
      json_.key("structure").begin_object().key("jsonSchema").begin_object();
      json_.field("schema", format.schema.empty() ? kAnyObject : std::string_view(format.schema));
      if (!format.name.empty()) json_.field("name", format.name);
      if (!format.description.empty()) json_.field("description", format.description);
      json_.end_object().end_object().end_object();
    }
    json_.end_object();
  }

  void write_more() {
    if (more_.empty()) return;
    json_.key("additionalModelRequestFields").begin_object();
    for (const auto& [name, value] : more_) json_.key(name).raw(value);
    json_.end_object();
  }

  void leave_out() {
    const auto field = [this](bool there, const char* name) {
      if (there) left_out_.fields.emplace_back(name);
    };
    field(chat_.frequency_penalty.value_or(0) != 0, "frequency_penalty");
    field(chat_.presence_penalty.value_or(0) != 0, "presence_penalty");
    field(chat_.choices != 1, "n");
    field(chat_.logprobs.value_or(false), "logprobs");
    if (chat_.seed) hint("seed");
    if (!chat_.user.empty()) hint("user");
    for (const auto& other : chat_.others) {
      (other.hint ? left_out_.hints : left_out_.fields).push_back(other.field);
    }
  }

  const Chat& chat_;
  ModelTraits traits_;
  LeftOut& left_out_;
  std::string out_;
  JsonWriter json_{out_};
  BlockWriter blocks_;
  std::vector<Turn> turns_;
  std::set<std::string> called_;                           // tools that the conversation has used
  std::vector<std::pair<std::string, std::string>> more_;  // additionalModelRequestFields
  std::string effort_;
  bool thinks_ = false;
  std::optional<Error> error_;
};

}  // namespace

Result<std::string> ConverseDialect::encode(const Chat& chat, std::string_view upstream_model,
                                            LeftOut& left_out) const {
  return Encoder(chat, upstream_model, left_out).run();
}

}  // namespace causeway::converse
