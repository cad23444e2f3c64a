// What the configuration says about targets that are asked more than they can do.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "platform/config/describe.h"
#include "platform/config/values.h"

namespace causeway::overload {

/// Policy section `overload`. What is learnt of a target is shared by all policies; these bound it
/// for the requests that they apply to.
struct OverloadSettings {
  bool on = false;
  config::Map<std::uint32_t> concurrency;  // by glob of targets: known, not learnt
  std::uint32_t least = 4;       // requests of a target under way at once, however slow it is
  std::uint32_t most = 100'000;  // likewise, however fast
  double slower = 1.07;          // times as slow as when it has little to do: it has too much
  std::chrono::milliseconds wait{5'000};  // of a request, for places at all its targets
  std::uint32_t queue = 1000;             // requests of a target that wait
  double weight = 1;                      // of a tenant

  /// Of this target: the first that fits. Nothing: it is learnt.
  std::optional<std::uint32_t> concurrency_of(std::string_view target) const;
};
void describe(config::Fields& f, OverloadSettings& c);
inline constexpr config::Section<OverloadSettings> kOverload{"overload"};

}  // namespace causeway::overload
