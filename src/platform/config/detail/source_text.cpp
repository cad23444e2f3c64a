#include "platform/config/detail/source_text.h"

#include <fmt/core.h>

#include <array>

#include "platform/config/config.h"
#include "platform/config/detail/resolve.h"

namespace causeway::config::detail {
namespace {

// What YAML would act upon inside a reference, and its stand-in. 0x04 is left out: yaml-cpp takes
// it for the end of the file.
struct StandIn {
  char shown;
  char hidden;
};
constexpr char kOpening = 0x01;
constexpr char kClosing = 0x02;
constexpr std::array<StandIn, 13> kStandIns{{{'{', kOpening},
                                             {'}', kClosing},
                                             {'[', 0x03},
                                             {']', 0x05},
                                             {',', 0x06},
                                             {':', 0x07},
                                             {'#', 0x08},
                                             {' ', 0x0e},
                                             {'&', 0x0f},
                                             {'*', 0x10},
                                             {'?', 0x11},
                                             {'-', 0x12},
                                             {'!', 0x13}}};

// The length of the well-formed UTF-8 sequence at the front; 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool surrogate = first == 0xed && byte(1) > 0x9f;
  const bool beyond = first == 0xf4 && byte(1) > 0x8f;
  return overlong || surrogate || beyond ? 0 : length;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x7f || (byte < 0x20 && c != '\t' && c != '\n' && c != '\r');
}

}  // namespace

std::optional<Unreadable> refuse_bytes(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    return Unreadable{{},
                      fmt::format("the file has {} bytes; at most {} are read", text.size(),
                                  print_bytes(Bytes{max_bytes}))};
  }
  Position at{1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return Unreadable{at, "the file is not UTF-8 text"};
    if (is_control(text[i])) {
      return Unreadable{at, fmt::format("control character 0x{:02x}; only line breaks and tabs "
                                        "may stand in the file",
                                        static_cast<unsigned>(text[i]))};
    }
    if (text[i] == '\n') {
      at = {at.line + 1, 1};
    } else {
      ++at.column;
    }
    i += length;
  }
  return std::nullopt;
}

std::string hide_references(std::string_view text) {
  std::string out(text);
  for (std::size_t i = out.find("${"); i != std::string::npos; i = out.find("${", i + 1)) {
    const std::size_t length = reference_length(std::string_view(out).substr(i));
    for (std::size_t j = i + 1; j < i + length; ++j) {
      for (const StandIn& pair : kStandIns) {
        if (out[j] == pair.shown) out[j] = pair.hidden;
      }
    }
  }
  return out;
}

std::string show_references(std::string_view text) {
  std::string out(text);
  // Only inside a reference: elsewhere such a character comes from an escape ("\x07") and is meant.
  bool inside = false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == kOpening && i > 0 && out[i - 1] == '$') inside = true;
    if (!inside) continue;
    inside = out[i] != kClosing;
    for (const StandIn& pair : kStandIns) {
      if (out[i] == pair.hidden) {
        out[i] = pair.shown;
        break;
      }
    }
  }
  return out;
}

}  // namespace causeway::config::detail
