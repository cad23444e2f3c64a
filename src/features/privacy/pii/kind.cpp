#include "features/privacy/pii/kind.h"

#include <algorithm>

namespace causeway::pii {
namespace {

constexpr std::array<std::string_view, kKinds> kNames = {"email",
                                                         "phone",
                                                         "card",
                                                         "iban",
                                                         "bank_routing",
                                                         "national_id",
                                                         "passport",
                                                         "driving_licence",
                                                         "tax_id",
                                                         "medical_record",
                                                         "insurance",
                                                         "birth_date",
                                                         "ip",
                                                         "mac",
                                                         "coordinates",
                                                         "url_credentials",
                                                         "crypto_address",
                                                         "api_key",
                                                         "private_key",
                                                         "person",
                                                         "organisation",
                                                         "address",
                                                         "custom"};

}  // namespace

std::string_view name_of(Kind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<Kind> kind_named(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Kind>(found - kNames.begin());
}

}  // namespace causeway::pii
