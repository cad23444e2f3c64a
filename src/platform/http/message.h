// The parts of an HTTP message as everything above the wire sees them: views into the bytes that
// arrived, never copies. No sockets, no parser.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace causeway::http {

struct Field {
  std::string_view name;
  std::string_view value;
};

/// ASCII case-insensitive equality, as for field names.
bool same_letters(const char* a, const char* b, std::size_t size);
inline bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  // Most names of one length differ in their first letter.
  return a.empty() || (((a[0] ^ b[0]) & ~0x20) == 0 && same_letters(a.data(), b.data(), a.size()));
}

/// The first field of that name; nullopt when there is none.
std::optional<std::string_view> find(std::span<const Field> fields, std::string_view name);

enum class Method : std::uint8_t { Get, Head, Post, Put, Patch, Delete, Options, Other };

Method method_of(std::string_view text);
std::string_view to_string(Method method);

struct RequestHead {
  Method method = Method::Other;
  std::string_view method_text;
  std::string_view target;  // as sent, always begins with '/'
  std::string_view path;    // the target up to '?'; percent escapes left as they are
  std::string_view query;   // behind '?', may be empty
  std::span<const Field> fields;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool expects_continue = false;
  bool keep_alive = true;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  std::optional<std::string_view> find(std::string_view name) const {
    return http::find(fields, name);
  }
};

struct ResponseHead {
  int status = 0;
  std::span<const Field> fields;

  std::optional<std::string_view> find(std::string_view name) const {
    return http::find(fields, name);
  }
};

/// "Not Found" for 404; "Unknown" for a code without a phrase.
std::string_view reason_phrase(int status);

}  // namespace causeway::http
