// What the registry's metrics were, for an hour in steps of ten seconds and for a week in steps of
// five minutes: enough for a console without a database behind it. In memory and bounded; a restart
// begins anew. For one thread.
//
// Counters are kept as what they grew by in each step, histograms as what each bucket counted,
// gauges as their value at its end. Bytes are spent on what happened only (frame.h); where the
// bounds are reached the oldest steps go.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/metrics/frame.h"
#include "platform/metrics/registry.h"

namespace causeway::metrics {

/// Which part of a family is asked for.
struct Selection {
  std::string metric;
  std::vector<std::string> by;                              // labels that tell groups apart
  std::map<std::string, std::string, std::less<>> where{};  // labels that must have this value
  std::chrono::seconds window{3600};                        // up to now; at most a week
  std::size_t most_groups = 50;  // largest first; the others are one together
};

/// What several series together did, step by step.
struct Group {
  std::vector<std::string> labels;  // the values of Selection::by
  bool others = false;              // those past most_groups; then without labels
  /// Counter: increase. Gauge: value, NaN where there is none. Histogram: number of observations.
  std::vector<double> values;
  std::vector<double> sums{};                         // histogram: of the observations
  std::vector<std::vector<std::uint64_t>> buckets{};  // histogram: empty where it counted nothing
};

struct Past {
  Kind kind = Kind::Counter;
  std::vector<double> bounds;  // of a histogram
  std::chrono::seconds step{10};
  std::int64_t from = 0;    // Unix time at which the first step begins
  std::vector<bool> known;  // per step; false before the program began, or where nothing is kept
  std::vector<Group> groups;
};

class History {
 public:
  static constexpr std::chrono::seconds kFine{10}, kCoarse{300}, kCoarsest{1800};
  static constexpr std::chrono::seconds kFineKept{3600}, kMiddleWindow{24 * 3600},
      kKept{7 * 24 * 3600};

  struct Limits {
    std::size_t fine_bytes = 4 * 1024 * 1024;
    std::size_t coarse_bytes = 8 * 1024 * 1024;
    std::size_t series = 10'000;  // later ones are not recorded
  };

  /// Both outlive it.
  History(const Registry& registry, const Clock& clock) : History(registry, clock, Limits()) {}
  History(const Registry& registry, const Clock& clock, Limits limits);

  /// Samples the registry where a step of ten seconds has ended. To be called more often than that.
  void tick();

  /// Steps of ten seconds for windows up to an hour, of five minutes up to a day, else of half an
  /// hour; the last step of the longer ones has not ended yet. Errors: NotFound for a metric that
  /// is not there, InvalidRequest for a label that it does not have.
  Result<Past> read(const Selection& selection) const;

  /// Names of all metrics that were seen, for suggestions.
  std::vector<std::string> metrics() const;
  /// Memory that is taken, roughly.
  std::size_t bytes() const;
  /// How far back the longest windows reach.
  std::chrono::seconds reach() const;

 private:
  struct Frame {
    std::int64_t end;  // of its step, on the history's own clock
    std::string bytes;
  };
  struct Line {  // the frames of one step length
    std::deque<Frame> frames;
    std::size_t bytes = 0;
  };
  struct Family {
    std::string name;
    Kind kind;
    std::vector<std::string> labels;
    std::vector<double> bounds;
    std::unordered_map<std::string, SeriesId> series;
  };
  struct Series {
    std::size_t family;
    std::vector<std::string> labels;
    double last = 0;                      // counter's value, histogram's sum
    std::vector<std::uint64_t> counts{};  // histogram's buckets
  };
  struct Span;  // of one question

  std::int64_t now() const;
  void record(std::int64_t end);
  void record(const FamilySamples& family, std::size_t index, FrameWriter& frame);
  void record(Series& series, SeriesId id, const Sample& sample, FrameWriter& frame);
  Series* series_of(std::size_t family, const Sample& sample, SeriesId& id);
  void fold();
  static void push(Line& line, Frame frame, std::size_t most_frames, std::size_t most_bytes);
  std::vector<std::size_t> groups_of(const Family& family, const Selection& selection,
                                     const Span& span, Past& past) const;
  Span span_of(std::chrono::seconds window) const;
  template <class Visit>
  void each(const Span& span, const Family* family, Visit visit) const;
  void fill(Past& past, const Family& family, const Span& span,
            const std::vector<std::size_t>& groups) const;
  static constexpr std::size_t kNoGroup = static_cast<std::size_t>(-1);

  const Registry& registry_;
  const Clock& clock_;
  const Limits limits_;
  // The clock of frames is the monotonic one, begun at the wall's time: when that is set, all of
  // the past is told by the new time.
  const Monotonic began_;
  const std::int64_t began_at_;
  std::int64_t sampled_;      // end of the last step that was
  std::size_t unfolded_ = 0;  // fine frames at the end that no coarse one holds yet
  Line fine_, coarse_;
  std::vector<Family> families_;
  std::vector<Series> series_;
  std::string key_;  // of a look-up, kept for its memory
};

}  // namespace causeway::metrics
