// Which model really answers: what providers say of it in their answers (its id, the fingerprint of
// what runs it), by target. What was never said before is news: nobody announces it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "features/insight/alerts/board.h"
#include "features/insight/alerts/cells.h"
#include "platform/store/store.h"

namespace causeway::alerts {

struct Maker {
  std::string target, model, fingerprint;
  auto operator<=>(const Maker&) const = default;
};

/// What a loop has heard, each once; it alone writes. The first 256 count.
class LoopMakers {
 public:
  void note(std::uint64_t target_hash, std::string_view target, std::string_view model,
            std::string_view fingerprint);
  /// Those from the `from`th on; moves it. From any thread.
  void read(std::size_t& from, std::vector<Maker>& out) const;

 private:
  struct Entry {
    Short<96> target;
    Short<64> model, fingerprint;
  };
  static constexpr std::size_t kMost = 256, kPlaces = 1024;
  std::array<std::uint64_t, kPlaces> places_{};  // hashes; 0 = free
  std::unique_ptr<std::array<Entry, kMost>> entries_ = std::make_unique<std::array<Entry, kMost>>();
  std::atomic<std::size_t> size_{0};
};

/// What is known for good, in the store.
class Makers {
 public:
  explicit Makers(store::Store* store) : store_(store) {}
  Result<void> load();

  /// Something that was heard. In the first `learning` after a target was heard of, all is learnt
  /// without a word: some providers answer from several.
  void hear(const Maker& maker, Wall now, std::chrono::milliseconds learning);
  /// Changes of the last hour.
  std::vector<Event> events(Wall now);

 private:
  struct Known {
    Wall first;
    std::vector<Maker> makers;  // the last is the newest
  };
  struct Change {
    Wall at;
    Event event;
  };
  void learn(const Maker& maker, Wall now);
  static Event event_of(const Known& known, const Maker& maker);

  store::Store* store_;
  std::map<std::string, Known> known_;
  std::vector<Change> changes_;
};

}  // namespace causeway::alerts
