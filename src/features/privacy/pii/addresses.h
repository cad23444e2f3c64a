// Finds postal addresses: a street with its number in the manner of six languages, and what follows
// it (flat, city, state, postcode); boxes; postcodes by themselves.
#pragma once

#include <cstdint>

#include "features/privacy/pii/candidate.h"

namespace causeway::pii {

struct AddressRules {
  std::uint32_t en, de, fr, south, box, postcode;
};

class AddressFinder {
 public:
  explicit AddressFinder(const AddressRules& rules) : rules_(rules) {}

  /// A group with digits in it: "221B Baker Street", "12 rue de la Paix", "75002 Paris".
  void at_number(const Scene& scene, std::size_t begin, std::size_t end) const;
  /// A word with a capital: "Hauptstraße 5", "Calle Mayor 12", "PO Box 12".
  void at_word(const Scene& scene, std::size_t begin, std::size_t end) const;

 private:
  void town(const Scene& scene, std::size_t begin, std::size_t end) const;
  AddressRules rules_;
};

}  // namespace causeway::pii
