#include "features/insight/alerts/board.h"

#include <gtest/gtest.h>

namespace causeway::alerts {
namespace {

using namespace std::chrono_literals;

/// A board and its clock: a second is a tick.
class World {
 public:
  explicit World(AlertSettings settings) : board_(settings) {}

  static AlertSettings settings() {
    AlertSettings s;
    s.built_in = BuiltIn::Off;
    s.window = 10s;
    s.baseline = 100s;
    Rule rule;
    rule.name = "slow";
    rule.rise = 2;
    rule.per = Per::Provider;
    rule.hold = 3s;
    rule.clear = 5s;
    s.rules = {rule};
    return s;
  }

  /// Each second so many answers of this time from provider a.
  Board::Changes run(int seconds, double ms, int requests = 10) {
    Board::Changes all;
    for (int i = 0; i < seconds; ++i) {
      clock_.advance(1s);
      auto changes = board_.tick(clock_.now(), clock_.wall(), rows(ms, requests), events, lag);
      for (Alert& alert : changes.began) all.began.push_back(std::move(alert));
      for (Alert& alert : changes.ended) all.ended.push_back(std::move(alert));
    }
    return all;
  }
  State state() const { return board_.rules()[0].state; }
  Board& board() { return board_; }
  std::vector<Event> events;
  std::optional<double> lag;
  bool failing = false;  // half of the tries

 private:
  Rows rows(double ms, int requests) {
    if (requests == 0) return {};
    Row row{{"a/x", "m", "k"}, {}};
    const auto count = static_cast<float>(requests);
    row.counts.at[kRequests] = row.counts.at[kAnswered] = row.counts.at[kAttempts] = count;
    row.counts.at[kTotal] = row.counts.at[kGeneration] = static_cast<float>(ms * 1000) * count;
    row.counts.at[kTotals + bucket_of(static_cast<std::uint64_t>(ms * 1000))] = count;
    const auto timeouts = kAttemptErrors + static_cast<std::size_t>(ErrorKind::Timeout);
    if (failing) row.counts.at[timeouts] = count / 2;
    return {row};
  }
  ManualClock clock_;
  Board board_;
};

TEST(Board, RisesFiresAndEnds) {
  World world(World::settings());
  EXPECT_TRUE(world.run(60, 100).began.empty());
  EXPECT_EQ(world.state(), State::Ok);
  EXPECT_TRUE(world.run(2, 1000).began.empty());
  EXPECT_EQ(world.state(), State::Pending);
  const auto fired = world.run(3, 1000);
  ASSERT_EQ(fired.began.size(), 1u);
  EXPECT_EQ(world.state(), State::Firing);
  const Alert& alert = fired.began[0];
  EXPECT_EQ(alert.group, "provider a");
  EXPECT_NE(alert.summary.find("usually"), std::string::npos) << alert.summary;
  ASSERT_FALSE(alert.causes.empty());
  EXPECT_EQ(alert.causes[0].name, "a");
  EXPECT_NE(alert.traces.find("target=a%2F"), std::string::npos) << alert.traces;
  // The window must first forget the slow ones, then `clear`.
  EXPECT_TRUE(world.run(12, 100).ended.empty());
  const auto over = world.run(5, 100);
  ASSERT_EQ(over.ended.size(), 1u);
  EXPECT_LT(over.ended[0].value, over.ended[0].limit);
  EXPECT_TRUE(over.ended[0].summary.starts_with(
      "Answer time (95th percentile) of provider a: " + over.ended[0].value_text + " now, limit "))
      << over.ended[0].summary;
  EXPECT_TRUE(over.ended[0].summary.ends_with(", at worst 1.0 s")) << over.ended[0].summary;
  EXPECT_EQ(world.state(), State::Ok);
  ASSERT_EQ(world.board().recent().size(), 1u);
  EXPECT_TRUE(world.board().recent()[0].ended);
}

TEST(Board, FailedTriesLeadToTheirTraces) {
  AlertSettings settings = World::settings();
  Rule& rule = settings.rules[0];
  rule.when = Metric::ProviderErrors;
  rule.rise = 0;
  rule.limit = 0.2;
  World world(settings);
  world.failing = true;  // another target answers: none of the exchanges is an error
  const auto fired = world.run(5, 100);
  ASSERT_EQ(fired.began.size(), 1u);
  const std::string& traces = fired.began[0].traces;
  EXPECT_TRUE(traces.ends_with("&failed_target=a%2F%2A")) << traces;
  EXPECT_EQ(traces.find("errors=1"), std::string::npos) << traces;
}

TEST(Board, AShortPeakIsNoAlert) {
  AlertSettings settings = World::settings();
  settings.rules[0].hold = 15s;  // longer than a peak stays in the window
  World world(settings);
  world.run(60, 100);
  EXPECT_TRUE(world.run(2, 1000).began.empty());
  EXPECT_TRUE(world.run(30, 100).began.empty());
  EXPECT_EQ(world.state(), State::Ok);
}

TEST(Board, FlappingIsOneAlert) {
  AlertSettings settings = World::settings();
  settings.rules[0].clear = 30s;
  World world(settings);
  world.run(100, 100);
  Board::Changes changes = world.run(10, 1000);
  ASSERT_EQ(changes.began.size(), 1u);
  for (int i = 0; i < 8; ++i) {
    for (const double ms : {100.0, 1000.0}) {
      changes = world.run(14, ms);
      EXPECT_TRUE(changes.began.empty());
      EXPECT_TRUE(changes.ended.empty());
    }
  }
  EXPECT_EQ(world.run(60, 100).ended.size(), 1u);
}

TEST(Board, BetweenTheLimitsItGoesOn) {
  AlertSettings settings = World::settings();
  settings.rules[0].rise = 0;
  settings.rules[0].above = "450ms";
  settings.rules[0].limit = 450'000;
  World world(settings);
  world.run(20, 100);
  EXPECT_EQ(world.run(20, 600).began.size(), 1u);
  // Of 360 ms the percentile says 387: half an octave is as near as it comes.
  EXPECT_TRUE(world.run(60, 360).ended.empty()) << "below the limit, above 80 % of it";
  EXPECT_EQ(world.run(60, 200).ended.size(), 1u);
}

TEST(Board, ALongRiseIsNotTakenForUsual) {
  World world(World::settings());
  world.run(100, 100);
  EXPECT_EQ(world.run(20, 1000).began.size(), 1u);
  EXPECT_TRUE(world.run(1000, 1000).ended.empty()) << "ten times the baseline's length";
  EXPECT_EQ(world.state(), State::Firing);
}

TEST(Board, TooFewRequestsSayNothing) {
  AlertSettings settings = World::settings();
  settings.rules[0].requests = 20;
  World world(settings);
  world.run(60, 100, 1);
  EXPECT_TRUE(world.run(60, 5000, 1).began.empty());
  EXPECT_EQ(world.state(), State::NoData);
}

TEST(Board, WithoutABaselineARiseIsNotSeenAndALimitIs) {
  World world(World::settings());
  EXPECT_TRUE(world.run(9, 1000).began.empty());
  AlertSettings settings = World::settings();
  settings.rules[0].rise = 0;
  settings.rules[0].limit = 500'000;
  settings.rules[0].above = "500ms";
  World other(settings);
  EXPECT_EQ(other.run(9, 1000).began.size(), 1u);
}

TEST(Board, ItEndsWhereNobodyAsksAnyMore) {
  World world(World::settings());
  world.run(60, 100);
  EXPECT_EQ(world.run(10, 1000).began.size(), 1u);
  EXPECT_EQ(world.run(30, 0, 0).ended.size(), 1u);
}

TEST(Board, ARuleThatIsTakenAwayEndsItsAlert) {
  World world(World::settings());
  world.run(60, 100);
  EXPECT_EQ(world.run(10, 1000).began.size(), 1u);
  AlertSettings settings = World::settings();
  settings.rules[0].rise = 50;
  world.board().configure(settings);
  EXPECT_EQ(world.run(1, 1000).ended.size(), 1u);
  // One that stays as it is goes on.
  World same(World::settings());
  same.run(60, 100);
  EXPECT_EQ(same.run(10, 1000).began.size(), 1u);
  same.board().configure(World::settings());
  const auto changes = same.run(1, 1000);
  EXPECT_TRUE(changes.began.empty());
  EXPECT_TRUE(changes.ended.empty());
}

TEST(Board, Events) {
  AlertSettings settings = World::settings();
  settings.rules[0].when = Metric::Retirement;
  settings.rules[0].limit = 30;
  World world(settings);
  Event event;
  event.metric = Metric::Retirement;
  event.subject = "a/x";
  event.text = "Target a/x is retired on 2027-01-31, in 40 days";
  event.value = 40;
  world.events = {event};
  EXPECT_TRUE(world.run(3, 0, 0).began.empty());
  world.events[0].value = 29;
  const auto began = world.run(3, 0, 0).began;
  ASSERT_EQ(began.size(), 1u) << "once";
  EXPECT_EQ(began[0].value_text, "29 days");
  EXPECT_EQ(began[0].limit_text, "30 days");
  world.events.clear();
  EXPECT_EQ(world.run(3, 0, 0).ended.size(), 1u);
}

TEST(Board, LateLoopsAreAnAlertAndTheFirstCauseOfWhatIsSlow) {
  AlertSettings settings = World::settings();
  Rule late = settings.rules[0];
  late.name = "late";
  late.when = Metric::LoopLag;
  late.per = Per::All;
  late.rise = 0;
  late.limit = 100'000;
  settings.rules.push_back(late);
  World world(settings);
  EXPECT_TRUE(world.run(20, 100).began.empty()) << "nothing is known of it";
  world.lag = 90'000;
  EXPECT_TRUE(world.run(10, 100).began.empty()) << "below its limit";
  world.lag = 110'000;
  EXPECT_TRUE(world.run(2, 100).began.empty()) << "not for long enough";
  const auto began = world.run(3, 100).began;
  ASSERT_EQ(began.size(), 1u);
  EXPECT_EQ(began[0].value_text, "110 ms");
  EXPECT_EQ(began[0].limit_text, "100 ms");
  ASSERT_EQ(began[0].causes.size(), 1u);
  EXPECT_EQ(began[0].causes[0].kind, "process");
  EXPECT_EQ(began[0].advice, began[0].causes[0].advice);
  world.lag = 90'000;
  EXPECT_TRUE(world.run(20, 100).ended.empty()) << "above 80 % of it";
  world.lag = 500'000;
  const auto slow = world.run(10, 1000).began;
  ASSERT_EQ(slow.size(), 1u);
  ASSERT_GE(slow[0].causes.size(), 2u);
  EXPECT_EQ(slow[0].causes[0].kind, "process");
  EXPECT_EQ(slow[0].causes[1].kind, "provider");
  EXPECT_TRUE(slow[0].advice.starts_with("Give Causeway more processor")) << slow[0].advice;
  EXPECT_EQ(slow[0].advice.find("Fail over"), std::string::npos) << slow[0].advice;
  world.lag = 3'000;
  EXPECT_TRUE(world.run(3, 1000).ended.empty()) << "not well for long enough";
  const auto ended = world.run(5, 1000).ended;
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_NE(ended[0].summary.find("3.0 ms now, limit 100 ms, at worst 500 ms"), std::string::npos)
      << ended[0].summary;
}

TEST(Board, LoopsThatWereLateALittleDoNotExplainASlowProvider) {
  World world(World::settings());
  world.lag = 87'000;
  world.run(20, 100);
  const auto slow = world.run(10, 6000).began;
  ASSERT_EQ(slow.size(), 1u);
  EXPECT_EQ(slow[0].causes.front().kind, "provider");
  EXPECT_EQ(slow[0].causes.back().kind, "process");
  EXPECT_EQ(slow[0].advice.find("Causeway"), std::string::npos) << slow[0].advice;
}

TEST(Board, EventsOfOtherTargetsAreLeftOut) {
  AlertSettings settings = World::settings();
  settings.rules[0].when = Metric::ModelChange;
  settings.rules[0].targets = {"a/*"};
  World world(settings);
  for (const char* target : {"a/x", "b/x"}) {
    Event event;
    event.metric = Metric::ModelChange;
    event.subject = std::string("target ") + target;
    event.target = target;
    world.events.push_back(event);
  }
  const auto began = world.run(3, 0, 0).began;
  ASSERT_EQ(began.size(), 1u);
  EXPECT_EQ(began[0].group, "target a/x");
  EXPECT_EQ(began[0].traces, "?target=a%2Fx");
}

TEST(Board, BuiltInRulesAreReplacedByName) {
  AlertSettings settings;
  Rule own;
  own.name = "slow_answers";
  own.above = "9s";
  settings.rules = {own};
  int found = 0;
  for (const Rule& rule : all_rules(settings)) {
    if (rule.name == "slow_answers") {
      ++found;
      EXPECT_EQ(rule.above, "9s");
    }
  }
  EXPECT_EQ(found, 1);
}

}  // namespace
}  // namespace causeway::alerts
