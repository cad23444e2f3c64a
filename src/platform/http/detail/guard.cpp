#include "platform/http/detail/guard.h"

#include <algorithm>
#include <charconv>

namespace causeway::http::detail {
namespace {

bool refuse(Refusal& refusal, int status, std::string_view why) {
  refusal = {status, why};
  return false;
}

std::optional<std::uint64_t> plain_digits(std::string_view text) {
  std::uint64_t value = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Whether a comma-separated list holds the token, in any case.
bool lists(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (same_name(item, token)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

bool frame(std::span<const Field> fields, bool http10, Framing& framing, Refusal& refusal) {
  framing = {};
  framing.http10 = http10;
  bool close = false, keep = false;
  int encodings = 0;
  for (const Field& field : fields) {
    switch (field.name.size()) {
      case 14:
        if (!same_name(field.name, "content-length")) break;
        if (framing.content_length) return refuse(refusal, 400, "more than one Content-Length");
        framing.content_length = plain_digits(field.value);
        if (!framing.content_length) return refuse(refusal, 400, "Content-Length is not a number");
        break;
      case 17:
        if (!same_name(field.name, "transfer-encoding")) break;
        if (++encodings > 1) return refuse(refusal, 400, "more than one Transfer-Encoding");
        if (!same_name(field.value, "chunked")) {
          return refuse(refusal, 501, "only the transfer encoding 'chunked' is supported");
        }
        framing.chunked = true;
        break;
      case 10:
        if (!same_name(field.name, "connection")) break;
        close = close || lists(field.value, "close");
        keep = keep || lists(field.value, "keep-alive");
        break;
      default:
        break;
    }
  }
  if (framing.chunked && framing.content_length) {
    return refuse(refusal, 400, "Content-Length and Transfer-Encoding exclude each other");
  }
  if (framing.chunked && http10) return refuse(refusal, 400, "HTTP/1.0 has no Transfer-Encoding");
  framing.keep_alive = !close && (!http10 || keep);
  return true;
}

bool check_request(std::string_view target, std::span<const Field> fields, bool http10,
                   Refusal& refusal) {
  if (target.empty() || target.front() != '/') {
    return refuse(refusal, 400, "the request target must be a path that begins with '/'");
  }
  const auto foreign = [](unsigned char c) { return c <= ' ' || c >= 0x7f || c == '#'; };
  if (std::any_of(target.begin(), target.end(), foreign)) {
    return refuse(refusal, 400, "the request target holds a character that a URI must not hold");
  }
  int hosts = 0;
  for (const Field& field : fields) hosts += same_name(field.name, "host");
  if (hosts > 1 || (hosts == 0 && !http10)) {
    return refuse(refusal, 400, "there must be exactly one Host field");
  }
  return true;
}

}  // namespace causeway::http::detail
