#include "platform/http/client_proxy.h"

#include <arpa/inet.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>

#include "platform/text/ascii.h"

namespace causeway::http {
namespace {

/// An address as its bytes, IPv4 as IPv4-mapped IPv6, so that both are compared the same way.
struct Ip {
  std::array<unsigned char, 16> bytes{};
  bool v4 = false;
};

std::optional<Ip> parse_ip(std::string_view text) {
  const std::string literal(text);
  Ip ip;
  if (inet_pton(AF_INET, literal.c_str(), ip.bytes.data() + 12) == 1) {
    ip.bytes[10] = ip.bytes[11] = 0xff;
    ip.v4 = true;
    return ip;
  }
  if (inet_pton(AF_INET6, literal.c_str(), ip.bytes.data()) == 1) return ip;
  return std::nullopt;
}

bool same_prefix(const Ip& a, const Ip& b, int bits) {
  const int whole = bits / 8, rest = bits % 8;
  if (std::memcmp(a.bytes.data(), b.bytes.data(), static_cast<std::size_t>(whole)) != 0) {
    return false;
  }
  if (rest == 0) return true;
  const int mask = 0xff << (8 - rest);
  return ((a.bytes[whole] ^ b.bytes[whole]) & mask & 0xff) == 0;
}

bool in_range(std::string_view range, const std::optional<Ip>& host) {
  const std::size_t slash = range.find('/');
  const auto base = parse_ip(range.substr(0, slash));
  const auto bits = text::parse_int<int>(range.substr(slash + 1));
  if (!host || !base || !bits || *bits < 0 || *bits > (base->v4 ? 32 : 128)) return false;
  return base->v4 == host->v4 && same_prefix(*base, *host, *bits + (base->v4 ? 96 : 0));
}

/// Takes ":port" off; nullopt when there is none.
std::optional<std::uint16_t> take_port(std::string_view& entry) {
  std::optional<std::uint16_t> port;
  if (entry.starts_with('[')) {
    const std::size_t end = entry.find(']');
    if (end == std::string_view::npos) return port;
    if (entry.substr(end + 1).starts_with(':')) {
      port = text::parse_int<std::uint16_t>(entry.substr(end + 2));
    }
    entry = entry.substr(1, end - 1);
    return port;
  }
  const std::size_t colon = entry.find(':');
  if (colon == std::string_view::npos || entry.find(':', colon + 1) != std::string_view::npos) {
    return port;  // none, or an IPv6 address
  }
  port = text::parse_int<std::uint16_t>(entry.substr(colon + 1));
  entry = entry.substr(0, colon);
  return port;
}

bool names(std::string_view entry, std::string_view host, const std::optional<Ip>& ip,
           std::uint16_t port) {
  if (entry == "*") return true;
  if (entry.find('/') != std::string_view::npos) return in_range(entry, ip);
  if (const auto only = take_port(entry); only && *only != port) return false;
  if (const auto address = parse_ip(entry)) return ip && address->bytes == ip->bytes;
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.empty() || ip) return false;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (text::equals_ignore_case(host, entry)) return true;
  return text::ends_with_ignore_case(host, entry) && host[host.size() - entry.size() - 1] == '.';
}

bool is_loopback(std::string_view host) {
  if (text::equals_ignore_case(host, "localhost") ||
      text::ends_with_ignore_case(host, ".localhost")) {
    return true;
  }
  return in_range("127.0.0.0/8", parse_ip(host)) || in_range("::1/128", parse_ip(host));
}

std::optional<std::string> variable(const Environment& environment, const char* lower,
                                    const char* upper) {
  auto value = environment(lower);
  if (!value || value->empty()) value = environment(upper);
  if (value && value->empty()) value.reset();
  return value;
}

std::unexpected<Error> bad_proxy(const std::string& variable_name, std::string why) {
  // Never the value: it may hold a password.
  return fail(ErrorKind::InvalidRequest, Origin::Us, variable_name + ": " + std::move(why),
              "bad_proxy");
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const char* digits = text.data() + i + 1;
    if (i + 2 >= text.size()) return std::nullopt;
    if (const auto [end, error] = std::from_chars(digits, digits + 2, value, 16);
        error != std::errc() || end != digits + 2) {
      return std::nullopt;
    }
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // the call ends its text with a NUL
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace

bool excluded_from_proxy(std::string_view list, std::string_view host, std::uint16_t port) {
  const auto ip = parse_ip(host);
  while (!list.empty()) {
    const std::size_t end = list.find_first_of(", \t");
    const std::string_view entry = list.substr(0, end);
    if (!entry.empty() && names(entry, host, ip, port)) return true;
    if (end == std::string_view::npos) break;
    list.remove_prefix(end + 1);
  }
  return false;
}

Result<void> proxy_from_environment(Endpoint& endpoint, const Environment& environment) {
  if (!endpoint.unix_path.empty() || is_loopback(endpoint.host)) return {};
  const std::string name = endpoint.tls ? "HTTPS_PROXY" : "HTTP_PROXY";
  const auto value =
      variable(environment, endpoint.tls ? "https_proxy" : "http_proxy", name.c_str());
  if (!value) return {};
  const auto excluded = variable(environment, "no_proxy", "NO_PROXY");
  if (excluded && excluded_from_proxy(*excluded, endpoint.host, endpoint.port)) return {};

  std::string_view rest = *value;
  if (text::starts_with_ignore_case(rest, "http://")) {
    rest.remove_prefix(7);
  } else if (rest.find("://") != std::string_view::npos) {
    return bad_proxy(name, "only proxies of the form http://host:port can be used");
  }
  Secret authorization;
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const auto user = percent_decode(rest.substr(0, at));
    if (!user)
      return bad_proxy(name, "the user or password is not percent-encoded as it should be");
    authorization = Secret("Basic " + base64(*user));
    rest.remove_prefix(at + 1);
  }
  std::string path;
  auto proxy = parse_url("http://" + std::string(rest), path);
  if (!proxy) return bad_proxy(name, proxy.error().message);
  endpoint.proxy_host = proxy->host;
  endpoint.proxy_port = proxy->port;
  endpoint.proxy_authorization = std::move(authorization);
  endpoint.id = endpoint_id(endpoint);
  return {};
}

}  // namespace causeway::http
