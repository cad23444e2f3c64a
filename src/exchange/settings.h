// The runner's own policy sections: how long a call may take, what is sent while a model thinks, and
// what happens when the caller leaves.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/policy.h"

namespace causeway::exchange {

struct TimeoutSettings {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds first_byte{120'000};
  std::chrono::milliseconds idle{120'000};
  std::chrono::milliseconds total{600'000};
};

struct StreamSettings {
  std::chrono::milliseconds heartbeat{15'000};  // of silence; 0 = none
};

enum class Disconnect : std::uint8_t {
  Cancel,  // the call is ended at once
  Drain,   // the answer is read to its end, within the caps, so that its usage is known
};

struct DisconnectSettings {
  Disconnect then = Disconnect::Cancel;
  std::chrono::milliseconds drain_time{60'000};
  std::uint64_t drain_bytes = 4 * 1024 * 1024;
};

/// Numbers of these sections, given by app/.
struct SettingKeys {
  SectionKey<TimeoutSettings> timeouts;
  SectionKey<StreamSettings> streams;
  SectionKey<DisconnectSettings> disconnects;
};

}  // namespace causeway::exchange
