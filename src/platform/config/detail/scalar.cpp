#include "platform/config/detail/scalar.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "platform/config/detail/resolve.h"

namespace causeway::config::detail {
namespace {

constexpr std::size_t kShownLength = 60;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool looks_like_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && is_digit(text.front()) &&
         text.find_first_not_of("0123456789.eE+-_") == std::string_view::npos;
}

ScalarProblem wrong(const Type& type, const Node& node, std::string_view hint = {}) {
  return {fmt::format("expected {}, found {}{}", expected_text(type), shown(node), hint), {}};
}

std::optional<ScalarProblem> check_limits(const Type& type, std::int64_t value, const Node& node) {
  if ((type.min && value < *type.min) || (type.max && value > *type.max)) {
    return ScalarProblem{fmt::format("must be {}, found {}", limits_text(type), shown(node)), {}};
  }
  return std::nullopt;
}

std::optional<ScalarProblem> run_check(const Type& type, const void* value) {
  if (!type.check) return std::nullopt;
  std::string message = type.check(value);
  if (message.empty()) return std::nullopt;
  return ScalarProblem{std::move(message), {}};
}

std::vector<std::string> choice_names(const Type& type) {
  std::vector<std::string> names;
  for (const Choice& choice : type.choices) names.push_back(choice.name);
  return names;
}

std::optional<ScalarProblem> not_a_choice(const Type& type, const Node& node,
                                          const std::string& text) {
  ScalarProblem problem = wrong(type, node);
  const auto names = choice_names(type);
  problem.suggestions = nearest(text, names);
  return problem;
}

std::optional<ScalarProblem> read_bool(const Type& type, void* object, const Node& node,
                                       const std::string& text) {
  if (text != "true" && text != "false") {
    ScalarProblem problem = wrong(type, node);
    if (text == "yes" || text == "on" || text == "True") problem.suggestions = {"true"};
    if (text == "no" || text == "off" || text == "False") problem.suggestions = {"false"};
    return problem;
  }
  *static_cast<bool*>(object) = text == "true";
  return std::nullopt;
}

std::optional<ScalarProblem> read_integer(const Type& type, void* object, const Node& node,
                                          const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = end == text.data() + text.size();
  const std::size_t digits = text.starts_with('-') ? 1 : 0;
  if (error == std::errc::result_out_of_range && whole) {
    return ScalarProblem{fmt::format("the number {} is too large", shown(node)), {}};
  }
  const bool octal = text.size() > digits + 1 && text[digits] == '0';
  if (error != std::errc{} || !whole || octal) return wrong(type, node);
  if (auto problem = check_limits(type, value, node)) return problem;
  store_integer(object, type.size, value);
  return run_check(type, object);
}

std::optional<ScalarProblem> read_real(const Type& type, void* object, const Node& node,
                                       const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    return wrong(type, node);
  }
  if ((type.real_min && value < *type.real_min) || (type.real_max && value > *type.real_max)) {
    return ScalarProblem{fmt::format("must be {}, found {}", limits_text(type), shown(node)), {}};
  }
  *static_cast<double*>(object) = value;
  return run_check(type, object);
}

std::string tick_name(std::int64_t tick) {
  switch (tick) {
    case 1'000:
      return "microseconds";
    case 1'000'000:
      return "milliseconds";
    case 1'000'000'000:
      return "seconds";
    case 60'000'000'000:
      return "minutes";
    case 3'600'000'000'000:
      return "hours";
    default:
      return "units of " + print_duration(std::chrono::nanoseconds(tick));
  }
}

std::optional<ScalarProblem> read_duration(const Type& type, void* object, const Node& node,
                                           const std::string& text) {
  const auto value = parse_duration(text);
  if (!value) {
    return wrong(type, node, looks_like_number(node.text) ? " (a number needs its unit)" : "");
  }
  if (auto problem = check_limits(type, value->count(), node)) return problem;
  const std::int64_t ticks = value->count() / type.tick;
  const bool fits = type.size == 8 || (ticks >> (8 * type.size - 1)) == 0;
  if (value->count() % type.tick != 0 || !fits) {
    return ScalarProblem{
        fmt::format("must be a whole number of {}, found {}", tick_name(type.tick), shown(node)),
        {}};
  }
  store_integer(object, type.size, ticks);
  return run_check(type, object);
}

std::optional<ScalarProblem> read_bytes(const Type& type, void* object, const Node& node,
                                        const std::string& text) {
  const auto value = parse_bytes(text);
  if (!value) {
    return wrong(type, node, looks_like_number(node.text) ? " (a number needs its unit)" : "");
  }
  if (auto problem = check_limits(type, static_cast<std::int64_t>(value->value), node)) {
    return problem;
  }
  *static_cast<Bytes*>(object) = *value;
  return run_check(type, object);
}

std::optional<ScalarProblem> read_money(const Type& type, void* object, const Node& node,
                                        const std::string& text) {
  const auto value = parse_money(text);
  if (!value) return wrong(type, node);
  if (auto problem = check_limits(type, value->micros, node)) return problem;
  *static_cast<Money*>(object) = *value;
  return run_check(type, object);
}

std::optional<ScalarProblem> read_text(const Type& type, void* object, const Node& node,
                                       std::string text) {
  if (!type.choices.empty()) {
    const auto names = choice_names(type);
    if (std::find(names.begin(), names.end(), text) == names.end()) {
      return not_a_choice(type, node, text);
    }
  }
  if (auto problem = run_check(type, &text)) return problem;
  *static_cast<std::string*>(object) = std::move(text);
  return std::nullopt;
}

std::optional<ScalarProblem> read_enum(const Type& type, void* object, const Node& node,
                                       const std::string& text) {
  for (const Choice& choice : type.choices) {
    if (choice.name != text) continue;
    store_integer(object, type.size, choice.value);
    return run_check(type, object);
  }
  return not_a_choice(type, node, text);
}

// Numbers and switches in quotes are texts, as they are for editors that go by the schema; unless
// the quotes stand around a reference.
bool refuses_quotes(Kind kind) {
  return kind == Kind::Bool || kind == Kind::Integer || kind == Kind::Real;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.size() >= kShownLength && (static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      return out + "…";
    }
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(byte));
    } else {
      out += c;
    }
  }
  return out;
}

std::string shown(const Node& node, bool with_text) {
  switch (node.kind) {
    case Node::Kind::Null:
      return "nothing";
    case Node::Kind::List:
      return "a list";
    case Node::Kind::Map:
      return "a mapping";
    case Node::Kind::Scalar:
      break;
  }
  if (!with_text) return node.quoted || !looks_like_number(node.text) ? "a text" : "a number";
  const std::string text = printable(node.text);
  if (node.text.find("${") != std::string::npos) return "the value of " + text;
  if (node.quoted) return "the text \"" + text + '"';
  if (looks_like_number(node.text) || node.text == "true" || node.text == "false") return text;
  return '"' + text + '"';
}

std::optional<ScalarProblem> read_scalar(const Type& type, void* object, const Node& node,
                                         const Sources& sources) {
  if (node.kind != Node::Kind::Scalar) return wrong(type, node);
  auto resolved = resolve(node.text, sources);
  if (!resolved) return ScalarProblem{resolved.error(), {}};
  if (node.quoted && !resolved->replaced && refuses_quotes(type.kind)) return wrong(type, node);
  switch (type.kind) {
    case Kind::Bool:
      return read_bool(type, object, node, resolved->text);
    case Kind::Integer:
      return read_integer(type, object, node, resolved->text);
    case Kind::Real:
      return read_real(type, object, node, resolved->text);
    case Kind::Duration:
      return read_duration(type, object, node, resolved->text);
    case Kind::Bytes:
      return read_bytes(type, object, node, resolved->text);
    case Kind::Money:
      return read_money(type, object, node, resolved->text);
    case Kind::Enum:
      return read_enum(type, object, node, resolved->text);
    default:
      return read_text(type, object, node, std::move(resolved->text));
  }
}

std::string limits_text(const Type& type) {
  const auto number = [&](std::int64_t value) {
    if (type.kind == Kind::Duration) return print_duration(std::chrono::nanoseconds(value));
    if (type.kind == Kind::Bytes) return print_bytes(Bytes{static_cast<std::uint64_t>(value)});
    if (type.kind == Kind::Money) return print_money(Money{value});
    return std::to_string(value);
  };
  std::string low, high;
  if (type.min) low = number(*type.min);
  if (type.max) high = number(*type.max);
  if (type.real_min) low = fmt::format("{}", *type.real_min);
  if (type.real_max) high = fmt::format("{}", *type.real_max);
  if (!low.empty() && !high.empty()) return "from " + low + " to " + high;
  if (!low.empty()) return "at least " + low;
  return high.empty() ? std::string() : "at most " + high;
}

std::string expected_text(const Type& type) {
  if (!type.choices.empty()) {
    std::string out = type.choices.size() == 1 ? "" : "one of ";
    for (const Choice& choice : type.choices) {
      if (&choice != &type.choices.front()) out += ", ";
      out += choice.name;
    }
    return out;
  }
  switch (type.kind) {
    case Kind::Bool:
      return "true or false";
    case Kind::Integer:
      return "a whole number";
    case Kind::Real:
      return "a number";
    case Kind::Duration:
      return "a duration such as 30s, 250ms or 1h30m";
    case Kind::Bytes:
      return "a size such as 512KiB or 32MiB";
    case Kind::Money:
      return "an amount such as 0.15, with at most six decimals";
    case Kind::Optional:
    case Kind::Located:
      return expected_text(*type.inner);
    case Kind::List:
      return type.words.empty() ? "a list" : type.words.front().name + " or a list";
    case Kind::Struct: {
      std::string out;
      for (const Word& word : type.words) out += (out.empty() ? "" : ", ") + word.name;
      if (alone(type)) out += out.empty() ? "a list" : ", a list";
      return out.empty() ? "a mapping" : out + " or a mapping";
    }
    case Kind::Map:
    case Kind::Variant:
      return "a mapping";
    default:
      return "a text";
  }
}

}  // namespace causeway::config::detail
