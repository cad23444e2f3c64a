// What the ledger comes to, per day (UTC), key, tenant, model, provider and source: the form in
// which it is kept for ever and asked for. Folding adds records up in memory; storing puts the sums
// and the folded-up-to numbers into the database in one transaction.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "features/insight/ledger/record.h"
#include "platform/base/error.h"
#include "platform/store/database.h"
#include "platform/store/store.h"

namespace causeway::ledger {

struct Totals {
  std::int64_t requests = 0;
  std::int64_t failed = 0;
  std::int64_t streamed = 0;
  std::int64_t cut_by_client = 0;
  std::array<std::int64_t, kTokenKinds> tokens{};  // in the order of Usage's members
  Nanos cost = 0;                                  // of the priced ones
  std::int64_t priced = 0;                         // requests with a known cost
  std::int64_t unpriced = 0;  // requests that used tokens and have no known cost
  std::int64_t duration_us = 0;
  std::int64_t to_first_us = 0;  // sum over `with_first`
  std::int64_t with_first = 0;
  std::int64_t last_us = 0;  // time of the last one, since 1970
  std::int64_t tokens_saved = 0;
  // Of attempts whose answer nobody got: they are no requests. Their tokens and their cost are in
  // the sums.
  std::int64_t lost_attempts = 0;
  std::int64_t lost_tokens = 0;  // in and out
  std::int64_t estimated = 0;    // requests whose tokens we estimated; follows from the source
  // Of answers that were there already (UsageSource::Saved): read, not added. In what add() gives,
  // and in the table, `tokens` and `cost` of that source are these.
  std::int64_t stored = 0;         // requests
  std::int64_t stored_tokens = 0;  // in and out, that were not used
  Nanos stored_cost = 0;           // of those whose price is known
  std::int64_t stored_priced = 0;

  void add(const Record& record);
  /// Whole microdollars; nothing where no request had a known cost.
  std::optional<std::int64_t> cost_micros() const {
    return priced > 0 ? std::optional(to_micros(cost)) : std::nullopt;
  }
};

/// Sums of a batch of records.
class Fold {
 public:
  void add(const Record& record);
  bool empty() const { return sums_.empty(); }
  std::size_t size() const { return sums_.size(); }
  void clear() { sums_.clear(); }
  /// Into the tables; inside a transaction.
  Result<void> store(store::Database& db) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, Totals, Hash, std::equal_to<>> sums_;
  std::string buffer_;
};

/// Where folding stands in one ring. `from` is checked against the table: what was folded already
/// is never added twice, whatever happened in between.
struct Progress {
  std::uint64_t ring = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

Result<void> migrate_totals(store::Store& store);
Result<std::uint64_t> folded_up_to(store::Store& store, std::uint64_t ring);
Result<void> store_progress(store::Database& db, const Progress& progress);
Result<void> forget_ring(store::Database& db, std::uint64_t ring);

/// Empty names and absent days match all. Days count from 1970-01-01, both included.
struct UsageQuery {
  std::string key, tenant, model, provider;
  std::optional<std::int32_t> from_day, to_day;
  bool by_day = false, by_key = false, by_tenant = false, by_model = false, by_provider = false,
       by_upstream = false, by_source = false;
  std::int64_t limit = 10'000;
};

struct UsageRow {
  // Empty or absent where the query does not tell them apart.
  std::optional<std::int32_t> day;
  std::string key, tenant, model, provider, upstream;
  std::optional<UsageSource> source;
  Totals totals;
};

/// Newest days first, then by name.
Result<std::vector<UsageRow>> read_usage(store::Database& db, const UsageQuery& query);

std::int32_t day_of(Wall time);
/// "2026-11-24", and back; nothing for anything else.
std::string to_date(std::int32_t day);
std::optional<std::int32_t> day_from_date(std::string_view date);

}  // namespace causeway::ledger
