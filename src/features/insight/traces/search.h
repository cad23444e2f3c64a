// Finds traces in a partition: by the index of the filter that leaves the fewest, or by comparing
// heads where none leaves few; looks into contents only of what the filters left.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "features/insight/traces/trace.h"
#include "platform/store/database.h"
#include "platform/store/sealed.h"

namespace causeway::traces {

struct Filter {
  std::vector<std::pair<Field, std::string>> names;  // `*` stands for any text
  std::string id;                                    // of the request, or of the W3C trace
  std::uint64_t min_micros = 0;
  std::int64_t min_cost = 0;  // in micro-units
  std::string contains;       // words in the contents
  std::int64_t from = 0;      // ids: Unix time in microseconds
  std::int64_t to = std::int64_t{1} << 62;
  bool oldest_first = false;
  std::size_t limit = 100;
};

/// What one search may cost; shared by the partitions that it goes through.
struct Budget {
  std::size_t contents = 10'000;  // that may be opened
  std::chrono::steady_clock::time_point until;
};

/// A trace with its names, which it views.
struct Found {
  std::shared_ptr<void> names;
  Trace trace;
};

struct Results {
  std::vector<Found> traces;
  std::int64_t stopped_at = 0;  // the last id looked at, when it stopped before the end
  std::uint64_t looked_at = 0, opened = 0, unreadable = 0;
};

/// A connection that reads one partition. One thread at a time.
class PartitionReader {
 public:
  static Result<std::unique_ptr<PartitionReader>> open(const std::filesystem::path& path);
  ~PartitionReader();

  /// Adds what is found. Sets stopped_at when the limit or the budget ended it.
  Result<void> search(const Filter& filter, const store::Sealed& sealed, Budget& budget,
                      Results& results);
  /// What was said in a trace. NotFound where nothing is kept, or its tenant's data was erased.
  Result<Contents> contents(std::int64_t id, const store::Sealed& sealed);

 private:
  struct Names;
  struct Wanted;
  struct Plan;
  explicit PartitionReader(std::unique_ptr<store::Database> db) : db_(std::move(db)) {}
  Result<Wanted> names_of(Field field, const std::string& pattern);
  Result<Wanted> names_from(Field field, std::uint32_t least);
  Result<void> by_index(Plan& plan);
  Result<void> by_id(Plan& plan);
  Result<void> by_scan(Plan& plan);
  Result<bool> look(Plan& plan, std::int64_t id);
  Result<void> look_inside(Plan& plan, std::int64_t id);
  Result<void> take(Plan& plan, std::int64_t id);

  std::unique_ptr<store::Database> db_;
};

}  // namespace causeway::traces
