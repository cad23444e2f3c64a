#include "features/insight/alerts/loop_lag.h"

#include "features/insight/alerts/measure.h"

namespace causeway::alerts {
namespace {

constexpr double kLate = 50'000;           // µs; less is not worth a word
constexpr std::uint64_t kFewestCalls = 4;  // so few say nothing

}  // namespace

std::optional<Event> LoopLag::look(Monotonic now, const Lateness& total,
                                   std::chrono::milliseconds window) {
  marks_.push_back({now, total});
  while (marks_.size() > 2 && marks_[1].at <= now - window) marks_.pop_front();
  const Lateness& first = marks_.front().total;
  const std::uint64_t calls = total.calls - first.calls;
  if (calls < kFewestCalls) return std::nullopt;
  const double mean =
      static_cast<double>((total.sum - first.sum).count()) / static_cast<double>(calls);
  if (mean < kLate) return std::nullopt;
  Event event;
  event.metric = Metric::LoopLag;
  event.subject = "Causeway itself";
  event.value = mean;
  event.text =
      "Causeway's loops are " + said_time(mean) + " late in the mean: it gets too little processor";
  event.cause = {"process", "processor", 0,
                 "Causeway itself: its loops get too little processor and are " + said_time(mean) +
                     " late in the mean; providers seem slower by it",
                 "Give Causeway more processor (CPU limits, neighbours, more replicas); "
                 "causeway_loop_late_seconds_total shows it."};
  return event;
}

}  // namespace causeway::alerts
