#include "providers/azure/errors.h"

#include <simdjson.h>

#include <string>

namespace causeway::azure {
namespace {

namespace dom = simdjson::dom;

bool is_true(const dom::element& filter, const char* member) {
  bool value = false;
  return !filter[member].get_bool().get(value) && value;
}

/// "hate (high), jailbreak": of each filter that struck its name, and how severe it was.
std::string filters_of(const dom::object& result) {
  std::string names;
  for (const auto [name, filter] : result) {
    if (!is_true(filter, "filtered")) continue;
    if (names.size() > 500) break;
    if (!names.empty()) names += ", ";
    names += name;
    std::string_view severity;
    if (!filter["severity"].get_string().get(severity)) {
      names.append(" (").append(severity).append(")");
    }
  }
  return names;
}

}  // namespace

void refine(std::string_view body, Error& error) {
  dom::parser parser;
  dom::element root, told, inner;
  if (parser.parse(simdjson::padded_string(body)).get(root) || root["error"].get(told)) return;
  if (told["innererror"].get(inner) && told["inner_error"].get(inner)) return;
  std::string_view code;
  dom::object result;
  const bool policy =
      !inner["code"].get_string().get(code) && code == "ResponsibleAIPolicyViolation";
  const bool has_result = !inner["content_filter_result"].get_object().get(result) ||
                          !inner["content_filter_results"].get_object().get(result);
  if (!policy && !has_result) return;
  error.kind = ErrorKind::ContentFiltered;
  error.retryable = false;
  error.code = "content_filter";
  const std::string filters = has_result ? filters_of(result) : std::string();
  if (!filters.empty()) error.message += " Filters: " + filters + ".";
}

}  // namespace causeway::azure
