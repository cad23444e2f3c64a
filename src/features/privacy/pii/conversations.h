// The stand-ins of conversations that applications name, so that a value is called the same in all
// its requests. Kept in memory only: a restart begins anew.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "features/privacy/pii/stand_ins.h"
#include "platform/base/clock.h"

namespace causeway::pii {

class Conversations {
 public:
  static constexpr std::size_t kMost = 10'000;
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  static constexpr std::chrono::hours kIdle{24};

  explicit Conversations(const Clock& clock) : clock_(clock) {}

  /// Those of the conversation `name` of `owner`, made where there are none. The least recently
  /// used ones go first where there are too many. From any thread.
  std::shared_ptr<StandIns> find(std::string_view owner, std::string_view name);
  std::size_t size() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<StandIns> stand_ins;
    Monotonic used;
  };
  void forget_old(Monotonic now);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::list<Entry> by_use_;  // the latest in front
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
  const std::shared_ptr<std::atomic<std::size_t>> bytes_ =
      std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace causeway::pii
