// Finds what networks and places are addressed by: e-mail, IP, MAC, coordinates; and coins in
// Base58.
#pragma once

#include <cstdint>

#include "features/privacy/pii/candidate.h"

namespace causeway::pii {

/// Numbers of the rules in the book.
struct NetworkRules {
  std::uint32_t email, ip4, ip6, mac, decimal, degrees, base58;
  std::uint32_t version;  // a rule whose words speak against an address
};

class NetworkFinder {
 public:
  explicit NetworkFinder(const NetworkRules& rules) : rules_(rules) {}

  // Each looks at the character at `i`, and gives how far the text is done with.
  std::size_t at_sign(const Scene& scene, std::size_t i) const;
  std::size_t at_colon(const Scene& scene, std::size_t i) const;
  std::size_t at_dash(const Scene& scene, std::size_t i) const;
  /// `begin` is the first digit or letter of a group.
  void at_number(const Scene& scene, std::size_t begin, std::size_t end) const;

 private:
  void ip4(const Scene& scene, std::size_t begin) const;
  void decimal(const Scene& scene, std::size_t begin) const;
  void degrees(const Scene& scene, std::size_t begin) const;
  void dotted_mac(const Scene& scene, std::size_t begin) const;
  NetworkRules rules_;
};

}  // namespace causeway::pii
