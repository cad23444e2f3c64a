#include "platform/redis/settings.h"

#include <algorithm>

#include "platform/text/ascii.h"
#include "platform/text/percent.h"

namespace causeway::redis {
namespace {

std::unexpected<Error> bad(std::string why) {
  return fail(ErrorKind::InvalidRequest, Origin::Us, "not a usable Redis URL: " + std::move(why));
}

Result<void> take_credentials(std::string_view part, Settings& out) {
  const std::size_t colon = part.find(':');
  if (colon == std::string_view::npos) return bad("user without ':password'");
  out.user = text::percent_decoded(part.substr(0, colon));
  out.password = Secret(text::percent_decoded(part.substr(colon + 1)));
  if (!out.user.empty() && out.password.empty()) return bad("user without a password");
  return {};
}

Result<void> take_database(std::string_view part, Settings& out) {
  const auto number = text::parse_int<std::uint32_t>(part);
  if (!number) return bad("the database must be a number");
  out.database = *number;
  return {};
}

Result<Settings> parse_unix(std::string_view path) {
  Settings out;
  const std::size_t query = path.find('?');
  out.unix_path = path.substr(0, query);
  if (!out.unix_path.starts_with('/') || out.unix_path.size() < 2) {
    return bad("unix:// must be followed by an absolute path");
  }
  if (out.unix_path.size() > 107) return bad("the path of a Unix socket has at most 107 bytes");
  if (query == std::string_view::npos) return out;
  path.remove_prefix(query + 1);
  if (!path.starts_with("db=")) return bad("after '?' only db=NUMBER is known");
  if (auto taken = take_database(path.substr(3), out); !taken) return pass(std::move(taken));
  return out;
}

Result<void> take_address(std::string_view address, Settings& out) {
  std::string_view port;
  if (address.starts_with('[')) {
    const std::size_t end = address.find(']');
    if (end == std::string_view::npos) return bad("'[' without ']'");
    out.host = address.substr(1, end - 1);
    port = address.substr(end + 1);
  } else {
    const std::size_t colon = address.find(':');
    out.host = address.substr(0, colon);
    if (colon != std::string_view::npos) port = address.substr(colon);
  }
  const bool usable = std::ranges::all_of(out.host, [](char c) {
    const char lower = text::to_lower(c);
    return (lower >= 'a' && lower <= 'z') || text::is_digit(c) || c == '-' || c == '.' ||
           c == '_' || c == ':';
  });
  if (out.host.empty() || out.host.size() > 253 || !usable) return bad("no usable host");
  if (port.empty()) return {};
  const auto number = text::parse_int<std::uint16_t>(port.substr(1));
  if (port.front() != ':' || !number || *number == 0) {
    return bad("the port must be a number from 1 to 65535");
  }
  out.port = *number;
  return {};
}

}  // namespace

std::string Settings::place() const {
  if (!unix_path.empty()) return "unix://" + unix_path;
  const bool v6 = host.find(':') != std::string::npos;
  return (tls ? "rediss://" : "redis://") + (v6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port) + "/" + std::to_string(database);
}

Result<Settings> parse_url(std::string_view url) {
  if (url.starts_with("unix://")) return parse_unix(url.substr(7));
  Settings out;
  out.tls = url.starts_with("rediss://");
  if (!out.tls && !url.starts_with("redis://")) {
    return bad("it must begin with redis://, rediss:// or unix://");
  }
  std::string_view rest = url.substr(out.tls ? 9 : 8);
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    if (auto taken = take_credentials(rest.substr(0, at), out); !taken) {
      return pass(std::move(taken));
    }
    rest.remove_prefix(at + 1);
  }
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos && slash + 1 < rest.size()) {
    if (auto taken = take_database(rest.substr(slash + 1), out); !taken) {
      return pass(std::move(taken));
    }
  }
  if (auto taken = take_address(rest.substr(0, slash), out); !taken) return pass(std::move(taken));
  return out;
}

}  // namespace causeway::redis
