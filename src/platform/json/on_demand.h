// What readers of JSON need around simdjson's on-demand interface. Faults are thrown as
// simdjson_error; whoever parses catches them. Includes simdjson: only for .cpp files.
#pragma once

#include <simdjson.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace causeway::json {

namespace od = simdjson::ondemand;

/// The value of a result, or simdjson_error thrown.
template <class T>
T take(simdjson::simdjson_result<T> result) {
  T value;
  const auto error = std::move(result).get(value);
  if (error) throw simdjson::simdjson_error(error);
  return value;
}

/// Calls fn(parser): this thread's parser for ordinary texts, a passing one for large ones, so that
/// one huge text does not keep its memory for ever. fn must not wait, and what the parser unescaped
/// is gone with the next call.
template <class Fn>
auto with_parser(std::size_t bytes, Fn fn) {
  constexpr std::size_t kKeptFor = 1 << 20;
  if (bytes > kKeptFor) {
    od::parser passing;
    return fn(passing);
  }
  thread_local od::parser parser;
  return fn(parser);
}

/// The bytes of a JSON text up to a quote or an escape, whichever is first. The text was scanned,
/// so there is one, and has simdjson's padding behind it.
inline std::string_view up_to_quote(const char* begin) {
#if defined(__SSE2__)
  for (const char* at = begin;; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i escape = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(quote, escape)));
    if (found) return {begin, static_cast<std::size_t>(at - begin + std::countr_zero(found))};
  }
#else
  static_assert(std::endian::native == std::endian::little, "the lowest byte is the first");
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  // The high bit of each zero byte, and perhaps of bytes behind it: the lowest is right.
  const auto zeros = [](std::uint64_t word) { return (word - kOnes) & ~word & kHigh; };
  for (const char* at = begin;; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    const std::uint64_t found = zeros(word ^ (kOnes * '"')) | zeros(word ^ (kOnes * '\\'));
    if (found) {
      return {begin, static_cast<std::size_t>(at - begin) +
                         static_cast<std::size_t>(std::countr_zero(found)) / 8};
    }
  }
#endif
}

/// A member's key, unescaped: a view into the text where it has no escape (simdjson would copy it),
/// else into the parser.
inline std::string_view key_of(od::field& field) {
  const std::string_view plain = up_to_quote(field.key().raw());
  if (plain.data()[plain.size()] == '"') return plain;
  return field.unescaped_key();
}

/// A string value, likewise. The value must be a string.
inline std::string_view string_of(od::value& value) {
  const std::string_view token = value.raw_json_token();
  const std::string_view plain = up_to_quote(token.data() + 1);
  if (plain.data()[plain.size()] != '"') return value.get_string();
  (void)value.get_raw_json_string().value();  // taken: else it is a key where a colon stands behind
  return plain;
}

/// The token without the white space behind it.
inline std::string_view trimmed(std::string_view token) {
  const auto last = token.find_last_not_of(" \t\r\n");
  return token.substr(0, last + 1);
}

/// Calls fn(key, value) for each member.
template <class Fn>
void each_member(od::object object, Fn fn) {
  for (auto result : object) {
    od::field field = take(std::move(result));
    const std::string_view key = key_of(field);
    fn(key, field.value());
  }
}

/// The same; nothing where `value` is no object.
template <class Fn>
void each_member(od::value value, Fn fn) {
  if (value.type() == od::json_type::object) each_member(take(value.get_object()), fn);
}

/// Calls fn(element) for each element; nothing where `value` is no array.
template <class Fn>
void each_element(od::value value, Fn fn) {
  if (value.type() != od::json_type::array) return;
  od::array array = value.get_array();
  for (auto result : array) fn(take(std::move(result)));
}

/// Whether it is an array with something in it.
inline bool has_elements(od::value value) {
  if (value.type() != od::json_type::array) return false;
  od::array array = value.get_array();
  return !take(array.is_empty());
}

/// Looks for a member wherever it stands; afterwards the object can be read from its beginning.
/// False where it is missing or of another kind. A text that is broken in between is thrown: its
/// iterator is dead then, and must not be asked again.
template <class T>
bool look_up(od::object& object, std::string_view key, T& out) {
  od::value value;
  const auto error = object[key].get(value);
  if (error && error != simdjson::NO_SUCH_FIELD) throw simdjson::simdjson_error(error);
  const bool found = !error && !value.get(out);
  take(object.reset());
  return found;
}

inline bool is_string(od::value& value) { return value.type() == od::json_type::string; }
inline bool is_null(od::value& value) { return value.type() == od::json_type::null; }

/// A string's text; "" for any other value.
inline std::string_view text_of(od::value value) {
  return is_string(value) ? string_of(value) : std::string_view();
}

/// The JSON of a value as it stands in the text.
inline std::string_view raw_of(od::value value) {
  return trimmed(take(simdjson::to_json_string(value)));
}

/// A whole number; nothing for any other value, one out of range included.
inline std::optional<std::int64_t> integer_of(od::value value) {
  std::int64_t number = 0;
  if (value.type() != od::json_type::number || value.get_int64().get(number)) return std::nullopt;
  return number;
}

inline std::optional<double> number_of(od::value value) {
  double number = 0;
  if (value.type() != od::json_type::number || value.get_double().get(number)) return std::nullopt;
  return number;
}

inline std::optional<bool> boolean_of(od::value value) {
  if (value.type() != od::json_type::boolean) return std::nullopt;
  return take(value.get_bool());
}

}  // namespace causeway::json
