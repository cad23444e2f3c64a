// What is usual, and what is far above it. Of each subject: its requests in the last ten seconds,
// and how many it usually has in ten seconds in which it asks at all. Bounded: who has not been
// seen longest makes room. Safe from any thread; a short lock on one of 64 parts.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "features/traffic/anomalies/subject.h"
#include "platform/base/clock.h"

namespace causeway::anomalies {

struct Limits {
  double floor = 100, factor = 10;
  std::uint32_t subjects = 65'536;
};

/// A rate above the limit, in requests per ten seconds.
struct Excess {
  double rate = 0, usual = 0;
};

class Rates {
 public:
  static constexpr std::chrono::seconds kWindow{10};
  /// One more request. An Excess where there are too many now; the subject then begins again.
  std::optional<Excess> note(Kind kind, Mark mark, const Limits& limits, Monotonic now);
  void forget(Mark mark);
  /// Usual for a subject of this kind of which nothing is known.
  double usual(Kind kind) const;
  std::size_t size() const;

 private:
  struct Seen {
    std::int64_t window = 0;  // number of the window that `count` is of
    float count = 0, before = 0;
    float usual = 0;
    std::uint32_t learnt = 0;  // windows
  };
  struct alignas(64) Part {
    mutable std::mutex mutex;
    std::unordered_map<Mark, Seen> seen;
    std::size_t hand = 0;
  };
  void learn(Kind kind, Seen& seen, const Limits& limits);
  static void make_room(Part& part);
  Part& part_of(Mark mark) { return parts_[(mark >> 32) % parts_.size()]; }

  std::array<Part, 64> parts_;
  std::array<std::atomic<float>, kKinds> population_{};
};

}  // namespace causeway::anomalies
