// The stage "limits": a request takes what it may come to of every limit that its policy has, and
// gives back what it did not need when its real figures are known. Where replicas count together,
// it asks them; while they cannot be asked, this one goes on with its share.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/exchange.h"
#include "core/slots.h"
#include "core/stage.h"
#include "features/traffic/limits/config.h"
#include "features/traffic/limits/shared_counters.h"
#include "features/traffic/limits/table.h"
#include "platform/log/log.h"
#include "platform/metrics/registry.h"

namespace causeway::limits {

/// How many tokens answers of a model had lately, for requests that set no bound. Any thread.
class Answers {
 public:
  std::uint64_t expected(std::string_view model) const;
  void learn(std::string_view model, std::uint64_t tokens);

 private:
  static constexpr std::size_t kPlaces = 1024;
  std::array<std::atomic<float>, kPlaces> mean_{};  // 0 = nothing is known
};

class LimitStage final : public Stage {
 public:
  /// `replicas`: how many there are at least; 0 = this one is for itself.
  LimitStage(SectionKey<LimitList> settings, SlotLayout& slots, Table& table, log::Log& log,
             int loops, std::int64_t replicas);
  /// Before any loop's thread begins: by what it counts together with the other replicas.
  void attach(int loop, std::unique_ptr<SharedCounters> counters);

  std::string_view name() const override { return "limits"; }
  unsigned hooks() const override {
    return kOnRequest | kOnSettle | kOnDone | (replicas_ > 0 ? kWaits : 0);
  }
  bool enabled(const Sections& sections) const override { return !sections.get(settings_).empty(); }
  /// Errors: RateLimited ("rate_limit_exceeded", "limit_subjects_full", "request_above_limit"),
  /// QuotaExhausted ("insufficient_quota"), Forbidden ("unpriced_model").
  Verdict on_request(Exchange& exchange) override;
  Task<Verdict> wait_request(Exchange& exchange) override;
  void on_settle(Exchange& exchange, const Outcome& outcome) noexcept override;
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override;

  /// Refusals by the limit's name. Any thread.
  std::vector<std::pair<std::string, std::uint64_t>> refused() const;
  /// Requests that were decided together with the other replicas, and by this one's share. Any
  /// thread.
  struct Decided {
    std::uint64_t together = 0, by_share = 0;
  };
  /// How it counts now. Any thread.
  Counting counting() const;
  Decided decided() const { return {together_.load(), by_share_.load()}; }
  /// A budget whose soft part has been spent, until its period ends.
  struct NearlySpent {
    std::string limit, subject;
    Wall until;
  };
  static constexpr std::size_t kMostNearlySpent = 256;  // the others are only in the log
  /// Any thread.
  std::vector<NearlySpent> nearly_spent(Wall now) const;

 private:
  using Limits = std::vector<Limit>;
  struct Wants;
  // All zero to begin with.
  struct State {
    const Limits* limits;
    std::uint8_t count;
    std::array<std::uint8_t, Table::kMostLimits> of;  // limits, of each that was taken
    std::array<Taken, Table::kMostLimits> taken;
    const SharedReservation* reservation;  // where it was granted by all replicas together
  };
  struct Resolved {
    std::shared_ptr<const void> from;  // the section, so that no other stands at its address
    std::shared_ptr<const Limits> limits;
  };
  const std::shared_ptr<const Limits>& resolved(const Exchange& exchange);
  struct Loop {
    std::vector<Resolved> resolved;
    std::unique_ptr<SharedCounters> shared;
  };
  Result<void> want(Exchange& exchange, Wants& wants);
  Verdict take(Exchange& exchange, Wants& wants, const Counting& counting);
  Verdict adopt(Exchange& exchange, Wants& wants, SharedCounters& shared, SharedVerdict verdict);
  void settle_shared(Exchange& exchange, const State& state,
                     std::span<const std::optional<std::int64_t>> real);
  void tell_soft(Exchange& exchange, const Limit& limit, Wall until);
  std::unexpected<Error> refuse(Exchange& exchange, const Limit& limit, const Refusal& refusal);
  void note_refused(const Limit& limit);
  /// That count together, as far as one of the loops knows; at least 1.
  std::int64_t replicas() const;

  SectionKey<LimitList> settings_;
  Slot<State> slot_;
  Table& table_;
  log::Log& log_;
  Answers answers_;
  std::vector<Loop> loops_;
  const std::int64_t replicas_;
  std::atomic<std::uint64_t> together_{0}, by_share_{0};
  mutable std::mutex mutex_;  // of what follows
  std::vector<std::pair<std::string, std::uint64_t>> refused_;
  std::vector<NearlySpent> nearly_spent_;
};

}  // namespace causeway::limits
