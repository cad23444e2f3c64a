// One file of traces: those that ended in one stretch of time. Names stand there once; each trace
// has a head, which scans compare, its body, and an entry in the index for each of its names, so
// that any filter finds its traces without looking at others. Retention unlinks the whole file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "features/insight/traces/trace.h"
#include "platform/store/database.h"

namespace causeway::traces {

/// Where the writer adds. One thread.
class Partition {
 public:
  /// Opens or makes it. Errors are those of Database.
  static Result<std::unique_ptr<Partition>> open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  /// Id of its newest trace; 0 when empty.
  Result<std::int64_t> last_id();

  Result<void> begin();
  /// `sealed`: the contents, empty for none.
  Result<void> add(std::int64_t id, const Record& record, const Run& run, std::string_view sealed);
  Result<void> commit();
  /// After an error: nothing of what was added since begin() is there.
  void roll_back();

 private:
  struct Name {
    std::uint32_t id = 0;
    std::uint64_t new_uses = 0;
  };
  Partition(std::filesystem::path path, std::unique_ptr<store::Database> database);
  Result<Name*> name(Field field, std::string_view text);
  Result<void> write_index();

  const std::filesystem::path path_;
  std::unique_ptr<store::Database> db_;
  std::unordered_map<std::string, Name> names_;  // by field and text; bounded
  std::unordered_map<std::uint32_t, std::vector<std::int64_t>> traces_of_name_;  // not written yet
};

/// What a request or trace id is found by.
std::int64_t hash_of(std::string_view id);

}  // namespace causeway::traces
