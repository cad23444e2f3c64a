// The first stage: what can be refused from the head alone, before anything is read or looked up.
#pragma once

#include <atomic>

#include "core/exchange.h"
#include "core/stage.h"

namespace causeway::admit {

/// Shared by all loops; outlives every snapshot.
struct Gate {
  std::atomic<bool> draining{false};
  std::atomic<std::uint32_t> running{0};
  std::uint32_t most = 20'000;  // exchanges at once in the whole program
};

class AdmitStage final : public Stage {
 public:
  explicit AdmitStage(Gate& gate) : gate_(gate) {}
  std::string_view name() const override { return "admit"; }
  unsigned hooks() const override { return kOnHead | kOnDone; }
  Verdict on_head(Exchange& exchange) override;
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override;

 private:
  Gate& gate_;
};

}  // namespace causeway::admit
