// What a piece of text can give away, and the names of these kinds in settings, output and
// documents.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace causeway::pii {

enum class Kind : std::uint8_t {
  Email,
  Phone,
  Card,
  Iban,
  BankRouting,
  NationalId,
  Passport,
  DrivingLicence,
  TaxId,
  MedicalRecord,
  Insurance,
  BirthDate,
  Ip,
  Mac,
  Coordinates,
  UrlCredentials,
  CryptoAddress,
  ApiKey,
  PrivateKey,
  Person,
  Organisation,
  Address,
  Custom,  // own words and patterns
};

inline constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::Custom) + 1;

/// "email", "birth_date", …
std::string_view name_of(Kind kind);
std::optional<Kind> kind_named(std::string_view name);

/// A set of kinds; by default all of them.
class KindSet {
 public:
  static constexpr KindSet none() { return KindSet(0); }
  constexpr KindSet() = default;
  constexpr bool has(Kind kind) const { return (bits_ & bit(kind)) != 0; }
  constexpr KindSet& add(Kind kind) {
    bits_ |= bit(kind);
    return *this;
  }
  constexpr KindSet& drop(Kind kind) {
    bits_ &= ~bit(kind);
    return *this;
  }
  bool operator==(const KindSet&) const = default;

 private:
  explicit constexpr KindSet(std::uint32_t bits) : bits_(bits) {}
  static constexpr std::uint32_t bit(Kind kind) {
    return std::uint32_t{1} << static_cast<unsigned>(kind);
  }
  std::uint32_t bits_ = (std::uint32_t{1} << kKinds) - 1;
};

}  // namespace causeway::pii
