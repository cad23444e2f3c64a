// What stands in the place of found values in one conversation, and the way back. The same value
// has the same stand-in. Safe from any thread: requests of a named conversation share one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "features/privacy/pii/kind.h"

namespace causeway::pii {

/// A stand-in's name without what models bend: brackets, separators and case ("PATIENTNAME2").
std::string canonical(std::string_view inner);

/// Memory that a thread keeps for the next conversation: most are short and follow each other.
class FirstMemory {
 public:
  static constexpr std::size_t kSize = 1536;
  FirstMemory();
  ~FirstMemory();
  FirstMemory(const FirstMemory&) = delete;
  void* bytes() { return bytes_.get(); }

 private:
  std::unique_ptr<std::byte[]> bytes_;
};

class StandIns {
 public:
  /// Most values of one conversation, and their bytes; what comes beyond is masked all the same,
  /// but not restored.
  static constexpr std::size_t kMostValues = 5'000;
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;

  /// `total`: where the bytes of all of them are counted.
  explicit StandIns(std::shared_ptr<std::atomic<std::size_t>> total = nullptr)
      : total_(std::move(total)) {}
  ~StandIns() {
    if (total_) *total_ -= bytes_;
  }
  StandIns(const StandIns&) = delete;

  /// Its words live as long as the conversation.
  struct Entry {
    Kind kind;
    std::string_view value;     // as first seen
    std::string_view stand_in;  // with its brackets, where it has them
    std::string_view key;       // the same for the same value
    std::string_view name;      // canonical; empty for a pseudonym
  };

  /// Text like "[EMAIL]" that a request has brought along: no value is called so from now on.
  /// Nothing happens where it is a stand-in of this conversation.
  void reserve(std::string_view inner);

  /// `[NAME]`, or `[NAME_2]` where that is taken.
  std::string mask(Kind kind, std::string_view name, std::string_view value);
  /// Another value of the same shape, as `make(attempt)` gives it; attempts differ, until one is
  /// not taken.
  template <class Make>
  std::string pseudonym(Kind kind, std::string_view value, Make make);

  /// What stands behind `[inner]`, however its case and separators are; null where it is nothing.
  const Entry* find(std::string_view inner) const;
  /// Whether the name of a stand-in begins so (canonical).
  bool may_begin(std::string_view start) const;
  /// Pseudonyms that begin with this byte (of either case), the longest first.
  std::vector<const Entry*> pseudonyms(unsigned char first) const;
  bool has_pseudonyms() const;

  bool empty() const;
  /// All values so far, for finding them again. Entries stay where they are, and as they are.
  std::vector<const Entry*> entries() const;

 private:
  /// Most conversations have a few values: these are compared one by one, more are indexed.
  static constexpr std::size_t kFew = 12;
  using Index = std::unordered_map<std::string_view, const Entry*>;

  const Entry* by_key(std::string_view key) const;
  const Entry* by_name(std::string_view name) const;
  const Entry& copied(const Entry& entry);
  void keep(const Entry& entry);
  void index(const Entry& entry);
  void list_pseudonym(const Entry& entry);
  void keep_parts(const Entry& entry);
  bool is_pseudonym(std::string_view text) const;
  /// Holds until the thread asks again.
  static std::string_view key_of(Kind kind, std::string_view name, std::string_view value);

  /// What the last value called so was numbered.
  struct Number {
    std::string_view name, canonical;
    std::uint32_t last;
  };
  Number& number_of(std::string_view name);
  std::string_view copied(std::string_view text);

  // Most conversations are one request with a few values: one piece holds them all.
  FirstMemory first_memory_;
  std::pmr::monotonic_buffer_resource memory_{first_memory_.bytes(), FirstMemory::kSize};
  mutable std::mutex mutex_;
  std::pmr::vector<const Entry*> entries_{&memory_};
  Index keys_, names_;  // of all, once there are more than a few
  std::pmr::vector<Number> numbers_{&memory_};
  std::unordered_set<std::string> reserved_;                                 // canonical
  std::unordered_map<unsigned char, std::vector<const Entry*>> pseudonyms_;  // by first byte
  std::size_t bytes_ = 0;
  const std::shared_ptr<std::atomic<std::size_t>> total_;
};

template <class Make>
std::string StandIns::pseudonym(Kind kind, std::string_view value, Make make) {
  std::lock_guard lock(mutex_);
  const std::string_view key = key_of(kind, "~", value);
  if (const Entry* known = by_key(key)) return std::string(known->stand_in);
  constexpr int kAttempts = 100;
  std::string made;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    made = make(attempt);
    if (made != value && !is_pseudonym(made)) break;
  }
  keep({kind, value, made, key, {}});
  return made;
}

}  // namespace causeway::pii
