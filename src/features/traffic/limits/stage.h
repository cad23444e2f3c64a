// The stage "limits": a request takes what it may come to of every limit that its policy has, and
// gives back what it did not need when its real figures are known.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/exchange.h"
#include "core/slots.h"
#include "core/stage.h"
#include "features/traffic/limits/config.h"
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
  LimitStage(SectionKey<LimitList> settings, SlotLayout& slots, Table& table, log::Log& log,
             int loops);

  std::string_view name() const override { return "limits"; }
  unsigned hooks() const override { return kOnRequest | kOnSettle | kOnDone; }
  bool enabled(const Sections& sections) const override { return !sections.get(settings_).empty(); }
  /// Errors: RateLimited ("rate_limit_exceeded", "limit_subjects_full", "request_above_limit"),
  /// QuotaExhausted ("insufficient_quota"), Forbidden ("unpriced_model").
  Verdict on_request(Exchange& exchange) override;
  void on_settle(Exchange& exchange, const Outcome& outcome) noexcept override;
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override;

  /// Refusals by the limit's name. Any thread.
  std::vector<std::pair<std::string, std::uint64_t>> refused() const;

 private:
  using Limits = std::vector<Limit>;
  // All zero to begin with.
  struct State {
    const Limits* limits;
    std::uint8_t count;
    std::array<std::uint8_t, Table::kMostLimits> of;  // limits, of each that was taken
    std::array<Taken, Table::kMostLimits> taken;
  };
  struct Resolved {
    std::shared_ptr<const void> from;  // the section, so that no other stands at its address
    std::shared_ptr<const Limits> limits;
  };
  const std::shared_ptr<const Limits>& resolved(const Exchange& exchange);
  std::unexpected<Error> refuse(Exchange& exchange, const Limit& limit, const Refusal& refusal);
  void note_refused(const Limit& limit);

  SectionKey<LimitList> settings_;
  Slot<State> slot_;
  Table& table_;
  log::Log& log_;
  Answers answers_;
  std::vector<std::vector<Resolved>> loops_;
  mutable std::mutex mutex_;  // of refused_
  std::vector<std::pair<std::string, std::uint64_t>> refused_;
};

}  // namespace causeway::limits
