// What the configuration says about models that are asked more than they can do.
#pragma once

#include <chrono>
#include <cstdint>

#include "platform/config/describe.h"
#include "platform/config/values.h"

namespace causeway::overload {

/// Policy section `overload`. What is learnt of a model is shared by all policies; these bound it
/// for the requests that they apply to.
struct OverloadSettings {
  bool on = false;
  std::uint32_t least = 8;    // requests of a model under way at once, however slow it is
  std::uint32_t most = 1000;  // likewise, however fast
  double slower = 1.15;       // times as slow as when it has little to do: it has too much
  std::chrono::milliseconds wait{5'000};  // for a place
  std::uint32_t queue = 1000;             // requests of a model that wait
  double weight = 1;                      // of a tenant among those that wait
};
void describe(config::Fields& f, OverloadSettings& c);
inline constexpr config::Section<OverloadSettings> kOverload{"overload"};

}  // namespace causeway::overload
