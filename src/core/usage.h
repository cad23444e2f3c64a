// Tokens of one answer by kind, in the neutral form that every dialect's own sums are derived from.
// A kind that was not reported is 0; `source` says whether anything was reported at all.
#pragma once

#include <cstdint>

namespace causeway {

enum class UsageSource : std::uint8_t {
  None,       // nothing known
  Reported,   // by the provider
  Estimated,  // by us, because the answer was cut or the provider reports nothing
  Saved,      // in the ledger: nothing was used, since the answer was there already
};

struct Usage {
  UsageSource source = UsageSource::None;
  std::uint32_t input_uncached = 0;
  std::uint32_t cache_read = 0;
  std::uint32_t cache_write = 0;
  std::uint32_t output_visible = 0;
  std::uint32_t reasoning = 0;
  std::uint32_t audio_in = 0;   // part of input_uncached
  std::uint32_t audio_out = 0;  // part of output_visible

  std::uint64_t input() const { return std::uint64_t{input_uncached} + cache_read + cache_write; }
  std::uint64_t output() const { return std::uint64_t{output_visible} + reasoning; }
};

/// Tokens of a prompt that has not been sent.
struct TokenCount {
  std::uint64_t tokens = 0;
  bool exact = false;  // what the target will report as its input; else near it
};

}  // namespace causeway
