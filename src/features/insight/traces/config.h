// Policy section `traces`: what is recorded of whom; and the top-level section `traces`: how much
// and how long.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "platform/config/describe.h"

namespace causeway::traces {

enum class Words : std::uint8_t { Off, On };
inline config::Names<Words> names_of(Words) { return {{"off", Words::Off}, {"on", Words::On}}; }

/// What is recorded although it is not in the sample.
enum class Always : std::uint8_t { Errors, Slow };
inline config::Names<Always> names_of(Always) {
  return {{"errors", Always::Errors}, {"slow", Always::Slow}};
}

struct TraceSettings {
  bool off = false;
  Words contents = Words::Off;
  std::string sample = "100%";
  std::vector<Always> always;
  std::chrono::milliseconds slow{10'000};
  mutable double share = 1;  // `sample` as a number; made when it is read

  bool always_has(Always what) const;
};

void describe(config::Fields& f, TraceSettings& c);
inline constexpr config::Section<TraceSettings> kTraces{"traces"};

struct KeepSettings {
  std::chrono::seconds keep = std::chrono::days(30);
  config::Bytes max_size{2 * config::kGiB};
  std::uint32_t per_second = 500;  // of those that went well, and as many others; 0 = all
};

void describe(config::Fields& f, KeepSettings& c);

}  // namespace causeway::traces
