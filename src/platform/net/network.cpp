#include "platform/net/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace causeway::net {
namespace {

constexpr std::size_t kLongestLiteral = 45;  // INET6_ADDRSTRLEN without its zero

// An entry may have a port, and then IPv6 stands in brackets.
std::string_view without_port(std::string_view entry) {
  while (!entry.empty() && (entry.front() == ' ' || entry.front() == '\t')) entry.remove_prefix(1);
  while (!entry.empty() && (entry.back() == ' ' || entry.back() == '\t')) entry.remove_suffix(1);
  if (entry.starts_with('[')) return entry.substr(1, entry.find(']') - 1);
  if (std::ranges::count(entry, ':') == 1) return entry.substr(0, entry.find(':'));
  return entry;
}

}  // namespace

std::optional<AddressBytes> address_bytes(std::string_view literal) {
  if (literal.empty() || literal.size() > kLongestLiteral) return std::nullopt;
  std::array<char, kLongestLiteral + 1> text{};
  std::ranges::copy(literal, text.begin());
  AddressBytes bytes{};
  if (inet_pton(AF_INET, text.data(), bytes.data() + 12) == 1) {
    bytes[10] = bytes[11] = 0xFF;
    return bytes;
  }
  if (inet_pton(AF_INET6, text.data(), bytes.data()) == 1) return bytes;
  return std::nullopt;
}

Result<Network> Network::parse(std::string_view text) {
  const auto wrong = [&] {
    return fail(ErrorKind::InvalidRequest, Origin::Us,
                '"' + std::string(text.substr(0, 60)) +
                    "\" is no IP address and no network like 10.0.0.0/8 or 2001:db8::/32");
  };
  const std::size_t slash = text.find('/');
  const auto bytes = address_bytes(text.substr(0, slash));
  if (!bytes) return wrong();
  const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  Network network;
  network.bytes_ = *bytes;
  if (slash == std::string_view::npos) return network;
  const auto length = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, failed] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (failed != std::errc() || end != length.data() + length.size()) return wrong();
  if (bits > (v4 ? 32u : 128u)) return wrong();
  network.bits_ = static_cast<std::uint8_t>(bits + (v4 ? 96 : 0));
  return network;
}

bool Network::contains(const AddressBytes& address) const {
  const std::size_t whole = bits_ / 8;
  if (!std::equal(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.begin())) {
    return false;
  }
  const unsigned rest = bits_ % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF << (8 - rest));
  return ((bytes_[whole] ^ address[whole]) & mask) == 0;
}

bool in_any(std::span<const Network> networks, const AddressBytes& address) {
  return std::ranges::any_of(networks,
                             [&](const Network& network) { return network.contains(address); });
}

std::string_view client_address(std::string_view peer, std::string_view forwarded_for,
                                std::span<const Network> trusted) {
  const auto is_trusted = [&](std::string_view literal) {
    const auto bytes = address_bytes(literal);
    return bytes && in_any(trusted, *bytes);
  };
  if (trusted.empty() || !is_trusted(peer)) return peer;
  std::string_view known = peer;
  while (!forwarded_for.empty()) {
    const std::size_t comma = forwarded_for.rfind(',');
    const std::size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
    const std::string_view entry = without_port(forwarded_for.substr(begin));
    if (!address_bytes(entry)) break;
    known = entry;
    if (!is_trusted(entry)) break;
    forwarded_for = forwarded_for.substr(0, comma == std::string_view::npos ? 0 : comma);
  }
  return known;
}

}  // namespace causeway::net
