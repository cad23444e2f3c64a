#include "app/importer/importer.h"

#include <algorithm>
#include <span>

#include "app/importer/litellm.h"
#include "app/importer/portkey.h"
#include "app/importer/tensorzero.h"

namespace causeway::app::importer {
namespace {

constexpr std::string_view kLiteLlm[] = {"model_list",      "litellm_settings",
                                         "router_settings", "general_settings",
                                         "guardrails",      "environment_variables"};
constexpr std::string_view kPortkey[] = {"strategy",        "targets",         "provider",
                                         "virtual_key",     "override_params", "retry",
                                         "request_timeout", "cache",           "input_guardrails"};
constexpr std::string_view kTensorZero[] = {
    "gateway",        "models",      "functions",     "embedding_models", "metrics", "tools",
    "provider_types", "evaluations", "rate_limiting", "clickhouse",       "postgres"};

bool has_any(const Value& root, std::span<const std::string_view> names) {
  const auto has = [&](const auto& name) { return root.find(name) != nullptr; };
  return root.is_table() && std::ranges::any_of(names, has);
}

std::span<const std::string_view> sections_of(std::string_view tool) {
  if (tool == "litellm") return kLiteLlm;
  if (tool == "portkey") return kPortkey;
  return kTensorZero;
}

Result<Value> read(std::string_view tool, std::string_view text, const std::string& file) {
  if (tool == "tensorzero") return read_toml(text, file);
  return tool == "portkey" ? read_json(text, file) : read_yaml(text, file);
}

std::unexpected<Error> refused(const Request& request, std::string_view text, std::string message) {
  const auto tool = tool_of(text);
  if (tool && *tool != request.tool) {
    message = request.file + " seems to be a configuration of " + std::string(*tool) +
              ": causeway import " + std::string(*tool) + " " + request.file;
  }
  return fail(ErrorKind::InvalidRequest, Origin::Client, std::move(message), "bad_source");
}

}  // namespace

std::optional<std::string_view> tool_of(std::string_view text) {
  for (const auto tool : kTools) {
    const auto root = read(tool, text, "");
    if (root && has_any(*root, sections_of(tool))) return tool;
  }
  return std::nullopt;
}

Result<Imported> import_text(const Request& request, std::string_view text) {
  const auto root = read(request.tool, text, request.file);
  if (!root) return refused(request, text, root.error().message);
  const auto sections = sections_of(request.tool);
  if (!has_any(*root, sections)) {
    std::string names;
    for (const auto name : sections) names += (names.empty() ? "" : ", ") + std::string(name);
    return refused(request, text,
                   request.file + " is no configuration of " + request.tool +
                       ": it has none of its sections (" + names + ")");
  }
  if (request.tool == "litellm") return import_litellm(*root);
  if (request.tool == "portkey") {
    return import_portkey(*root, {request.model_name, request.target_model});
  }
  return import_tensorzero(*root);
}

}  // namespace causeway::app::importer
