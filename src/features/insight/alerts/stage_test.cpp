#include "features/insight/alerts/stage.h"

#include <gtest/gtest.h>

#include "core/operation.h"

namespace causeway::alerts {
namespace {

using namespace std::chrono_literals;

/// An exchange at its end, without a runner.
class World {
 public:
  World() : exchange(layout_) {
    operation_.kind = OperationKind::Chat;
    operation_.body = BodyKind::Json;
    exchange.context = &context_;
    exchange.operation = &operation_;
    caller_.key_id = "key_1";
    caller_.key_name = "shop";
    exchange.principal = &caller_;
    model_.name = "fast";
    exchange.model = &model_;
    exchange.model_name = model_.name;
    exchange.outcome.status = 200;
  }
  Attempt& attempt(const Target& target) {
    Attempt& one = exchange.attempts.emplace_back();
    one.target = &target;
    one.dialect = nullptr;
    return one;
  }
  Rows end() {
    stage.on_done(exchange, exchange.outcome);
    return Collector(stage.cells()).take();
  }

  const Target north = make_target("north/small", nullptr, "small");
  const Target south = make_target("south/small", nullptr, "small");
  AlertStage stage{1};

 private:
  SlotLayout layout_;
  Operation operation_;
  LoopContext context_;
  Principal caller_;
  Model model_;

 public:
  Exchange exchange;
};

TEST(AlertStage, PartsOfAStreamAddUpToTheWhole) {
  World world;
  Attempt& failed = world.attempt(world.south);
  failed.error = fail(ErrorKind::Timeout, Origin::Upstream, "").error();
  failed.took = 300ms;
  Attempt& answered = world.attempt(world.north);
  answered.connecting = 20ms;
  answered.waited = 1600ms;  // for the provider
  Outcome& outcome = world.exchange.outcome;
  outcome.streamed = true;
  outcome.total = 5600ms;  // 3 s more of them while the caller did not read
  outcome.caller = 600ms;  // that long the caller took to send its request
  outcome.to_first_content = 1500ms;
  outcome.upstream = 800ms;
  outcome.usage.input_uncached = 70;
  outcome.usage.output_visible = 50;
  world.exchange.cost_micros = 12;
  const Rows rows = world.end();
  ASSERT_EQ(rows.size(), 2u);
  const Row& north = rows[0];
  EXPECT_EQ(north.subject, (Subject{"north/small", "fast", "shop"}));
  EXPECT_EQ(north.counts[kRequests], 1);
  EXPECT_EQ(north.counts[kLost], 300'000);
  EXPECT_EQ(north.counts[kNetwork], 20'000);
  EXPECT_EQ(north.counts[kFirst], 480'000);
  EXPECT_EQ(north.counts[kQueue], 100'000);
  EXPECT_EQ(north.counts[kGeneration], 1'100'000);
  EXPECT_EQ(north.counts[kTotal], 2'000'000);
  EXPECT_EQ(north.counts[kInput], 70);
  EXPECT_EQ(north.counts[kOutput], 50);
  EXPECT_EQ(north.counts[kCost], 12);
  const Row& south = rows[1];
  EXPECT_EQ(south.counts[kRequests], 0);
  EXPECT_EQ(south.counts[kAttempts], 1);
  EXPECT_EQ(south.counts[kAttemptErrors + static_cast<std::size_t>(ErrorKind::Timeout)], 1);
}

TEST(AlertStage, AWholeAnswerAndAnError) {
  World world;
  world.attempt(world.north);
  world.exchange.outcome.total = 500ms;
  world.exchange.outcome.to_first_content = 499ms;
  world.exchange.outcome.upstream = 450ms;
  world.stage.on_done(world.exchange, world.exchange.outcome);
  world.exchange.outcome.error = fail(ErrorKind::UpstreamFailed, Origin::Upstream, "").error();
  const Rows rows = world.end();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].counts[kRequests], 2);
  EXPECT_EQ(rows[0].counts[kAnswered], 1);
  EXPECT_EQ(rows[0].counts[kStreams], 0);
  EXPECT_EQ(rows[0].counts[kGeneration], 450'000);
  EXPECT_EQ(rows[0].counts[kQueue], 50'000);
  EXPECT_EQ(rows[0].counts[kErrors + static_cast<std::size_t>(ErrorKind::UpstreamFailed)], 1);
}

TEST(AlertStage, OurOwnLimitsAreNoFailuresAndAProvidersAre) {
  World world;
  const auto counted = [&world](ErrorKind kind, Origin origin) {
    world.exchange.outcome.error = fail(kind, origin, "").error();
    const Rows rows = world.end();
    EXPECT_EQ(rows.size(), 1u);
    return failures(rows[0].counts, kErrors);  // so far
  };
  EXPECT_EQ(counted(ErrorKind::RateLimited, Origin::Us), 0);
  EXPECT_EQ(counted(ErrorKind::QuotaExhausted, Origin::Us), 0);
  EXPECT_EQ(counted(ErrorKind::Overloaded, Origin::Us), 1);
  EXPECT_EQ(counted(ErrorKind::RateLimited, Origin::Upstream), 2);
  EXPECT_EQ(counted(ErrorKind::QuotaExhausted, Origin::Upstream), 3);
  world.attempt(world.north);
  world.exchange.outcome.error = fail(ErrorKind::RateLimited, Origin::Us, "").error();
  EXPECT_EQ(failures(world.end()[1].counts, kErrors), 1) << "the full queue of an engine";
}

TEST(AlertStage, WhoIsRefusedIsNoRequest) {
  World world;
  world.exchange.principal = nullptr;
  world.exchange.model = nullptr;
  world.exchange.outcome.error = fail(ErrorKind::Unauthenticated, Origin::Client, "").error();
  const Rows rows = world.end();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].counts[kRequests], 0);
  EXPECT_EQ(rows[0].counts[kErrors + static_cast<std::size_t>(ErrorKind::Unauthenticated)], 1);
}

TEST(AlertStage, HearsWhoMadeTheAnswer) {
  World world;
  const auto answer = [&](std::string_view model, std::string translated) {
    world.exchange.attempts.clear();
    Attempt& attempt = world.attempt(world.north);
    attempt.translated = std::move(translated);
    attempt.made_by.model_size =
        static_cast<std::uint8_t>(model.copy(attempt.made_by.model_bytes.data(), 64));
    world.stage.on_done(world.exchange, world.exchange.outcome);
    std::vector<Maker> heard;
    std::size_t from = 0;
    world.stage.makers()[0]->read(from, heard);
    return heard;
  };
  EXPECT_TRUE(answer("", "").empty());
  EXPECT_TRUE(answer("fast", "{}").empty()) << "our own word in a translated answer";
  const auto heard = answer("small-2026-01-01", "");
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].model, "small-2026-01-01");
  EXPECT_EQ(heard[0].target, "north/small");
}

}  // namespace
}  // namespace causeway::alerts
