// Alerts that nobody wants to hear of for a while: by rule, and by what the alert is about. Kept in
// the store, so that a restart wakes nobody.
#pragma once

#include <string>
#include <vector>

#include "features/insight/alerts/board.h"
#include "platform/store/store.h"

namespace causeway::alerts {

struct Silence {
  std::string id;
  std::string rule;   // a pattern
  std::string group;  // as Alert::group; empty = all of the rule's
  Wall until{};
  std::string by;  // key id of whoever made it
  std::string note;
};

/// The list is the caller's loop's; what waits for the store runs on a worker.
class Silences {
 public:
  static constexpr std::size_t kMost = 500;
  explicit Silences(store::Store& store) : store_(store) {}
  Result<void> load(Wall now);

  /// On a worker: durable when it returns. Then the loop calls added() or removed().
  Result<Silence> keep(Silence silence, Wall now);
  Result<std::string> forget(const std::string& id);
  void added(Silence silence) { silences_.push_back(std::move(silence)); }
  void removed(const std::string& id);

  bool has(const std::string& id) const;
  /// When the last silence of this alert ends; nothing: it is not silenced.
  std::optional<Wall> until(const Alert& alert, Wall now) const;
  std::vector<Silence> current(Wall now) const;

 private:
  store::Store& store_;
  std::vector<Silence> silences_;
};

}  // namespace causeway::alerts
