// Gemini's own form of a schema → JSON Schema. The other way is not needed: Google takes JSON
// Schemas as well, under a member of another name.
#include <algorithm>
#include <array>
#include <string>

#include "dialects/gemini/words.h"
#include "platform/json/on_demand.h"
#include "platform/text/json_writer.h"

namespace causeway::gemini {
namespace {

namespace dom = simdjson::dom;

constexpr int kMostDepth = 64;

class Rewriter {
 public:
  std::string run(dom::element schema) {
    write_schema(schema, 0);
    return std::move(out_);
  }

 private:
  void write_schema(dom::element schema, int depth) {
    dom::object object;
    if (depth > kMostDepth || schema.get_object().get(object)) {
      json_.raw(simdjson::minify(schema));
      return;
    }
    bool nullable = false;
    (void)object["nullable"].get_bool().get(nullable);
    json_.begin_object();
    std::string storage;
    for (const auto& [written, value] : object) {
      const std::string key(camel(written, storage));
      if (key == "nullable" || key == "propertyOrdering") continue;
      json_.key(key);
      write_member(key, value, nullable, depth);
    }
    json_.end_object();
  }

  void write_member(std::string_view key, dom::element value, bool nullable, int depth) {
    std::string_view text;
    if (key == "type" && !value.get_string().get(text)) {
      write_type(text, nullable);
    } else if (key == "properties" || key == "$defs" || key == "defs") {
      each(value, depth);
    } else if (key == "items" || key == "additionalProperties") {
      write_schema(value, depth + 1);
    } else if (key == "anyOf" || key == "oneOf" || key == "allOf" || key == "prefixItems") {
      list(value, depth);
    } else if (is_count(key) && !value.get_string().get(text) && is_whole_number(text)) {
      json_.raw(text);  // protocol buffers write 64-bit numbers as strings
    } else {
      json_.raw(simdjson::minify(value));
    }
  }

  void write_type(std::string_view type, bool nullable) {
    std::string lower(type);
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    if (!nullable) {
      json_.string(lower);
      return;
    }
    json_.begin_array().string(lower).string("null").end_array();
  }

  void each(dom::element value, int depth) {
    dom::object object;
    if (value.get_object().get(object)) {
      json_.raw(simdjson::minify(value));
      return;
    }
    json_.begin_object();
    for (const auto& [name, schema] : object) {
      json_.key(std::string_view(name));
      write_schema(schema, depth + 1);
    }
    json_.end_object();
  }

  void list(dom::element value, int depth) {
    dom::array array;
    if (value.get_array().get(array)) {
      json_.raw(simdjson::minify(value));
      return;
    }
    json_.begin_array();
    for (const auto schema : array) write_schema(schema, depth + 1);
    json_.end_array();
  }

  static bool is_count(std::string_view key) {
    static constexpr std::array<std::string_view, 6> kCounts = {
        "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"};
    return std::find(kCounts.begin(), kCounts.end(), key) != kCounts.end();
  }

  static bool is_whole_number(std::string_view text) {
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    return digits && (text == "0" || text.front() != '0');
  }

  std::string out_;
  text::JsonWriter json_{out_};
};

}  // namespace

RawJson json_schema(std::string_view schema) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(simdjson::padded_string(schema)).get(root)) return RawJson(schema);
  return Rewriter().run(root);
}

}  // namespace causeway::gemini
