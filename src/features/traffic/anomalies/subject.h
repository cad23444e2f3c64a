// Who may be blocked: an address (IPv6: the /64 it is in, which one subscriber has), a user of a
// tenant, a key, or a network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "features/traffic/anomalies/config.h"
#include "platform/base/error.h"
#include "platform/crypto/siphash.h"
#include "platform/net/network.h"

namespace causeway::anomalies {

/// By which a subject is found; made with a secret, so that nobody can choose whom to collide with.
using Mark = std::uint64_t;

class Marks {
 public:
  Mark of_address(const net::AddressBytes& address) const;
  /// Tenant "" = of any tenant, which only an operator says.
  Mark of_user(std::string_view tenant, std::string_view user) const;
  Mark of_key(std::string_view name) const;

 private:
  Mark of(char kind, std::string_view first, std::string_view second) const;
  crypto::SipHash sip_;
};

/// A subject as people write it: "192.0.2.7", "2001:db8::/64", "10.0.0.0/8", "user:ana", "key:ci".
struct Subject {
  Kind kind = Kind::Address;
  std::string who;                      // in its one spelling
  std::string tenant;                   // of a user; "" = any
  std::optional<net::Network> network;  // of an address that stands for more than itself
  Mark mark(const Marks& marks) const;
};

/// Whether a network is wider than operators may block: more than a /8 of IPv4 or a /16 of IPv6, or
/// an IPv6 network that holds all of IPv4.
bool is_too_wide(const Subject& subject);

/// Error: InvalidRequest "invalid_block", for whoever wrote it.
Result<Subject> parse_subject(std::string_view text, std::string_view tenant);

Subject subject_of(const net::AddressBytes& address);
/// A name that no person could write back (too long, with control characters) goes by its SHA-256.
Subject subject_of_user(std::string_view tenant, std::string_view user);
Subject subject_of_key(std::string_view name);

}  // namespace causeway::anomalies
