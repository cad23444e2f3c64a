#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"
#include "platform/http/client.h"
#include "platform/text/ascii.h"

namespace causeway::http {
namespace {

constexpr std::size_t kMaxHost = 253;  // RFC 1035: the longest name

bool is_ip_v6(const std::string& host) {
  in6_addr ignored;
  return inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

bool is_name(std::string_view host) {
  if (host.empty() || host.size() > kMaxHost || host.front() == '.' || host.front() == '-') {
    return false;
  }
  if (host.find("..") != std::string_view::npos) return false;
  return std::ranges::all_of(host, [](char c) {
    const char lower = text::to_lower(c);
    return (lower >= 'a' && lower <= 'z') || text::is_digit(c) || c == '-' || c == '.' || c == '_';
  });
}

std::unexpected<Error> bad_url(std::string why) {
  return fail(ErrorKind::InvalidRequest, Origin::Us, "not a usable URL: " + std::move(why));
}

/// Takes "host[:port]" or "[v6][:port]" apart; `port` keeps its value where the text names none.
Result<void> split_authority(std::string_view authority, std::string& host, std::uint16_t& port) {
  std::string_view name = authority;
  std::string_view port_text;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return bad_url("'[' without ']'");
    name = authority.substr(1, end - 1);
    std::string_view rest = authority.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return bad_url("text behind ']'");
    has_port = !rest.empty();
    if (has_port) port_text = rest.substr(1);
    if (!is_ip_v6(std::string(name))) return bad_url("the host in brackets is not an IPv6 address");
  } else {
    const std::size_t colon = authority.find(':');
    has_port = colon != std::string_view::npos;
    name = authority.substr(0, colon);
    if (has_port) port_text = authority.substr(colon + 1);
    if (name.empty()) return bad_url("no host");
    if (!is_name(name)) {
      return bad_url("the host may hold letters, digits, '-', '_' and '.' only");
    }
  }
  if (has_port) {
    const auto number = text::parse_int<std::uint16_t>(port_text);
    if (!number || *number == 0) return bad_url("the port must be a number from 1 to 65535");
    port = *number;
  }
  host = text::to_lower(name);
  return {};
}

}  // namespace

std::string Endpoint::authority() const {
  std::string out;
  if (host.empty()) {
    out = "localhost";
  } else if (is_ip_v6(host)) {
    out = "[" + host + "]";
  } else {
    out = host;
  }
  const int standard_port = tls ? 443 : 80;
  if (unix_path.empty() && port != standard_port) out += ":" + std::to_string(port);
  return out;
}

std::string endpoint_id(const Endpoint& endpoint) {
  std::string id = endpoint.tls ? "https://" : "http://";
  id += endpoint.host.find(':') == std::string::npos ? endpoint.host : "[" + endpoint.host + "]";
  id += ":" + std::to_string(endpoint.port);
  if (!endpoint.address.empty()) id += " at=" + endpoint.address;
  if (!endpoint.unix_path.empty()) id += " unix=" + endpoint.unix_path;
  if (!endpoint.ca_file.empty()) id += " ca=" + endpoint.ca_file;
  if (!endpoint.proxy_host.empty()) {
    id += " proxy=" + endpoint.proxy_host + ":" + std::to_string(endpoint.proxy_port);
    if (!endpoint.proxy_authorization.empty()) {
      // Tells two secrets apart without showing one: ids may be logged.
      const auto digest = crypto::sha256(endpoint.proxy_authorization.reveal());
      id += "#" + crypto::to_hex(crypto::view(digest).substr(0, 8));
    }
  }
  return id;
}

Result<Endpoint> parse_url(std::string_view url, std::string& path) {
  Endpoint endpoint;
  for (char c : url) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) {
      return bad_url("it holds a space or a control character");
    }
  }
  std::string_view rest = url;
  if (text::starts_with_ignore_case(rest, "https://")) {
    endpoint.tls = true;
    rest.remove_prefix(8);
  } else if (text::starts_with_ignore_case(rest, "http://")) {
    rest.remove_prefix(7);
  } else {
    return bad_url("it must begin with http:// or https://");
  }
  if (rest.find_first_of("?#") != std::string_view::npos) {
    return bad_url("it must not hold '?' or '#'");
  }
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) {
    return bad_url("a user or password does not belong into it");
  }
  endpoint.port = endpoint.tls ? 443 : 80;
  if (auto split = split_authority(authority, endpoint.host, endpoint.port); !split) {
    return pass(std::move(split));
  }
  std::string_view tail = rest.substr(slash);
  while (tail.ends_with('/')) tail.remove_suffix(1);
  path = tail;
  endpoint.id = endpoint_id(endpoint);
  return endpoint;
}

}  // namespace causeway::http
