// What stands in the place of found values in one conversation, and the way back. The same value
// has the same stand-in. Safe from any thread: requests of a named conversation share one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "features/privacy/pii/kind.h"

namespace causeway::pii {

/// A stand-in's name without what models bend: brackets, separators and case ("PATIENTNAME2").
std::string canonical(std::string_view inner);

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

  struct Entry {
    Kind kind;
    std::string value;     // as first seen
    std::string stand_in;  // with its brackets, where it has them
    std::string key;       // the same for the same value
    std::string name;      // canonical; empty for a pseudonym
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

  /// The value behind `[inner]`, however its case and separators are; false where it is none.
  bool find(std::string_view inner, std::string& value) const;
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
  void keep(Entry entry);
  void index(const Entry& entry);
  void list_pseudonym(const Entry& entry);
  void keep_parts(const Entry& entry);
  bool is_pseudonym(std::string_view text) const;
  static std::string key_of(Kind kind, std::string_view name, std::string_view value);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_, parts_;
  Index keys_, names_;  // of all, once there are more than a few
  std::vector<std::pair<std::string, std::uint32_t>> next_;                  // name → number
  std::unordered_set<std::string> reserved_;                                 // canonical
  std::unordered_map<unsigned char, std::vector<const Entry*>> pseudonyms_;  // by first byte
  std::size_t bytes_ = 0;
  const std::shared_ptr<std::atomic<std::size_t>> total_;
};

template <class Make>
std::string StandIns::pseudonym(Kind kind, std::string_view value, Make make) {
  std::lock_guard lock(mutex_);
  std::string key = key_of(kind, "~", value);
  if (const Entry* known = by_key(key)) return known->stand_in;
  constexpr int kAttempts = 100;
  std::string made;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    made = make(attempt);
    if (made != value && !is_pseudonym(made)) break;
  }
  keep({kind, std::string(value), made, std::move(key), {}});
  return made;
}

}  // namespace causeway::pii
