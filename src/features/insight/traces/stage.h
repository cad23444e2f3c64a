// The three places from which an exchange is recorded: behind all that rewrites a request (what
// goes out), in front of all that rewrites an answer (what came in), and at its end.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/stage.h"
#include "features/insight/traces/archive.h"
#include "features/insight/traces/config.h"

namespace causeway::traces {

/// What was said so far; null where no policy asks for contents.
struct Saying {
  std::unique_ptr<Contents> contents;
  std::size_t attempt = 0;  // whose request it is
};
using SayingSlot = Slot<Saying>;

/// Notes that an attempt's request goes out as it is now. One that a stage in front refuses does
/// not come so far, and its words are not kept.
class SentStage final : public Stage {
 public:
  SentStage(SectionKey<TraceSettings> key, SayingSlot slot) : key_(key), slot_(slot) {}
  std::string_view name() const override { return "trace_sent"; }
  unsigned hooks() const override { return kOnAttempt; }
  bool enabled(const Sections& sections) const override;
  Verdict on_attempt(Exchange& exchange, Attempt& attempt) override;

 private:
  SectionKey<TraceSettings> key_;
  SayingSlot slot_;
};

/// Listens to the answer.
class SaidStage final : public Stage {
 public:
  SaidStage(SectionKey<TraceSettings> key, SayingSlot slot) : key_(key), slot_(slot) {}
  std::string_view name() const override { return "trace_said"; }
  unsigned hooks() const override { return kOnEvent; }
  bool enabled(const Sections& sections) const override;
  bool watches(const Exchange& exchange) const override;
  Verdict on_event(Exchange& exchange, Event& event) override;

 private:
  SectionKey<TraceSettings> key_;
  SayingSlot slot_;
};

class TraceStage final : public Stage {
 public:
  TraceStage(Archive& archive, SectionKey<TraceSettings> key, SayingSlot slot, int loops = 1)
      : archive_(archive), key_(key), slot_(slot), seconds_(static_cast<std::size_t>(loops)) {}
  std::string_view name() const override { return "trace"; }
  unsigned hooks() const override { return kOnDone; }
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override;
  /// Exchanges that were not recorded, since there were more in their second than are.
  std::uint64_t spared() const;

 private:
  /// What a loop has recorded in the second that is.
  struct alignas(64) Second {
    std::int64_t number = 0;
    std::array<std::uint32_t, 2> taken{};  // of those that went well, of others
    std::atomic<std::uint64_t> spared{0};
  };
  bool has_room(int loop, const Exchange& exchange, const Outcome& outcome) noexcept;
  std::unique_ptr<Contents> contents(Exchange& exchange) const;
  Archive& archive_;
  SectionKey<TraceSettings> key_;
  SayingSlot slot_;
  std::vector<Second> seconds_;
};

/// Whether an exchange is in the sample: by its trace id, so that all that share one decide alike.
bool in_sample(const std::array<char, 32>& trace_id, double share);

}  // namespace causeway::traces
