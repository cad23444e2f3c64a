#include "platform/schema/json_schema.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <optional>

#include "platform/text/utf8.h"

namespace causeway::schema {
namespace {

namespace bj = boost::json;

constexpr std::size_t kMostLevels = 128;    // of a text, and of schemas inside one another
constexpr std::size_t kMostSteps = 100000;  // anyOf inside anyOf may ask for exponentially many

bool is_integer(const bj::value& value) {
  if (const double* number = value.if_double()) return std::trunc(*number) == *number;
  return value.is_int64() || value.is_uint64();
}

bool has_type(const bj::value& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "number") return value.is_number();
  if (type == "integer") return is_integer(value);
  if (type == "boolean") return value.is_bool();
  return type == "null" && value.is_null();
}

class Checker {
 public:
  explicit Checker(const bj::value& root) : root_(root) {}

  std::string check(const bj::value& schema, const bj::value& value, std::size_t level) {
    if (level > kMostLevels || ++steps_ > kMostSteps) return "the schema is nested too deeply";
    if (const bool* all = schema.if_bool()) return *all ? "" : "not allowed";
    const auto* rules = schema.if_object();
    if (!rules) return "";
    std::string wrong = check_reference(*rules, value, level);
    if (wrong.empty()) wrong = check_type(*rules, value);
    if (wrong.empty()) wrong = check_words(*rules, value);
    if (wrong.empty()) wrong = check_choices(*rules, value, level);
    if (!wrong.empty()) return wrong;
    if (const auto* object = value.if_object()) return check_object(*rules, *object, level);
    if (const auto* array = value.if_array()) return check_array(*rules, *array, level);
    if (const auto* text = value.if_string()) return check_string(*rules, *text);
    if (value.is_number()) return check_number(*rules, value.to_number<double>());
    return "";
  }

 private:
  std::string check_reference(const bj::object& rules, const bj::value& value, std::size_t level) {
    const auto* reference = rules.if_contains("$ref");
    if (!reference || !reference->is_string()) return "";
    const auto* target = resolve(root_, reference->get_string());
    return target ? check(*target, value, level + 1) : "the schema refers to what it has not";
  }

  static std::string check_type(const bj::object& rules, const bj::value& value) {
    const auto* type = rules.if_contains("type");
    if (!type) return "";
    const auto fits = [&](const bj::value& one) {
      return one.is_string() && has_type(value, one.get_string());
    };
    const auto* types = type->if_array();
    const bool good = types ? std::any_of(types->begin(), types->end(), fits) : fits(*type);
    return good ? "" : "of another type than " + bj::serialize(*type);
  }

  static std::string check_words(const bj::object& rules, const bj::value& value) {
    if (const auto* only = rules.if_contains("const"); only && *only != value) {
      return "not the constant that it must be";
    }
    const auto* words = rules.if_contains("enum");
    if (!words || !words->is_array()) return "";
    const auto& list = words->get_array();
    return std::find(list.begin(), list.end(), value) != list.end() ? "" : "none of the enum";
  }

  std::string check_choices(const bj::object& rules, const bj::value& value, std::size_t level) {
    if (const auto* all = rules.if_contains("allOf"); all && all->is_array()) {
      for (const auto& one : all->get_array()) {
        if (auto wrong = check(one, value, level + 1); !wrong.empty()) return wrong;
      }
    }
    for (const auto* keyword : {"anyOf", "oneOf"}) {
      const auto* any = rules.if_contains(keyword);
      if (!any || !any->is_array()) continue;
      const auto& list = any->get_array();
      const auto fits = [&](const bj::value& one) { return check(one, value, level + 1).empty(); };
      if (!std::any_of(list.begin(), list.end(), fits)) return "none of the schema's choices";
    }
    return "";
  }

  std::string check_object(const bj::object& rules, const bj::object& object, std::size_t level) {
    if (const auto* required = rules.if_contains("required"); required && required->is_array()) {
      for (const auto& name : required->get_array()) {
        if (name.is_string() && !object.contains(name.get_string())) {
          return "without its member " + bj::serialize(name);
        }
      }
    }
    const auto* named = rules.if_contains("properties");
    const auto* properties = named ? named->if_object() : nullptr;
    const auto* others = rules.if_contains("additionalProperties");
    for (const auto& member : object) {
      const auto* known = properties ? properties->if_contains(member.key()) : nullptr;
      const auto* schema = known ? known : others;
      if (!schema) continue;
      auto wrong = check(*schema, member.value(), level + 1);
      // A name that the schema does not know is the model's own word.
      if (!wrong.empty())
        return (known ? std::string(member.key()) : "an unknown member") + ": " + wrong;
    }
    return "";
  }

  std::string check_array(const bj::object& rules, const bj::array& array, std::size_t level) {
    if (!within(rules, "minItems", "maxItems", static_cast<double>(array.size()))) {
      return "of too few or too many items";
    }
    const auto* items = rules.if_contains("items");
    if (!items || items->is_array()) return "";
    for (const auto& item : array) {
      if (auto wrong = check(*items, item, level + 1); !wrong.empty()) return "an item: " + wrong;
    }
    return "";
  }

  static std::string check_string(const bj::object& rules, std::string_view text) {
    const auto length = static_cast<double>(text::utf8_count(text));
    return within(rules, "minLength", "maxLength", length) ? "" : "too short or too long";
  }

  static std::string check_number(const bj::object& rules, double number) {
    if (!within(rules, "minimum", "maximum", number)) return "too small or too large";
    const auto low = limit(rules, "exclusiveMinimum"), high = limit(rules, "exclusiveMaximum");
    return number > low.value_or(-HUGE_VAL) && number < high.value_or(HUGE_VAL)
               ? ""
               : "too small or too large";
  }

  static std::optional<double> limit(const bj::object& rules, std::string_view keyword) {
    const auto* value = rules.if_contains(keyword);
    if (!value || !value->is_number()) return std::nullopt;
    return value->to_number<double>();
  }

  static bool within(const bj::object& rules, std::string_view least, std::string_view most,
                     double number) {
    return number >= limit(rules, least).value_or(-HUGE_VAL) &&
           number <= limit(rules, most).value_or(HUGE_VAL);
  }

  const bj::value& root_;
  std::size_t steps_ = 0;
};

}  // namespace

Result<bj::value> parse_json(std::string_view text) {
  bj::parse_options options;
  options.max_depth = kMostLevels;
  boost::system::error_code error;
  auto value = bj::parse({text.data(), text.size()}, error, {}, options);
  if (error) return fail(ErrorKind::InvalidRequest, Origin::Client, "not JSON: " + error.message());
  return value;
}

const bj::value* resolve(const bj::value& root, std::string_view reference) {
  if (!reference.starts_with('#')) return nullptr;
  boost::system::error_code error;
  return root.find_pointer({reference.data() + 1, reference.size() - 1}, error);
}

std::string mismatch(const bj::value& root, const bj::value& schema, const bj::value& value) {
  return Checker(root).check(schema, value, 0);
}

}  // namespace causeway::schema
