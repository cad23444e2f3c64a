// A ring of records in a memory-mapped file, written by one loop and emptied by one folding thread.
// An append is a copy into memory that the kernel keeps when the process is killed; a thread beside
// it syncs the file, which bounds what a power loss takes. The file has its full size from the
// start, so a full disk cannot strike later.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "features/insight/ledger/record.h"
#include "platform/base/error.h"

namespace causeway::ledger {

class JournalRing {
 public:
  /// Opens the ring, or makes one where there is none. `capacity` in records, for a new file only.
  /// An error "journal_damaged" where the file is not a ring of this program's.
  static Result<std::unique_ptr<JournalRing>> open(const std::filesystem::path& path,
                                                   std::uint64_t capacity);
  ~JournalRing();
  JournalRing(const JournalRing&) = delete;
  JournalRing& operator=(const JournalRing&) = delete;

  struct Recovery {
    std::uint64_t records = 0;  // whole ones that were not folded yet
    std::uint64_t torn = 0;     // half written when the process or the machine ended
    std::uint64_t lost = 0;     // not on the disk when the machine lost power
  };
  /// Finds what was written after `folded`, the last sequence number that the totals hold. Once,
  /// before anything else.
  Recovery recover(std::uint64_t folded);

  /// The loop's side. False when the ring is full: nothing is written then.
  bool append(const Record& record) noexcept;

  /// The other side: the last sequence number written, and the last one folded.
  std::uint64_t head() const { return head_.load(std::memory_order_acquire); }
  std::uint64_t folded() const { return folded_.load(std::memory_order_acquire); }
  /// folded() < sequence <= head(). nullptr for one that recovery found torn or lost.
  const Record* at(std::uint64_t sequence) const;
  /// Frees the records up to this one; they must be in the totals, durably.
  void set_folded(std::uint64_t sequence) { folded_.store(sequence, std::memory_order_release); }
  std::uint64_t unfolded() const { return head() - folded(); }

  /// Puts on the disk what was written since the last call, and readies memory for what comes, so
  /// that the loop meets no page fault. One thread.
  Result<void> sync();

  /// Random, given when the file was made: sequence numbers mean something together with it only.
  std::uint64_t id() const { return id_; }
  std::uint64_t capacity() const { return capacity_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  JournalRing(std::filesystem::path path, std::byte* map, std::size_t bytes, std::uint64_t capacity,
              std::uint64_t id);
  Result<void> sync_file();
  void make_ready(std::uint64_t records);
  void release_memory();
  Record* slot(std::uint64_t sequence) const;
  std::span<std::byte> pages(std::uint64_t first, std::uint64_t count) const;

  const std::filesystem::path path_;
  std::byte* const map_;
  const std::size_t bytes_;
  const std::uint64_t capacity_;
  const std::uint64_t id_;
  std::uint64_t next_ = 1;    // the loop's
  std::uint64_t synced_ = 0;  // the syncing thread's
  std::uint64_t idle_ = 0;    // likewise
  bool on_disk_ = false;      // likewise: header, size and name are
  // Written by different threads: on cache lines of their own.
  alignas(64) std::atomic<std::uint64_t> head_{0};
  alignas(64) std::atomic<std::uint64_t> folded_{0};
};

}  // namespace causeway::ledger
