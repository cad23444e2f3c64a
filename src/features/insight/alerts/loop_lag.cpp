#include "features/insight/alerts/loop_lag.h"

#include <algorithm>

#include "features/insight/alerts/measure.h"

namespace causeway::alerts {
namespace {

constexpr std::uint64_t kFewestPulses = 8;  // of ten a second

}  // namespace

std::optional<double> LoopLag::look(Monotonic now, std::vector<net::Loop::Lateness> loops,
                                    std::chrono::milliseconds window) {
  marks_.push_back({now, std::move(loops)});
  while (marks_.size() > 2 && marks_[1].at <= now - window) marks_.pop_front();
  std::optional<double> latest;
  const auto& before = marks_.front().loops;
  const auto& after = marks_.back().loops;
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    if (after[i].pulses < before[i].pulses + kFewestPulses) continue;
    const auto pulses = static_cast<double>(after[i].pulses - before[i].pulses);
    const auto late = static_cast<double>((after[i].sum - before[i].sum).count());
    latest = std::max(latest.value_or(0), late / pulses);
  }
  return latest;
}

Cause cause_of_lag(double micros) {
  return {"process", "processor", 0,
          "Causeway itself: it gets too little processor, and looks " + said_time(micros) +
              " too late in the mean at what callers and providers send",
          "Give Causeway more processor: look at the CPU limit and throttling of its container, "
          "the load of the machine, its neighbours; or add replicas."};
}

}  // namespace causeway::alerts
