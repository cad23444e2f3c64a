// A range of IP addresses: "10.0.0.0/8", "2001:db8::/32", or one address. IPv4 is looked at as the
// part of IPv6 that stands for it, so that "::ffff:10.0.0.1" is in 10.0.0.0/8.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway::net {

/// The 16 bytes of an address as text ("127.0.0.1", "::1", no brackets, no zone); nothing for any
/// other text.
using AddressBytes = std::array<std::uint8_t, 16>;
std::optional<AddressBytes> address_bytes(std::string_view literal);

class Network {
 public:
  /// Error: InvalidRequest, with a message for whoever wrote it.
  static Result<Network> parse(std::string_view text);
  bool contains(const AddressBytes& address) const;

 private:
  AddressBytes bytes_{};
  std::uint8_t bits_ = 128;
};

bool in_any(std::span<const Network> networks, const AddressBytes& address);

/// Who is behind proxies: `peer`, or where that is one of `trusted`, the last entry of
/// X-Forwarded-For that is none of them. What is no address ends the search: the proxy that wrote
/// it is the last that is known. A view into one of both.
std::string_view client_address(std::string_view peer, std::string_view forwarded_for,
                                std::span<const Network> trusted);

}  // namespace causeway::net
