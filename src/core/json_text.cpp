#include "core/json_text.h"

#include <simdjson.h>

namespace causeway {

bool is_json_object(std::string_view text) {
  if (text.find('{') == text.npos) return false;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  return !parser.parse(simdjson::padded_string(text)).get_object().get(object);
}

bool is_json(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element value;
  return !parser.parse(simdjson::padded_string(text)).get(value);
}

std::string json_member(std::string_view object, std::string_view key) {
  const simdjson::padded_string text(object);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::value value;
  std::string_view raw;
  if (parser.iterate(text).get(document) || document[key].get(value)) return {};
  if (simdjson::to_json_string(value).get(raw)) return {};
  return std::string(raw.substr(0, raw.find_last_not_of(" \t\r\n") + 1));
}

}  // namespace causeway
