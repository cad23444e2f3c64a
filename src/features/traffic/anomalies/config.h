// Section `anomalies` of the file: who asks far more than is usual is left outside for a while.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "platform/config/describe.h"
#include "platform/config/values.h"

namespace causeway::anomalies {

/// Whom a block is about.
enum class Kind : std::uint8_t { Address, User, Key };
inline constexpr std::size_t kKinds = 3;
inline config::Names<Kind> names_of(Kind) {
  return {{"address", Kind::Address}, {"user", Kind::User}, {"key", Kind::Key}};
}

struct AnomalySettings {
  /// Off unless it is written down: which rate is an attack depends on who calls. Where all
  /// requests come through one proxy that is not in server.trusted_proxies, all have one address.
  bool on = false;
  std::uint32_t floor = 100;  // requests in ten seconds that are never too many
  double factor = 10;         // times what is usual
  std::vector<Kind> watch{Kind::Address, Kind::User};
  std::chrono::milliseconds first{60'000};        // length of the first block
  std::chrono::milliseconds longest{86'400'000};  // no block is longer
  std::chrono::milliseconds forget{21'600'000};   // good behaviour after which a step is forgiven
  std::vector<std::string> exempt;                // addresses and networks that are not watched
  std::uint32_t subjects = 65'536;                // of whom what is usual is kept

  bool operator==(const AnomalySettings&) const = default;
};
void describe(config::Fields& f, AnomalySettings& c);

}  // namespace causeway::anomalies
