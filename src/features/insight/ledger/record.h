// One settled exchange in a fixed number of bytes, names included, so that it can be written to the
// journal with one copy and read back after any crash. Money is whole nanodollars here, so that the
// cost of a short embedding does not round to nothing; people see whole microdollars.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "core/usage.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"

namespace causeway::ledger {

/// Nanodollars (10^-9). 2^63 of them are nine billion dollars.
using Nanos = std::int64_t;
/// Half a microdollar and more counts as one.
constexpr std::int64_t to_micros(Nanos nanos) { return (nanos + (nanos < 0 ? -500 : 500)) / 1000; }

enum class Name : std::uint8_t { Key, Tenant, Model, Provider, Upstream };
constexpr std::size_t kNames = 5;
/// Most bytes of a name that are kept; a longer one keeps its beginning and ends in '~' and a hash,
/// so that two of them stay two.
constexpr std::array<std::uint8_t, kNames> kMostNameBytes = {36, 40, 40, 20, 40};

/// What the ledger is told of an exchange. Times are not negative; names are UTF-8.
struct Settlement {
  std::string_view key;  // key id
  std::string_view tenant;
  std::string_view model;     // as the application asked; empty where it is no model of ours
  std::string_view provider;  // empty where no target was tried
  std::string_view upstream;  // the provider's name of the model
  Usage usage;
  std::uint32_t tokens_saved = 0;  // that were not sent
  std::optional<Nanos> cost;       // nothing = unknown, which is not 0
  int status = 0;                  // as sent to the caller
  std::optional<ErrorKind> error;
  bool streamed = false;
  bool cut_by_client = false;
  bool lost =
      false;  // of an attempt whose answer nobody got; its request is settled by another one
  Wall time{};
  std::chrono::nanoseconds duration{0};
  std::chrono::nanoseconds to_first{0};  // 0 = no content was sent
};

constexpr std::size_t kTokenKinds = 7;  // in the order of Usage's members

struct Record {
  enum Flags : std::uint8_t {
    kCostKnown = 1,
    kStreamed = 2,
    kCutByClient = 4,
    kFailed = 8,
    kLost = 16
  };

  std::uint64_t sequence;
  std::uint32_t checksum;  // of all other bytes
  std::uint16_t version;
  std::uint16_t status;
  std::int64_t time_us;  // since 1970, UTC
  Nanos cost;
  std::array<std::uint32_t, kTokenKinds> tokens;
  std::uint32_t duration_us;  // at most 71 minutes; longer shows as that
  std::uint32_t to_first_us;
  std::uint8_t flags;
  std::uint8_t source;                       // UsageSource
  std::uint8_t error;                        // ErrorKind, with kFailed
  std::array<std::uint8_t, kNames> lengths;  // of the names, which follow each other in `names`
  // The last four bytes are the tokens saved. Records of version 1, which knew none, may have a
  // name there: their upstream may take 44 bytes.
  std::array<char, 180> names;

  std::string_view name(Name which) const;
  std::uint32_t tokens_saved() const;
};
static_assert(sizeof(Record) == 256 && std::is_trivially_copyable_v<Record>);

Record make_record(const Settlement& settlement);
/// Over everything but the checksum itself; finds torn and foreign bytes, is no protection against
/// an attacker.
std::uint32_t checksum_of(const Record& record);
/// Whether the record is whole and its lengths make sense.
bool sound(const Record& record);

}  // namespace causeway::ledger
