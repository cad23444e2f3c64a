#include "app/repeated_members.h"

#include <simdjson.h>

#include <set>

namespace causeway::app {
namespace {

namespace dom = simdjson::dom;

// The parser has bounded the depth (1024).
std::optional<std::string> repeated_in(dom::element element) {
  dom::array array;
  if (!element.get_array().get(array)) {
    for (const auto part : array) {
      if (auto found = repeated_in(part)) return found;
    }
  }
  dom::object object;
  if (element.get_object().get(object)) return std::nullopt;
  std::set<std::string_view> seen;
  for (const auto& [key, value] : object) {
    if (!seen.insert(key).second) return std::string(key);
    if (auto found = repeated_in(value)) return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> repeated_member(std::string_view text) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(simdjson::padded_string(text)).get(root)) return std::nullopt;
  return repeated_in(root);
}

}  // namespace causeway::app
