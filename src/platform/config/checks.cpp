#include "platform/config/checks.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace causeway::config {
namespace {

constexpr std::size_t kMaxNameLength = 64;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size();
}

// A name, an IPv4 address, or an IPv6 address in brackets; whether it exists is not known here.
bool is_host(std::string_view text) {
  const bool six = text.starts_with('[') && text.ends_with(']');
  if (six) text = text.substr(1, text.size() - 2);
  const auto fits = [six](char c) {
    return is_plain(c) || c == '.' || (six ? c == ':' || c == '%' : c == '-' || c == '_');
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

std::string check_name(const std::string& text) {
  const auto fits = [](char c) { return is_plain(c) || c == '.' || c == '_' || c == '-'; };
  if (!text.empty() && text.size() <= kMaxNameLength && is_plain(text.front()) &&
      std::all_of(text.begin(), text.end(), fits)) {
    return {};
  }
  return "must be 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit";
}

std::string check_address(const std::string& text) {
  const std::string_view all = text;
  const std::size_t colon = all.rfind(':');
  if (colon != std::string_view::npos && is_host(all.substr(0, colon)) &&
      is_port(all.substr(colon + 1))) {
    return {};
  }
  return "must be address:port, such as 127.0.0.1:8080 or \"[::1]:8080\"";
}

std::string check_url(const std::string& text) {
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return "must begin with http:// or https://";
  }
  const auto is_odd = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
  if (std::any_of(rest.begin(), rest.end(), is_odd)) return "must not hold spaces";
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) return "must not hold a user or password";
  const std::size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && authority.back() != ']';
  if (!is_host(authority.substr(0, has_port ? colon : authority.size())) ||
      (has_port && !is_port(authority.substr(colon + 1)))) {
    return "must have a valid host and port";
  }
  return {};
}

}  // namespace causeway::config
