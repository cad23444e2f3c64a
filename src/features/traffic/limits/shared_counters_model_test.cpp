// What the scripts count, beside everything that was ever taken, as plainly as it can be said.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "features/traffic/limits/shared_counters_test_support.h"

namespace causeway::limits {
namespace {

class Model {
 public:
  std::int64_t used(const SharedAmount& one, std::int64_t now) const {
    std::int64_t sum = 0;
    const auto found = taken_.find(name(one));
    if (found == taken_.end()) return 0;
    const bool window = one.kind == SharedKind::Window;
    auto at = window ? found->second.lower_bound(slot_of(one, now) - 60) : found->second.begin();
    for (; at != found->second.end(); ++at) sum += at->second;
    return sum;
  }
  std::int64_t wait_ms(const SharedAmount& one, std::int64_t now) const {
    for (std::int64_t later = now;; later = (slot_of(one, later) + 1) * length(one)) {
      if (used(one, later) + one.amount <= one.most) return (later - now + 999) / 1000;
    }
  }
  void add(const SharedAmount& one, std::int64_t slot, std::int64_t amount) {
    taken_[name(one)][slot] += amount;
  }
  static std::int64_t length(const SharedAmount& one) { return one.window_ms * 1000 / 60; }
  static std::int64_t slot_of(const SharedAmount& one, std::int64_t now) {
    return one.kind == SharedKind::Window ? now / length(one) : 0;
  }

 private:
  static std::string name(const SharedAmount& one) {
    return std::to_string(static_cast<int>(one.kind)) + one.key + ' ' + std::to_string(one.ends);
  }
  std::map<std::string, std::map<std::int64_t, std::int64_t>> taken_;
};

TEST_F(SharedTest, TwentyThousandStepsLikeAPlainModel) {
  struct Step {
    std::vector<SharedAmount> wanted;
    std::int64_t now = 0;
    bool granted = false;
    std::size_t which = 0;
    std::vector<std::int64_t> used;
    std::int64_t wait = 0;
    Outcome outcome;
  };
  const auto with = client();
  SharedCounters counters(loop, *with, timed(std::chrono::milliseconds(kLargest / 10'000)));
  warm(*with, counters);
  Model model;
  std::mt19937 random(7);
  std::vector<Step> held;
  std::map<std::pair<std::string, std::int64_t>, std::int64_t> totals;  // of this replica
  std::size_t grants = 0, refusals = 0;
  constexpr std::size_t kBatch = 200;
  for (std::size_t done = 0; done < 20'000; done += kBatch) {
    std::vector<Step> steps(kBatch);  // in one turn: Redis has them in this order
    for (Step& step : steps) {
      now += random() % 1'500'000;
      if (random() % 3 == 0 && !held.empty()) {
        const std::size_t at = random() % held.size();
        Step one = std::move(held[at]);
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
        Reals real;
        for (std::size_t i = 0; i < one.wanted.size(); ++i) {
          const SharedAmount& part = one.wanted[i];
          const bool running = part.kind == SharedKind::Concurrent;
          real.push_back(running ? 0 : random() % (2 * part.amount + 1));
          // Of a period that is over nobody counts any more.
          if (part.kind == SharedKind::Period && part.ends * 1'000'000 <= now) {
            real.back() = std::nullopt;
            continue;
          }
          model.add(part, Model::slot_of(part, one.now), *real.back() - part.amount);
          if (part.kind == SharedKind::Period) {
            auto& total = totals[{part.key, part.ends}];
            total += *real.back();
            real.back() = total;
          }
        }
        settle(counters, **one.outcome, real);
      }
      step.now = now;
      for (unsigned i = 0; i < 1 + random() % 3; ++i) {
        const std::int64_t amount = 1 + random() % 40;
        std::array<SharedAmount, 3> kinds{window("w" + std::to_string(random() % 3), 900, amount),
                                          month("m" + std::to_string(random() % 2), 2'000, amount),
                                          running("c" + std::to_string(random() % 3), 60)};
        kinds[0].window_ms = kinds[0].key == "w0" ? 1'000 : kinds[0].key == "w1" ? 60'000 : 77'777;
        kinds[1].ends = (now / 300'000'000 + 1) * 300;
        const SharedAmount& one = kinds[random() % 3];
        if (std::ranges::find(step.wanted, one.key, &SharedAmount::key) == step.wanted.end()) {
          step.wanted.push_back(one);
        }
      }
      step.granted = true;
      for (std::size_t i = 0; i < step.wanted.size(); ++i) {
        const SharedAmount& one = step.wanted[i];
        step.used.push_back(model.used(one, now));
        if (!step.granted || step.used[i] + one.amount <= one.most) continue;
        step.granted = false;
        step.which = i;
        if (one.kind == SharedKind::Window) step.wait = model.wait_ms(one, now);
      }
      for (std::size_t i = 0; step.granted && i < step.wanted.size(); ++i) {
        model.add(step.wanted[i], Model::slot_of(step.wanted[i], now), step.wanted[i].amount);
        step.used[i] += step.wanted[i].amount;
      }
      spawn(run_reserve(counters, step.wanted, step.outcome));
    }
    ASSERT_TRUE(until([&] {
      return std::ranges::all_of(steps, [](const Step& step) { return step.outcome.has_value(); });
    }));
    for (Step& step : steps) {
      ASSERT_TRUE(*step.outcome) << step.outcome->error().detail;
      const SharedVerdict& verdict = **step.outcome;
      ASSERT_EQ(verdict.granted, step.granted);
      ASSERT_EQ(verdict.which, step.which);
      for (std::size_t i = 0; i < step.wanted.size(); ++i) {
        ASSERT_EQ(verdict.standings[i].used, step.used[i]) << step.wanted[i].key;
      }
      if (step.wait > 0) {
        ASSERT_EQ(verdict.standings[step.which].wait_ms, step.wait);
      }
      ++(step.granted ? grants : refusals);
      if (step.granted) held.push_back(std::move(step));
    }
  }
  EXPECT_GT(grants, 3'000u);
  EXPECT_GT(refusals, 3'000u);
}

}  // namespace
}  // namespace causeway::limits
