#include "dialects/anthropic/words.h"

#include <algorithm>

#include "core/request.h"

namespace causeway::anthropic {

Stop stop_of(std::string_view reason) {
  if (reason == "end_turn" || reason == "stop_sequence") return Stop::Done;
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") return Stop::Length;
  if (reason == "tool_use") return Stop::Tools;
  if (reason == "refusal") return Stop::Filtered;
  if (reason == "pause_turn") return Stop::Pause;
  return Stop::Unknown;
}

std::string_view reason_of(Stop stop, std::string_view raw) {
  switch (stop) {
    case Stop::Done:
      return "end_turn";
    case Stop::Length:
      return "max_tokens";
    case Stop::Tools:
      return "tool_use";
    case Stop::Filtered:
      return "refusal";
    case Stop::Pause:
      return "pause_turn";
    case Stop::None:
    case Stop::Broken:
    case Stop::Unknown:
      break;
  }
  return raw.empty() ? "unknown" : raw;
}

namespace {

std::uint32_t count_of(simdjson::ondemand::value value) {
  const auto number = json::integer_of(value);
  if (!number || *number < 0 || *number > 0xFFFFFFFF) return 0;
  return static_cast<std::uint32_t>(*number);
}

}  // namespace

bool read_usage(simdjson::ondemand::value value, Usage& usage) {
  bool tells_cost = false;
  std::uint32_t output = usage.output_visible + usage.reasoning;
  json::each_member(value, [&](std::string_view key, simdjson::ondemand::value member) {
    if (key == "output_tokens_details") {
      json::each_member(member, [&](std::string_view inner, simdjson::ondemand::value one) {
        if (inner == "thinking_tokens") usage.reasoning = count_of(one);
      });
      return;
    }
    if (json::is_null(member)) return;
    if (key == "input_tokens") {
      usage.input_uncached = count_of(member);
    } else if (key == "cache_creation_input_tokens") {
      usage.cache_write = count_of(member);
    } else if (key == "cache_read_input_tokens") {
      usage.cache_read = count_of(member);
    } else if (key == "cost") {
      tells_cost = true;
    } else if (key == "output_tokens") {
      output = count_of(member);
    }
  });
  usage.reasoning = std::min(usage.reasoning, output);
  usage.output_visible = output - usage.reasoning;
  // This dialect must tell some number: all zero stands for "not known".
  const bool known = usage.input() + usage.output() > 0;
  usage.source = known ? UsageSource::Reported : UsageSource::None;
  return tells_cost;
}

void write_usage(text::JsonWriter& json, const Usage& usage) {
  json.begin_object().field("input_tokens", usage.input_uncached);
  json.field("cache_creation_input_tokens", usage.cache_write);
  json.field("cache_read_input_tokens", usage.cache_read);
  json.field("output_tokens", usage.output());
  if (usage.reasoning) {
    json.key("output_tokens_details").begin_object();
    json.field("thinking_tokens", usage.reasoning).end_object();
  }
  json.end_object();
}

std::string input_of(std::string_view arguments) {
  if (arguments.find_first_not_of(" \t\r\n") == arguments.npos) return "{}";
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const bool parsed = !parser.parse(simdjson::padded_string(arguments)).get(root);
  if (parsed && root.is_object()) return std::string(arguments);
  return R"({"INVALID_JSON":)" + encode_json_string(arguments) + "}";
}

}  // namespace causeway::anthropic
