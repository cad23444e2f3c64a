// JSON strings, as request.h declares them.
#include "core/request.h"
#include "platform/text/json_writer.h"

namespace causeway {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

std::uint32_t hex4(const char* at) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at[i];
    value = value * 16 + static_cast<std::uint32_t>(c <= '9'   ? c - '0'
                                                    : c <= 'F' ? c - 'A' + 10
                                                               : c - 'a' + 10);
  }
  return value;
}

}  // namespace

std::string_view decode_json_string(std::string_view json, std::string& storage) {
  const std::string_view inner = json.substr(1, json.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return inner;
  storage.clear();
  storage.reserve(inner.size());
  for (std::size_t i = 0; i < inner.size();) {
    const std::size_t escape = std::min(inner.find('\\', i), inner.size());
    storage.append(inner, i, escape - i);
    if (escape + 1 >= inner.size()) break;
    i = escape + 2;
    switch (inner[escape + 1]) {
      case 'b':
        storage += '\b';
        break;
      case 'f':
        storage += '\f';
        break;
      case 'n':
        storage += '\n';
        break;
      case 'r':
        storage += '\r';
        break;
      case 't':
        storage += '\t';
        break;
      case 'u': {
        if (i + 4 > inner.size()) return storage;
        std::uint32_t code = hex4(inner.data() + i);
        i += 4;
        const bool high = code >= 0xD800 && code < 0xDC00;
        if (high && i + 6 <= inner.size() && inner[i] == '\\' && inner[i + 1] == 'u') {
          const std::uint32_t low = hex4(inner.data() + i + 2);
          if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            i += 6;
          }
        }
        // A lone surrogate has no UTF-8 form; U+FFFD stands for it.
        append_utf8(storage, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
        break;
      }
      default:
        storage += inner[escape + 1];
        break;
    }
  }
  return storage;
}

std::string encode_json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  text::append_json_string(out, text);
  return out;
}

}  // namespace causeway
