#include "providers/vertex/errors.h"

#include <simdjson.h>

namespace causeway::vertex {

bool is_googles(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root, error;
  if (parser.parse(simdjson::padded_string(body)).get(root)) return false;
  simdjson::dom::array list;
  if (!root.get_array().get(list) && list.at(0).get(root)) return false;  // as streams have it
  std::string_view status;
  return !root["error"].get(error) && !error["status"].get_string().get(status);
}

void refine(Error& error) {
  if (error.kind != ErrorKind::NotFound) return;
  error.code = "model_not_found";
  error.message = "Vertex AI has no such model in this location, or the project may not use it.";
}

}  // namespace causeway::vertex
