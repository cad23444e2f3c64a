// The stage "ledger": prices what an answer used, and settles it before its last
// bytes go out. It is
// there for every exchange whose model is known; what was refused before that cost nobody anything.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/exchange.h"
#include "core/slots.h"
#include "core/stage.h"
#include "features/insight/ledger/config.h"
#include "features/insight/ledger/hosted.h"
#include "features/insight/ledger/ledger.h"
#include "features/insight/ledger/price_book.h"

namespace causeway::ledger {

class LedgerStage final : public Stage {
 public:
  LedgerStage(Ledger& ledger, HostedMeters& hosted, SlotLayout& slots,
              SectionKey<LedgerSettings> settings, int loops);

  /// Of providers that are paid by the hour, for what is used from now on. From any thread.
  void set_rates(const PriceSettings& settings);
  /// Settlements that found no room.
  std::uint64_t dropped() const;

  std::string_view name() const override { return "ledger"; }
  unsigned hooks() const override {
    return kOnRequest | kOnAttempt | kOnAttemptEnd | kOnUsage | kOnSettle;
  }
  /// Overloaded (code "ledger_full") when it could not be settled and the policy refuses then.
  Verdict on_request(Exchange& exchange) override;
  Verdict on_attempt(Exchange& exchange, Attempt& attempt) override;
  void on_attempt_end(Exchange& exchange, Attempt& attempt) noexcept override;
  void on_usage(Exchange& exchange, const Usage& usage) noexcept override;
  void on_settle(Exchange& exchange, const Outcome& outcome) noexcept override;

 private:
  // All zero to begin with.
  struct Settling {
    HostedMeter* meter;  // of the attempt that runs, where it is paid by the hour
    HostedMeter::Mark mark;
    Nanos cost;  // of that attempt
    bool cost_known;
  };
  struct alignas(64) PerLoop {
    LoopPrices prices;
    std::atomic<std::uint64_t> dropped{0};
  };
  PerLoop& loop_of(const Exchange& exchange);
  const Price* price_of(const Exchange& exchange, const Target& target);
  static Settlement settlement_of(const Exchange& exchange, const Attempt* attempt);
  void append(const Exchange& exchange, const Settlement& settlement);
  void settle_lost(const Exchange& exchange, const Outcome& outcome);
  static void tell_cost(Exchange& exchange, std::optional<Nanos> own, bool lost);
  static std::optional<Nanos> cost_of_last(const Exchange& exchange, const Settling& settling);
  void settle_saved(Exchange& exchange, Settlement& settlement);
  void end_hosted(const Exchange& exchange, Settling& settling);

  Ledger& ledger_;
  HostedMeters& hosted_;
  Slot<Settling> slot_;
  SectionKey<LedgerSettings> settings_;
  std::vector<PerLoop> loops_;

  std::atomic<bool> any_hosted_{false};
};

}  // namespace causeway::ledger
