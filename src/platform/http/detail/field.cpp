#include "platform/http/detail/field.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace causeway::http::detail {
namespace {

bool is_control(unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; }

}  // namespace

// Eight bytes at a time: this runs over every field of every message.
bool is_field_value(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    const std::uint64_t is_del = word ^ (kOnes * 0x7f);
    const std::uint64_t below = (word - kOnes * 0x20) & ~word & kHigh;
    const std::uint64_t zero = (is_del - kOnes) & ~is_del & kHigh;
    if ((below | zero) && std::ranges::any_of(text.substr(i, 8), is_control)) return false;
  }
  return std::ranges::none_of(text.substr(i), is_control);
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
