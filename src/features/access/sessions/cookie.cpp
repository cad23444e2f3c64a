#include "features/access/sessions/cookie.h"

#include <algorithm>

#include "platform/text/ascii.h"

namespace causeway::sessions {

std::string_view session_of(const http::RequestHead& head) {
  for (const auto& field : head.fields) {
    if (!http::same_name(field.name, "cookie")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(';'), rest.size());
      const auto pair = text::trim(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (pair.starts_with(kCookie) && pair.substr(kCookie.size()).starts_with('=')) {
        return pair.substr(kCookie.size() + 1);
      }
    }
  }
  return {};
}

bool from_own_page(const http::RequestHead& head) {
  const auto origin = head.find("origin");
  if (!origin) return true;
  const auto scheme = origin->find("://");
  if (scheme == std::string_view::npos) return false;  // "null": a page that hides where it is from
  const auto host = origin->substr(scheme + 3);
  // What ends TLS in front may call us by another name, and says here how it was called. A page of
  // another host cannot set this field.
  for (const char* name : {"host", "x-forwarded-host"}) {
    if (const auto own = head.find(name); own && http::same_name(*own, host)) return true;
  }
  return false;
}

std::string set_cookie(std::string_view session, long long seconds, const http::RequestHead* head) {
  std::string cookie(kCookie);
  cookie.append("=").append(session).append("; Path=/; HttpOnly; SameSite=Strict; Max-Age=");
  cookie += std::to_string(seconds);
  const auto scheme = head ? head->find("x-forwarded-proto") : std::nullopt;
  if (scheme && http::same_name(text::trim(*scheme), "https")) cookie += "; Secure";
  return cookie;
}

}  // namespace causeway::sessions
