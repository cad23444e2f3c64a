// Writes messages of an event stream as the service does; for tests.
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway::converse {

inline void put_number(std::string& out, std::size_t number, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(number >> (8 * i) & 0xFF);
}

inline void put_sum(std::string& out) {
  put_number(
      out, crc32(0, reinterpret_cast<const Bytef*>(out.data()), static_cast<uInt>(out.size())), 4);
}

/// The bytes of headers of the type text.
inline std::string text_headers(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string out;
  for (const auto& [name, value] : headers) {
    put_number(out, name.size(), 1);
    out += name;
    put_number(out, 7, 1);
    put_number(out, value.size(), 2);
    out += value;
  }
  return out;
}

inline std::string wire_message(std::string_view headers, std::string_view payload) {
  std::string out;
  put_number(out, 16 + headers.size() + payload.size(), 4);
  put_number(out, headers.size(), 4);
  put_sum(out);
  out.append(headers).append(payload);
  put_sum(out);
  return out;
}

inline std::string wire_event(const std::string& name, std::string_view payload) {
  return wire_message(text_headers({{":event-type", name},
                                    {":content-type", "application/json"},
                                    {":message-type", "event"}}),
                      payload);
}

inline std::string wire_exception(const std::string& name, std::string_view payload) {
  return wire_message(text_headers({{":exception-type", name}, {":message-type", "exception"}}),
                      payload);
}

}  // namespace causeway::converse
