// The stage "overload": lets as many requests go to a target as it can do, and has the others wait
// for their turn, fairly by tenant, for a bounded time. What found no turn may go to the next
// target.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/exchange.h"
#include "core/slots.h"
#include "core/stage.h"
#include "features/traffic/overload/group.h"
#include "platform/net/loop.h"

namespace causeway::overload {

using GroupMap = std::unordered_map<std::string, std::shared_ptr<Group>, NameHash, std::equal_to<>>;

/// The targets that were asked, of all loops. Outlives snapshots: what was learnt stays.
class Groups {
 public:
  /// Of those whose names callers choose, further ones share one.
  static constexpr std::size_t kMost = 512;
  std::shared_ptr<Group> of(std::string_view target, bool configured);
  std::vector<std::pair<std::string, std::shared_ptr<const Group>>> list() const;
  Counts counts;

 private:
  mutable std::mutex mutex_;
  GroupMap groups_;
  std::size_t chosen_ = 0;  // groups of names that callers chose
};

class OverloadStage final : public Stage {
 public:
  /// 0 = goes first, 2 = last.
  using PriorityOf = std::function<int(const Sections&)>;
  OverloadStage(Groups& groups, SectionKey<OverloadSettings> settings, PriorityOf priority,
                SlotLayout& slots, int loops)
      : groups_(groups),
        loops_(static_cast<std::size_t>(loops)),
        settings_(settings),
        priority_(std::move(priority)),
        slot_(slots.add<State>()) {}

  std::string_view name() const override { return "overload"; }
  unsigned hooks() const override { return kWaitsAttempt | kOnAttemptEnd; }
  bool enabled(const Sections& sections) const override { return sections.get(settings_).on; }
  /// Error: Overloaded ("overloaded"), with the time until it is worth another try.
  Task<Verdict> wait_attempt(Exchange& exchange, Attempt& attempt) override;
  void on_attempt_end(Exchange& exchange, Attempt& attempt) noexcept override;

 private:
  struct State {
    std::shared_ptr<Group> group;  // null: it has no place
    Turn turn;
    std::chrono::nanoseconds waited{0};  // by all attempts
  };
  const std::shared_ptr<Group>& group_of(const Exchange& exchange, const Attempt& attempt,
                                         const OverloadSettings& settings);
  net::SweepList& waiting_of(const LoopContext& context);

  Groups& groups_;
  // Each loop's own.
  struct PerLoop {
    GroupMap known;
    std::shared_ptr<net::SweepList> waiting;  // made when one has to
  };
  std::vector<PerLoop> loops_;
  SectionKey<OverloadSettings> settings_;
  PriorityOf priority_;
  Slot<State> slot_;
};

}  // namespace causeway::overload
