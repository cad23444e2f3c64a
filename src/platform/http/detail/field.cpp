#include "platform/http/detail/field.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace causeway::http::detail {
namespace {

bool is_control(unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; }

/// Whether one of the eight bytes is below a space (a tab among them) or DEL.
bool suspicious(const char* at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  std::uint64_t word;
  std::memcpy(&word, at, 8);
  const std::uint64_t is_del = word ^ (kOnes * 0x7f);
  const std::uint64_t below = (word - kOnes * 0x20) & ~word;
  const std::uint64_t zero = (is_del - kOnes) & ~is_del;
  return ((below | zero) & kHigh) != 0;
}

}  // namespace

// Eight bytes at a time, the last eight perhaps for the second time: this runs over every field of
// every message.
bool is_field_value(std::string_view text) {
  bool plain = text.size() >= 8 && !suspicious(text.data() + text.size() - 8);
  for (std::size_t i = 0; plain && i + 8 <= text.size(); i += 8) {
    plain = !suspicious(text.data() + i);
  }
  return plain || std::ranges::none_of(text, is_control);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t size = out.size();
  out.resize_and_overwrite(size + name.size() + value.size() + 4, [&](char* begin, std::size_t) {
    char* at = std::copy(name.begin(), name.end(), begin + size);
    *at++ = ':';
    *at++ = ' ';
    at = std::copy(value.begin(), value.end(), at);
    *at++ = '\r';
    *at++ = '\n';
    return static_cast<std::size_t>(at - begin);
  });
}

}  // namespace causeway::http::detail
