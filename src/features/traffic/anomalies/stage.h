// The stages "anomalies" and "anomalies_caller": refuse who is blocked, and block whose rate is far
// above what is usual. The first knows the address and stands before all that costs anything; the
// second knows the key, and when the request has been read, the user.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "core/exchange.h"
#include "core/stage.h"
#include "features/traffic/anomalies/blocks.h"
#include "features/traffic/anomalies/rates.h"
#include "platform/log/log.h"

namespace causeway::anomalies {

/// What all loops share.
class Guard {
 public:
  Guard(Blocks& blocks, log::Log& log) : blocks_(blocks), log_(log) {}
  void configure(const AnomalySettings& settings);

  Verdict on_address(Exchange& exchange);
  bool looks_at_users() const { return rule_for(Kind::User) || blocks_.any(); }
  Verdict on_user(Exchange& exchange, std::string_view user);
  Verdict on_key(Exchange& exchange);

  Rates& rates() { return rates_; }
  std::uint64_t refused(Kind kind) const { return refused_[index(kind)].load(); }
  std::uint64_t spikes(Kind kind) const { return spikes_[index(kind)].load(); }

 private:
  /// Of one configuration; replaced as a whole, and the old ones stay: they are few and small.
  struct Rule {
    AnomalySettings settings;
    std::array<bool, kKinds> watched{};
    Limits limits;
    Lengths lengths;
    std::vector<net::Network> exempt;
  };
  static std::size_t index(Kind kind) { return static_cast<std::size_t>(kind); }
  const Rule* rule_for(Kind kind) const;
  Verdict refuse(Exchange& exchange, Kind kind, const InForce& block);
  template <class Make>
  Verdict count(const Rule& rule, Kind kind, Mark mark, Exchange& exchange, Make make);

  Blocks& blocks_;
  log::Log& log_;
  Rates rates_;
  std::atomic<const Rule*> rule_{nullptr};  // null: off
  std::mutex rules_mutex_;
  std::vector<std::unique_ptr<const Rule>> rules_;
  std::array<std::atomic<std::uint64_t>, kKinds> refused_{}, spikes_{};
};

class AddressStage final : public Stage {
 public:
  explicit AddressStage(Guard& guard) : guard_(guard) {}
  std::string_view name() const override { return "anomalies"; }
  unsigned hooks() const override { return kOnHead; }
  /// Error: RateLimited "blocked".
  Verdict on_head(Exchange& exchange) override;

 private:
  Guard& guard_;
};

class CallerStage final : public Stage {
 public:
  explicit CallerStage(Guard& guard) : guard_(guard) {}
  std::string_view name() const override { return "anomalies_caller"; }
  unsigned hooks() const override { return kOnHead | kOnRequest; }
  bool before_policy() const override { return true; }
  /// Error: RateLimited "blocked".
  Verdict on_head(Exchange& exchange) override;
  Verdict on_request(Exchange& exchange) override;

 private:
  Guard& guard_;
};

}  // namespace causeway::anomalies
