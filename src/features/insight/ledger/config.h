// Policy section `ledger`: what happens when a settlement could not be kept.
#pragma once

#include <cstdint>

#include "platform/config/describe.h"

namespace causeway::ledger {

enum class WhenFull : std::uint8_t {
  Refuse,  // 503 before the provider is called: nothing goes out unaccounted
  Serve,   // serve on; what does not fit is counted as dropped
};

inline config::Names<WhenFull> names_of(WhenFull) {
  return {{"refuse", WhenFull::Refuse}, {"serve", WhenFull::Serve}};
}

struct LedgerSettings {
  WhenFull when_full = WhenFull::Refuse;
};

void describe(config::Fields& f, LedgerSettings& c);

inline constexpr config::Section<LedgerSettings> kLedger{"ledger"};

}  // namespace causeway::ledger
