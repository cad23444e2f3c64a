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

}  // namespace causeway
