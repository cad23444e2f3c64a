// Providers that are paid by the hour, used or not. While requests run, the hour's price is shared
// among those that run at each moment; what passes without any is idle time, shown as such. The sum
// of both is what the machine costs while Causeway runs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "features/insight/ledger/record.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/store/database.h"
#include "platform/store/store.h"

namespace causeway::ledger {

/// Time and money of one provider.
struct HostedSums {
  std::int64_t busy_us = 0, idle_us = 0;
  Nanos busy_cost = 0, idle_cost = 0;
  void add(const HostedSums& more);
};

class HostedMeter {
 public:
  explicit HostedMeter(Monotonic now) : last_(now) {}

  /// Nanodollars an hour; 0 = not paid by the hour any more.
  void set_rate(Nanos per_hour, Monotonic now);
  /// A request begins, or ends: its share. `begin` gives what `end` wants back. From any thread.
  __extension__ using Mark = __int128;
  Mark begin(Monotonic now);
  Nanos end(Mark mark, Monotonic now);
  /// What came together since the last call.
  HostedSums take(Monotonic now);
  void put_back(const HostedSums& sums);

 private:
  void advance(Monotonic now);

  std::mutex mutex_;  // held for some additions
  Monotonic last_;
  Nanos rate_ = 0;
  std::int64_t running_ = 0;
  Mark share_ = 0;  // integral of rate / running, in rate x nanoseconds
  std::int64_t busy_ns_ = 0, idle_ns_ = 0;
  Mark busy_cost_ = 0, idle_cost_ = 0;  // rate x nanoseconds
};

/// All meters, by provider; they stay when a configuration goes.
class HostedMeters {
 public:
  explicit HostedMeters(const Clock& clock) : clock_(clock) {}

  void set_rates(const std::map<std::string, Nanos, std::less<>>& per_hour);
  /// nullptr where the provider never had a price per hour. The meter lives as long as this.
  HostedMeter* find(std::string_view provider) const;
  bool empty() const;

  /// Into the tables, inside a transaction; taken back when that failed.
  Result<void> store(store::Database& db);
  void stored(bool kept);

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<HostedMeter>, std::less<>> meters_;
  std::vector<std::pair<HostedMeter*, HostedSums>> taken_;  // of the transaction under way
};

struct HostedRow {
  std::int32_t day = 0;
  std::string provider;
  HostedSums sums;
};
/// Days included on both ends; nothing = open. Newest first.
Result<std::vector<HostedRow>> read_hosted(store::Database& db, std::optional<std::int32_t> from,
                                           std::optional<std::int32_t> to);

}  // namespace causeway::ledger
