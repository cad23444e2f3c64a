#include "platform/http/client_request.h"

#include <algorithm>
#include <array>

#include "platform/http/detail/field.h"
#include "platform/text/number.h"

namespace causeway::http {
namespace {

constexpr std::array<bool, 256> kToken = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_token(std::string_view text) {
  bool token = !text.empty();
  for (const char c : text) token &= kToken[static_cast<unsigned char>(c)];
  return token;
}

bool is_target(std::string_view text) {
  return text.starts_with('/') &&
         std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

bool is_ours(std::string_view name) {
  switch (name.size()) {
    case 4:
      return same_name(name, "host");
    case 10:
      return same_name(name, "connection");
    case 14:
      return same_name(name, "content-length");
    case 17:
      return same_name(name, "transfer-encoding");
    case 19:
      return same_name(name, "proxy-authorization");
    default:
      return false;
  }
}

std::unexpected<Error> unsendable(std::string what) {
  return fail(ErrorKind::InvalidRequest, Origin::Us, std::move(what), "unsendable_request");
}

}  // namespace

Result<std::uint64_t> write_request_head(const Endpoint& endpoint, std::string_view authority,
                                         const ClientRequest& request, std::string& out) {
  out.clear();
  if (!is_token(request.method)) return unsendable("the method of a request is not a word");
  if (!is_target(request.target)) {
    return unsendable("the target of a request must begin with '/' and hold no space");
  }
  const bool by_proxy = !endpoint.proxy_host.empty() && !endpoint.tls;
  out.append(request.method).append(" ");
  if (by_proxy) out.append("http://").append(authority);
  out.append(request.target).append(" HTTP/1.1\r\n");
  detail::append_field(out, "Host", authority);
  for (const Field& field : request.fields) {
    if (is_ours(field.name)) continue;
    if (!is_token(field.name)) return unsendable("the name of a header field is not a word");
    if (!detail::is_field_value(field.value)) {
      return unsendable("the header field '" + std::string(field.name) +
                        "' holds a control character");
    }
    detail::append_field(out, field.name, field.value);
  }
  if (by_proxy && !endpoint.proxy_authorization.empty()) {
    const std::string_view value = endpoint.proxy_authorization.reveal();
    if (!detail::is_field_value(value))
      return unsendable("the proxy's credentials hold a control character");
    detail::append_field(out, "Proxy-Authorization", value);
  }
  std::optional<std::uint64_t> known = 0;
  for (const std::string_view piece : request.body) *known += piece.size();
  if (request.source) known = request.source->size();
  if (!known) {
    out.append("Transfer-Encoding: chunked\r\n\r\n");
    return 0;
  }
  const std::uint64_t length = *known;
  const Method method = method_of(request.method);
  const bool usually_none = method == Method::Get || method == Method::Head ||
                            method == Method::Delete || method == Method::Options;
  if (length > 0 || !usually_none) {
    out.append("Content-Length: ");
    text::append_int(out, length);
    out.append("\r\n");
  }
  out.append("\r\n");
  return length;
}

}  // namespace causeway::http
