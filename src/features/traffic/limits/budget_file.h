// What was spent in the running days and months, in a memory-mapped file: what a killed process has
// counted is there at the next start. One entry for each limit, subject and period; written in
// place, 8 bytes at a time, so that no entry is ever half of one and half of another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/error.h"

namespace causeway::limits {

/// Which limit of which subject: 128 bits of a SHA-256 over both.
struct SubjectKey {
  std::uint64_t low = 0, high = 0;
  bool operator==(const SubjectKey&) const = default;
};

class BudgetFile {
 public:
  static constexpr std::size_t kEntries = 1 << 16;  // 2 MiB; most of it is never touched

  /// Makes the file where there is none. One that is not of this form is put aside (".broken") and
  /// `told` says so. Errors: of the disk.
  static Result<std::unique_ptr<BudgetFile>> open(const std::filesystem::path& path,
                                                  std::string& told);
  ~BudgetFile();
  BudgetFile(const BudgetFile&) = delete;
  BudgetFile& operator=(const BudgetFile&) = delete;

  /// What was spent in the period that ends at `end`; 0 where nothing is known.
  std::int64_t read(const SubjectKey& key, Wall end) const;
  /// In the place of what was there. False: there is no room among the periods that still run.
  bool write(const SubjectKey& key, Wall end, std::int64_t spent, Wall now);
  struct Spent {
    SubjectKey key;
    std::int64_t end_seconds, spent;
  };
  /// Of all periods that still run.
  std::vector<Spent> running(Wall now) const;
  /// 16 digits, made with the file: whoever begins a new one begins at nothing under a new name.
  const std::string& replica() const { return replica_; }
  /// To the disk, against a power loss. Waits.
  void sync();
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Entry {
    SubjectKey key;  // both 0 = free
    std::int64_t end_seconds;
    std::int64_t spent;
  };
  BudgetFile(void* map, std::size_t bytes, std::uint64_t replica);
  Entry* entries() const;
  Entry* find(const SubjectKey& key) const;

  void* map_;
  std::size_t bytes_;
  std::string replica_;
  mutable std::mutex mutex_;
  std::uint64_t dropped_ = 0;
};

}  // namespace causeway::limits
