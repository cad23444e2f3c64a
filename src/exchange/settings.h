// The runner's own policy sections: how long a call may take, what is sent while a model thinks,
// and what happens when the caller leaves.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/policy.h"
#include "core/section_table.h"

namespace causeway::exchange {

struct TimeoutSettings {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds first_byte{120'000};
  std::chrono::milliseconds idle{120'000};
  std::chrono::milliseconds total{600'000};
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

/// What happens to a field of a request that changes the answer and that the target's dialect
/// cannot say.
enum class Unsupported : std::uint8_t { Refuse, Drop };

inline config::Names<Unsupported> names_of(Unsupported) {
  return {{"refuse", Unsupported::Refuse}, {"drop", Unsupported::Drop}};
}

struct TranslationSettings {
  Unsupported unsupported = Unsupported::Refuse;
};

/// What is done where no target answered (exchange/tries.h).
struct RetrySettings {
  std::uint32_t attempts = 2;              // at the same target, behind the first
  std::chrono::milliseconds wait{10'000};  // of one request, in all
  double budget = 0.2;                     // of the requests
  bool unsure = false;                     // also where the target may have worked on it
  bool goes_on = false;                    // an answer that is cut is continued by another target
  std::vector<std::string> prefill;        // targets that go on with an assistant's message
  bool content_filtered = false;           // another target is tried where one refuses the content
};

void describe(config::Fields& f, RetrySettings& c);
void describe(config::Fields& f, TranslationSettings& c);
void describe(config::Fields& f, TimeoutSettings& c);
void describe(config::Fields& f, DisconnectSettings& c);

inline constexpr config::Section<TimeoutSettings> kTimeouts{"timeouts"};
inline constexpr config::Section<std::chrono::milliseconds> kHeartbeat{"heartbeat"};
inline constexpr config::Section<DisconnectSettings> kDisconnect{"disconnect"};

inline constexpr config::Section<RetrySettings> kRetries{"retries"};
inline constexpr config::Section<TranslationSettings> kTranslation{"translation"};

/// Numbers of these sections.
struct SettingKeys {
  SectionKey<TimeoutSettings> timeouts;
  SectionKey<std::chrono::milliseconds> heartbeat;  // of silence; 0 = none
  SectionKey<DisconnectSettings> disconnects;
  SectionKey<TranslationSettings> translation;
  SectionKey<RetrySettings> retries;
};

SettingKeys register_settings(SectionTable& sections);

}  // namespace causeway::exchange
