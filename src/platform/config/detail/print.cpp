// Values as a user would write them: the defaults of the reference page and of the JSON Schema.
#include <fmt/core.h>

#include <cstring>

#include "platform/config/detail/type.h"
#include "platform/config/values.h"

namespace causeway::config::detail {
namespace {

std::string choice_name(const Type& type, std::int64_t value) {
  for (const Choice& choice : type.choices) {
    if (choice.value == value) return choice.name;
  }
  return std::to_string(value);
}

std::string print_scalar(const Type& type, const void* value) {
  switch (type.kind) {
    case Kind::Bool:
      return *static_cast<const bool*>(value) ? "true" : "false";
    case Kind::Integer:
      return std::to_string(load_integer(value, type.size, type.is_signed));
    case Kind::Real:
      return fmt::format("{}", *static_cast<const double*>(value));
    case Kind::Text:
      return *static_cast<const std::string*>(value);
    case Kind::Duration: {
      std::int64_t ns = 0;
      if (__builtin_mul_overflow(load_integer(value, type.size, true), type.tick, &ns)) break;
      return print_duration(std::chrono::nanoseconds(ns));
    }
    case Kind::Bytes:
      return print_bytes(*static_cast<const Bytes*>(value));
    case Kind::Money:
      return print_money(*static_cast<const Money*>(value));
    case Kind::Enum:
      return choice_name(type, load_integer(value, type.size, type.is_signed));
    default:
      break;
  }
  return {};
}

bool is_scalar(Kind kind) { return kind < Kind::Optional && kind != Kind::Secret; }

// Goes through a list of scalars; false when there is something that has no written form.
template <class Print>
bool print_list(const Type& type, const void* value, std::string& out, Print print) {
  const std::size_t count = type.count(value);
  if (!is_scalar(type.inner->kind) && count > 0) return false;
  out = "[";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ", ";
    out += print(*type.inner, type.element(value, i));
  }
  out += "]";
  return true;
}

}  // namespace

std::optional<std::string> print_value(const Type& type, const void* value) {
  if (is_scalar(type.kind)) return print_scalar(type, value);
  if (type.kind == Kind::Optional || type.kind == Kind::Located) {
    const void* inner = type.peek(value);
    return inner ? print_value(*type.inner, inner) : std::nullopt;
  }
  std::string out;
  if (type.kind == Kind::List && print_list(type, value, out, print_scalar)) return out;
  if (type.kind == Kind::Map && type.count(value) == 0) return "{}";
  return std::nullopt;
}

std::string print_json(const Type& type, const void* value) {
  if (is_scalar(type.kind)) {
    const std::string text = print_scalar(type, value);
    const bool bare = type.kind == Kind::Bool || type.kind == Kind::Integer ||
                      type.kind == Kind::Real || type.kind == Kind::Money;
    return bare ? text : quote_json(text);
  }
  if (type.kind == Kind::Optional || type.kind == Kind::Located) {
    const void* inner = type.peek(value);
    return inner ? print_json(*type.inner, inner) : std::string();
  }
  std::string out;
  if (type.kind == Kind::List && print_list(type, value, out, print_json)) return out;
  return {};
}

std::string quote_json(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + '"';
}

void store_integer(void* object, std::uint8_t size, std::int64_t value) {
  // Little endian or not: through a number of exactly that size.
  const auto put = [object](auto number) { std::memcpy(object, &number, sizeof(number)); };
  switch (size) {
    case 1:
      return put(static_cast<std::int8_t>(value));
    case 2:
      return put(static_cast<std::int16_t>(value));
    case 4:
      return put(static_cast<std::int32_t>(value));
    default:
      return put(value);
  }
}

std::int64_t load_integer(const void* object, std::uint8_t size, bool is_signed) {
  const auto get = [object](auto number) -> std::int64_t {
    std::memcpy(&number, object, sizeof(number));
    return static_cast<std::int64_t>(number);
  };
  switch (size) {
    case 1:
      return is_signed ? get(std::int8_t{}) : get(std::uint8_t{});
    case 2:
      return is_signed ? get(std::int16_t{}) : get(std::uint16_t{});
    case 4:
      return is_signed ? get(std::int32_t{}) : get(std::uint32_t{});
    default:
      return get(std::int64_t{});
  }
}

}  // namespace causeway::config::detail
