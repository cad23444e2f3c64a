// The folder of the partitions: each file is named by the time where it begins, ends where the next
// one begins, and goes as a whole. What stands there is asked of the folder itself, so that nobody
// has to keep a list in step with it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "features/insight/traces/config.h"

namespace causeway::traces {

class Partitions {
 public:
  struct File {
    std::filesystem::path path;
    std::int64_t first = 0;   // Unix time in microseconds
    std::uint64_t bytes = 0;  // with its log
    bool damaged = false;     // put aside
  };

  explicit Partitions(std::filesystem::path folder) : folder_(std::move(folder)) {}
  const std::filesystem::path& folder() const { return folder_; }

  /// Oldest first.
  std::vector<File> list() const;
  std::filesystem::path path_of(std::int64_t first) const;
  /// Renamed: it is read no more, and goes when its time comes.
  void put_aside(const std::filesystem::path& path) const;

  /// Unlinks what is older than may be kept, and the oldest until the rest is small enough; never
  /// `current`. Gives what went.
  std::vector<std::filesystem::path> expire(std::int64_t now, const KeepSettings& keep,
                                            const std::filesystem::path& current) const;

 private:
  std::filesystem::path folder_;
};

/// How long one partition lasts, in microseconds: a day, or an eighth of a shorter `keep`.
std::int64_t span_of(const KeepSettings& keep);
/// The size from which on the next one is begun.
inline std::uint64_t most_bytes(const KeepSettings& keep) { return keep.max_size / 8; }

/// "20261126T131500.000000Z" and back.
std::string name_of_time(std::int64_t micros);
std::optional<std::int64_t> time_of_name(std::string_view name);

}  // namespace causeway::traces
