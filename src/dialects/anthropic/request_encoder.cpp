// The neutral Chat → a request to the Messages API.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "dialects/anthropic/dialect.h"
#include "dialects/anthropic/models.h"
#include "dialects/anthropic/request_encoder.h"
#include "dialects/anthropic/words.h"
#include "platform/text/json_writer.h"

namespace causeway::anthropic {
namespace {

using Kind = ChatPart::Kind;
using text::JsonWriter;

constexpr std::int64_t kLeastBudget = 1024;  // tokens of thinking, the API's own limit

constexpr std::int64_t kLeastAnswer = 4096;  // tokens behind the thoughts

constexpr std::string_view kJsonOnly = "Answer with one JSON object and nothing else.";

bool is_system(const ChatMessage& message) {
  return message.role == Role::System || message.role == Role::Developer;
}

// The API refuses texts without a letter.
bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

/// Budgets for models that have no words for it; the OpenAI dialect turns them into the same words.
std::int64_t budget_of(std::string_view effort) {
  if (effort == "minimal" || effort == "low") return 2048;
  if (effort == "high") return 16'384;
  if (effort == "xhigh") return 32'768;
  return 8192;
}

std::string_view effort_of(const ReasoningWish& wish, const ModelTraits& traits) {
  if (wish.effort == "minimal") return "low";
  if (wish.effort == "xhigh") return traits.xhigh ? "xhigh" : "max";
  if (!wish.effort.empty()) return wish.effort;
  if (!wish.budget || *wish.budget <= 0) return {};
  return *wish.budget <= 2048 ? "low" : *wish.budget <= 8192 ? "medium" : "high";
}

class Encoder {
 public:
  Encoder(const Chat& chat, std::string_view model, const FirstMember& first, LeftOut& left_out)
      : chat_(chat), first_(first), traits_(traits_of(model)), left_out_(left_out) {}

  Result<std::string> run() {
    max_tokens_ = chat_.max_tokens.value_or(traits_.max_tokens);
    choose_thinking();
    out_.reserve(room_for(chat_));
    json_.begin_object().key(first_.name).string(first_.value);
    json_.field("max_tokens", max_tokens_);
    write_system();
    gather_turns();
    if (turns_.empty()) refuse("messages", "there is no message with content.");
    json_.key("messages").begin_array();
    for (const auto& turn : turns_) write_turn(turn);
    json_.end_array();
    write_tools();
    write_numbers();
    write_output();
    if (!thinking_.empty()) json_.key("thinking").raw(thinking_);
    if (chat_.stream) json_.field("stream", true);
    leave_out();
    json_.end_object();
    if (error_) return std::unexpected(std::move(*error_));
    return std::move(out_);
  }

 private:
  /// Consecutive messages of one side, as the API wants them.
  struct Turn {
    bool assistant = false;
    std::size_t begin, end;  // of parts_
  };

  void refuse(std::string field, std::string why) {
    if (error_) return;
    auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                      "\"" + field + "\" cannot be translated for an Anthropic target: " + why,
                      "unsupported_field");
    error.error().param = std::move(field);
    error_ = std::move(error).error();
  }

  void write_system() {
    std::vector<const ChatPart*> parts;
    bool plain = true;
    for (const auto& message : chat_.messages) {
      if (!is_system(message)) continue;
      for (const auto& part : message.parts) {
        if (part.kind != Kind::Text) {
          refuse("messages", "a system prompt may hold nothing but text.");
        } else if (!is_blank(part.text)) {
          parts.push_back(&part);
          plain &= part.cache.empty();
        }
      }
    }
    ChatPart json_only;
    json_only.text = kJsonOnly;
    if (chat_.format.kind == ResponseFormat::Kind::JsonObject) parts.push_back(&json_only);
    if (parts.empty()) return;
    json_.key("system");
    if (parts.size() == 1 && plain) {
      json_.string(parts.front()->text);
      return;
    }
    json_.begin_array();
    for (const auto* part : parts) write_text(*part);
    json_.end_array();
  }

  void gather_turns() {
    turns_.reserve(chat_.messages.size());
    parts_.reserve(chat_.messages.size());
    for (const auto& message : chat_.messages) {
      if (is_system(message)) continue;
      if (!message.name.empty()) hint("messages.name");
      const bool assistant = message.role == Role::Assistant;
      for (const auto& part : message.parts) {
        if (!is_said(part, assistant)) continue;
        if (turns_.empty() || turns_.back().assistant != assistant) {
          turns_.push_back({assistant, parts_.size(), 0});
        }
        parts_.push_back(&part);
        turns_.back().end = parts_.size();
      }
    }
  }

  // Only what Anthropic has signed may be given back as reasoning.
  bool is_said(const ChatPart& part, bool assistant) {
    if (part.kind == Kind::Text || part.kind == Kind::Refusal) return !is_blank(part.text);
    if (part.kind != Kind::Reasoning) return true;
    if (assistant && (part.seal.dialect != "anthropic" || part.seal.value.empty())) {
      hint("reasoning");
      return false;
    }
    return assistant;
  }

  void write_turn(const Turn& turn) {
    json_.begin_object().field("role", turn.assistant ? "assistant" : "user").key("content");
    const auto parts = std::span(parts_).subspan(turn.begin, turn.end - turn.begin);
    const ChatPart& first = *parts.front();
    if (parts.size() == 1 && first.kind == Kind::Text && first.cache.empty()) {
      json_.string(first.text);
    } else {
      json_.begin_array();
      for (const auto* part : parts) write_block(*part);
      json_.end_array();
    }
    json_.end_object();
  }

  void write_cache(const RawJson& cache) {
    if (!cache.empty()) json_.key("cache_control").raw(cache);
  }

  void write_text(const ChatPart& part) {
    json_.begin_object().field("type", "text").field("text", part.text);
    write_cache(part.cache);
    json_.end_object();
  }

  void write_block(const ChatPart& part) {
    switch (part.kind) {
      case Kind::Text:
      case Kind::Refusal:
        write_text(part);
        break;
      case Kind::Image:
        write_image(part);
        break;
      case Kind::Document:
        write_document(part);
        break;
      case Kind::ToolCall:
        json_.begin_object().field("type", "tool_use").field("id", part.id);
        json_.field("name", part.name).key("input").raw(input_of(part.arguments));
        write_cache(part.cache);
        json_.end_object();
        break;
      case Kind::ToolResult:
        write_result(part);
        break;
      case Kind::Reasoning:
        write_reasoning(part);
        break;
      case Kind::Audio:
        refuse("messages", "audio is not known there.");
        break;
    }
  }

  void write_reasoning(const ChatPart& part) {
    json_.begin_object();
    if (part.hidden) {
      json_.field("type", "redacted_thinking").field("data", part.seal.value);
    } else {
      json_.field("type", "thinking").field("thinking", part.text);
      json_.field("signature", part.seal.value);
    }
    json_.end_object();
  }

  void write_source(const Media& media, std::string_view usual_type) {
    json_.key("source").begin_object();
    if (!media.url.empty()) {
      json_.field("type", "url").field("url", media.url);
    } else {
      json_.field("type", "base64");
      json_.field("media_type", media.type.empty() ? usual_type : std::string_view(media.type));
      json_.field("data", media.data);
    }
    json_.end_object();
  }

  void write_image(const ChatPart& part) {
    if (part.media.data.empty() && part.media.url.empty()) {
      return refuse("messages", "an image that was uploaded elsewhere is not known there.");
    }
    json_.begin_object().field("type", "image");
    write_source(part.media, "image/png");
    write_cache(part.cache);
    json_.end_object();
  }

  void write_document(const ChatPart& part) {
    const Media& media = part.media;
    json_.begin_object().field("type", "document");
    if (!part.text.empty()) {
      json_.key("source").begin_object().field("type", "text").field("media_type", "text/plain");
      json_.field("data", part.text).end_object();
    } else if (media.data.empty() && media.url.empty()) {
      refuse("messages", "a document that was uploaded elsewhere is not known there.");
    } else if (!media.data.empty() && !media.type.empty() && media.type != "application/pdf") {
      refuse("messages", "a document must be a PDF or plain text.");
    } else {
      write_source(media, "application/pdf");
    }
    if (!media.name.empty()) json_.field("title", media.name);
    if (part.cites) json_.key("citations").raw(R"({"enabled":true})");
    write_cache(part.cache);
    json_.end_object();
  }

  void write_result(const ChatPart& result) {
    json_.begin_object().field("type", "tool_result").field("tool_use_id", result.id);
    const auto& content = result.content;
    const bool plain =
        content.size() == 1 && content.front().kind == Kind::Text && content.front().cache.empty();
    if (plain) {
      json_.field("content", content.front().text);
    } else if (!content.empty()) {
      json_.key("content").begin_array();
      for (const auto& part : content) {
        if (is_said(part, false)) write_block(part);
      }
      json_.end_array();
    }
    if (result.failed) json_.field("is_error", true);
    write_cache(result.cache);
    json_.end_object();
  }

  void write_tools() {
    if (chat_.tools.empty()) return;
    json_.key("tools").begin_array();
    for (const auto& tool : chat_.tools) {
      json_.begin_object().field("name", tool.name);
      if (!tool.description.empty()) json_.field("description", tool.description);
      json_.key("input_schema");
      json_.raw(tool.schema.empty() ? R"({"type":"object","properties":{}})" : tool.schema);
      if (tool.strict && traits_.strict) json_.field("strict", true);
      write_cache(tool.cache);
      json_.end_object();
    }
    json_.end_array();
    write_tool_choice();
  }

  bool forces_tools() const {
    const auto kind = chat_.tool_choice.kind;
    return !chat_.tools.empty() &&
           (kind == ToolChoice::Kind::Required || kind == ToolChoice::Kind::Named);
  }

  void write_tool_choice() {
    const auto& choice = chat_.tool_choice;
    const bool one_by_one = chat_.parallel_tools == false;
    const bool refused = forces_tools() && !traits_.forced_tools;
    if (refused) left_out_.fields.emplace_back("tool_choice");
    if (choice.kind == ToolChoice::Kind::Unset && !one_by_one) return;
    json_.key("tool_choice").begin_object();
    if (choice.kind == ToolChoice::Kind::None) {
      json_.field("type", "none").end_object();
      return;
    }
    if (choice.kind == ToolChoice::Kind::Named && !refused) {
      json_.field("type", "tool").field("name", choice.name);
    } else {
      const bool any = choice.kind == ToolChoice::Kind::Required && !refused;
      json_.field("type", any ? "any" : "auto");
    }
    if (one_by_one) json_.field("disable_parallel_tool_use", true);
    json_.end_object();
  }

  void write_numbers() {
    const bool sampling = traits_.sampling && !thinks_by_budget_;
    if (chat_.temperature) {
      if (sampling) {
        json_.field("temperature", std::min(*chat_.temperature, 1.0));  // 0 to 1 there
      } else {
        hint("temperature");
      }
    }
    if (chat_.top_p) {
      if (sampling && !(chat_.temperature && traits_.one_sampling)) {
        json_.field("top_p", *chat_.top_p);
      } else {
        hint("top_p");
      }
    }
    if (chat_.top_k) {
      if (sampling) {
        json_.field("top_k", *chat_.top_k);
      } else {
        hint("top_k");
      }
    }
    if (!chat_.user.empty()) {
      json_.key("metadata").begin_object().field("user_id", chat_.user).end_object();
    }
    write_stop();
  }

  void write_stop() {
    std::vector<std::string_view> stops;
    for (const auto& stop : chat_.stop) {
      if (is_blank(stop)) {
        left_out_.fields.emplace_back("stop");
      } else {
        stops.push_back(stop);
      }
    }
    if (stops.empty()) return;
    json_.key("stop_sequences").begin_array();
    for (const auto stop : stops) json_.string(stop);
    json_.end_array();
  }

  void choose_thinking() {
    const auto& wish = chat_.reasoning;
    if (wish.off) return think_least();
    if (wish.effort.empty() && !wish.budget) return;
    if (traits_.adaptive) {
      effort_ = effort_of(wish, traits_);
      if (forces_tools() && traits_.forced_tools) return hint("reasoning");
      thinking_ =
          wish.visible ? R"({"type":"adaptive","display":"summarized"})" : R"({"type":"adaptive"})";
      return;
    }
    // A tool's result without the thoughts that led to the call cannot be thought on about.
    if (!traits_.budgets || forces_tools() || in_tools_without_thoughts()) return hint("reasoning");
    const bool given = wish.budget.value_or(-1) > 0;
    std::int64_t budget = given ? *wish.budget : budget_of(wish.effort);
    if (chat_.max_tokens) {
      // The limit holds for thoughts and answer together, as in other dialects. A budget that the
      // application gave beneath it leaves the answer what the application meant to leave.
      const std::int64_t half = *chat_.max_tokens / 2;
      if (!given || budget >= *chat_.max_tokens) budget = std::min(budget, half);
      if (budget < kLeastBudget) return hint("reasoning");
    } else {
      const std::int64_t most = traits_.most_tokens;
      budget = std::min(budget, most - kLeastAnswer);
      max_tokens_ = static_cast<std::uint32_t>(std::min(max_tokens_ + budget, most));
    }
    thinks_by_budget_ = true;
    thinking_ = R"({"type":"enabled","budget_tokens":)" +
                std::to_string(std::max(budget, kLeastBudget)) + "}";
  }

  void think_least() {
    if (!traits_.thinks) return;
    if (traits_.may_be_off) {
      thinking_ = R"({"type":"disabled"})";
    } else {
      effort_ = "low";
      hint("reasoning");
    }
  }

  bool in_tools_without_thoughts() const {
    if (chat_.messages.empty() || chat_.messages.back().role != Role::Tool) return false;
    const auto last = std::find_if(chat_.messages.rbegin(), chat_.messages.rend(),
                                   [](const auto& m) { return m.role == Role::Assistant; });
    if (last == chat_.messages.rend()) return false;
    return std::none_of(last->parts.begin(), last->parts.end(), [](const ChatPart& part) {
      return part.kind == Kind::Reasoning && part.seal.dialect == "anthropic";
    });
  }

  void write_output() {
    const bool schema = chat_.format.kind == ResponseFormat::Kind::JsonSchema;
    if (effort_.empty() && !schema) return;
    json_.key("output_config").begin_object();
    if (!effort_.empty()) json_.field("effort", effort_);
    if (schema) {
      json_.key("format").begin_object().field("type", "json_schema").key("schema");
      json_.raw(chat_.format.schema.empty() ? R"({"type":"object"})" : chat_.format.schema);
      json_.end_object();
    }
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
    for (const auto& other : chat_.others) {
      (other.hint ? left_out_.hints : left_out_.fields).push_back(other.field);
    }
  }

  void hint(const char* field) {
    auto& hints = left_out_.hints;
    if (std::find(hints.begin(), hints.end(), field) == hints.end()) hints.emplace_back(field);
  }

  const Chat& chat_;
  FirstMember first_;
  ModelTraits traits_;
  LeftOut& left_out_;
  std::string out_;
  JsonWriter json_{out_};
  std::vector<const ChatPart*> parts_;  // those that become a block
  std::vector<Turn> turns_;
  std::uint32_t max_tokens_ = 0;
  std::string thinking_, effort_;
  bool thinks_by_budget_ = false;
  std::optional<Error> error_;
};

}  // namespace

Result<std::string> encode_messages(const Chat& chat, std::string_view model,
                                    const FirstMember& first, LeftOut& left_out) {
  return Encoder(chat, model, first, left_out).run();
}

Result<std::string> AnthropicDialect::encode(const Chat& chat, std::string_view upstream_model,
                                             LeftOut& left_out) const {
  return encode_messages(chat, upstream_model, {"model", upstream_model}, left_out);
}

}  // namespace causeway::anthropic
