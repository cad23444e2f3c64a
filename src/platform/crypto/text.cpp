#include "platform/crypto/text.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace causeway::crypto {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::uint8_t byte(char c) { return static_cast<std::uint8_t>(c); }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::array<std::int8_t, 256> kBase64Values = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kBase64.size(); ++i) {
    values[static_cast<unsigned char>(kBase64[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}();

// Regroups the bits of `bytes` into digits of `width` bits, zeros at the end.
std::string regroup(std::string_view bytes, int width, std::string_view alphabet) {
  std::string out;
  out.reserve((bytes.size() * 8 + static_cast<std::size_t>(width) - 1) /
              static_cast<std::size_t>(width));
  std::uint32_t bits = 0;
  int held = 0;
  for (char c : bytes) {
    bits = bits << 8 | byte(c);
    held += 8;
    while (held >= width) {
      held -= width;
      out += alphabet[(bits >> held) & ((1u << width) - 1)];
    }
  }
  if (held > 0) out += alphabet[(bits << (width - held)) & ((1u << width) - 1)];
  return out;
}

}  // namespace

std::string to_hex(std::string_view bytes) { return regroup(bytes, 4, kHex); }

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

std::string to_base64url(std::string_view bytes) { return regroup(bytes, 6, kBase64); }

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (char c : text) {
    const int value = kBase64Values[byte(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>((bits >> held) & 0xff);
    }
  }
  if ((bits & ((1u << held) - 1)) != 0) return std::nullopt;
  return out;
}

std::string to_base32(std::string_view bytes) { return regroup(bytes, 5, kBase32); }

std::string to_base62(std::string_view bytes) {
  const auto width = static_cast<std::size_t>(
      std::ceil(static_cast<double>(bytes.size()) * 8.0 / std::log2(62.0)));
  std::string number(bytes);
  std::string out(width, kBase62[0]);
  for (std::size_t digit = width; digit-- > 0;) {
    unsigned rest = 0;
    for (char& c : number) {
      const unsigned value = rest << 8 | byte(c);
      c = static_cast<char>(value / 62);
      rest = value % 62;
    }
    out[digit] = kBase62[rest];
  }
  return out;
}

}  // namespace causeway::crypto
