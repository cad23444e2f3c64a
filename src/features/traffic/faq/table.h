// All entries as they are served: an immutable table, made anew with each change, and each loop's
// own hold on it. No lock on a request's way but when there is a new one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "features/traffic/faq/entry.h"

namespace causeway::faq {

using EntryPtr = std::shared_ptr<const Entry>;

/// Who asks whom, when, in which languages.
struct Asking {
  std::string_view tenant{}, model{};
  const std::vector<std::string>* languages = nullptr;  // null or empty = any
  Seconds now = 0;
};

class FaqTable {
 public:
  static constexpr std::size_t kMostEntries = 10'000;
  static constexpr std::size_t kMostBytes = 64 * 1024 * 1024;  // of all texts

  explicit FaqTable(std::vector<EntryPtr> entries = {});

  const std::vector<EntryPtr>& entries() const { return entries_; }
  /// The entry whose question this is, in its normal form; null where there is none for this asker.
  /// Of several the tenant's own goes first, then one for named models, then the newest.
  const Entry* find(std::string_view normal, const Asking& asking) const;
  const Entry* by_id(std::string_view id) const;
  /// An entry that this one would hide, or be hidden by: with one of its wordings, for the same
  /// tenant, language and models, at a time when both hold. Null where there is none.
  const Entry* rival_of(const Draft& draft) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  template <class T>
  using Map = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  std::vector<EntryPtr> entries_;
  Map<std::vector<std::uint32_t>> by_question_;
  Map<std::uint32_t> by_id_;
};

/// Whether an entry is for this asker, now.
bool serves(const Entry& entry, const Asking& asking);

/// The newest table. Who has set one, and got no answer yet, may find the older one elsewhere; from
/// then on nobody does.
class Tables {
 public:
  using Ptr = std::shared_ptr<const FaqTable>;
  /// One loop's hold; belongs to its thread.
  class alignas(64) Hold {
    friend class Tables;
    std::uint64_t number = 0;
    Ptr table;
  };

  Ptr get() const {
    const std::lock_guard lock(mutex_);
    return table_;
  }
  void set(Ptr table) {
    const std::lock_guard lock(mutex_);
    table_ = std::move(table);
    number_.fetch_add(1, std::memory_order_release);
  }
  const Ptr& held(Hold& hold) const {
    if (hold.number != number_.load(std::memory_order_acquire)) [[unlikely]] {
      const std::lock_guard lock(mutex_);
      hold.table = table_;
      hold.number = number_.load(std::memory_order_relaxed);
    }
    return hold.table;
  }

 private:
  mutable std::mutex mutex_;
  Ptr table_ = std::make_shared<const FaqTable>();
  std::atomic<std::uint64_t> number_{1};
};

}  // namespace causeway::faq
