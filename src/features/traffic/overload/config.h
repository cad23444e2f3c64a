// What the configuration says about models that are asked more than they can do.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "platform/config/describe.h"
#include "platform/config/values.h"

namespace causeway::overload {

/// Policy section `overload`. What is learnt of a model is shared by all policies; these bound it
/// for the requests that they apply to.
struct OverloadSettings {
  bool on = false;
  std::optional<std::uint32_t> concurrency;  // known, not learnt
  std::uint32_t least = 4;       // requests of a model under way at once, however slow it is
  std::uint32_t most = 100'000;  // likewise, however fast
  double slower = 1.07;          // times as slow as when it has little to do: it has too much
  std::chrono::milliseconds wait{5'000};  // for a place
  std::uint32_t queue = 1000;             // requests of a model that wait
  double weight = 1;                      // of a tenant
};
void describe(config::Fields& f, OverloadSettings& c);
inline constexpr config::Section<OverloadSettings> kOverload{"overload"};

}  // namespace causeway::overload
