#include "features/insight/traces/stage.h"

#include <gtest/gtest.h>

#include "core/operation.h"
#include "features/insight/traces/query.h"
#include "platform/store/test_folder.h"

namespace causeway::traces {
namespace {

using namespace std::chrono_literals;

std::array<char, 32> trace_id(std::string_view end) {
  std::array<char, 32> id;
  id.fill('0');
  end.copy(id.data() + 32 - end.size(), end.size());
  return id;
}

TEST(Sample, IsAShareByTheTraceId) {
  EXPECT_TRUE(in_sample(trace_id("ffffffff"), 1));
  EXPECT_FALSE(in_sample(trace_id("00000000"), 0));
  EXPECT_TRUE(in_sample(trace_id("3fffffff"), 0.25));
  EXPECT_FALSE(in_sample(trace_id("40000000"), 0.25));
}

TEST(Contents, AreCutWhereTheyAreLarge) {
  Contents contents;
  contents.set_request(std::string(Contents::kMost + 10, 'x'));
  EXPECT_TRUE(contents.request_cut);
  EXPECT_EQ(contents.request.size(), Contents::kMost);
  for (int i = 0; i < 300; ++i) contents.add({}, std::string(1000, 'y'));
  EXPECT_TRUE(contents.answer_cut);
  EXPECT_EQ(contents.answer.size(), 1u);
  EXPECT_EQ(contents.answer[0].text.size(), Contents::kMost);
  const auto again = Contents::decode(contents.encoded());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->request, contents.request);
  EXPECT_EQ(again->answer[0].text, contents.answer[0].text);
  EXPECT_TRUE(again->answer_cut);
}

TEST(Contents, DamagedBytesAreRefused) {
  Contents contents;
  contents.set_request("request");
  contents.add({.choice = 1, .item = 2, .channel = Channel::Reasoning}, "answer");
  contents.add_tool({.choice = 0, .item = 1, .channel = Channel::ToolArguments}, "lookup");
  const std::string bytes = contents.encoded();
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(Contents::decode(std::string_view(bytes).substr(0, cut))) << cut;
  }
}

TEST(WordSearch, ReadsEscapes) {
  Contents contents;
  contents.set_request(R"(pair \ud83d\ude00 quote \" back\\slash tab\tx broken \u12)");
  for (const char* words : {"\xF0\x9F\x98\x80", "quote \"", "back\\slash", "tab x", "PAIR"}) {
    EXPECT_TRUE(WordSearch(words).found_in(contents)) << words;
  }
  EXPECT_FALSE(WordSearch("ud83d").found_in(contents));
}

TEST(Query, Times) {
  const Wall now{std::chrono::hours(1'000'000)};
  const std::int64_t micros = 3'600'000'000'000'000;
  EXPECT_EQ(read_time("15m", now), micros - 900'000'000);
  EXPECT_EQ(read_time("1970-01-02", now), 86'400'000'000);
  EXPECT_EQ(read_time("1970-01-02T01:00:01Z", now), 90'001'000'000);
  for (const char* wrong : {"", "yesterday", "2026-13-01", "2026-01-01T25:00:00Z",
                            "2026-01-01T10:00:00", "2026-01-01 10:00", "2026-1-1"}) {
    EXPECT_EQ(read_time(wrong, now), std::nullopt) << wrong;
  }
}

// An exchange under a policy, without a runner.
class World {
 public:
  explicit World(TraceSettings settings)
      : folder_(test_.folder()),
        store_(store::Store::open(folder_).value()),
        sealed_(store::Sealed::open(*store_, folder_).value()),
        log_({.sink = [](std::string_view) {}}, clock_),
        archive_(
            {.folder = test_.path / "traces", .sealed = *sealed_, .log = log_, .clock = clock_}),
        slot_(layout_.add<Saying>()),
        exchange(layout_) {
    policy_.sections.set(0, std::make_shared<TraceSettings>(std::move(settings)));
    operation_.kind = OperationKind::Chat;
    operation_.body = BodyKind::Json;
    context_.clock = &clock_;
    exchange.context = &context_;
    exchange.operation = &operation_;
    exchange.policy = &policy_;
    exchange.trace_id = trace_id("ffffffff");
    exchange.outcome.status = 200;
    exchange.index.body = kBody;
    exchange.request = Request(exchange.index);
  }
  void attempt(bool reaches_the_provider = true) {
    Attempt& one = exchange.attempts.emplace_back();
    one.target = &target_;
    one.request = exchange.request.fork();
    if (!reaches_the_provider) return;
    ASSERT_TRUE(SentStage(key_, slot_).on_attempt(exchange, one));
  }
  void hear(std::string_view text) {
    SaidStage stage(key_, slot_);
    if (!stage.watches(exchange)) return;
    EventText words{std::string(text)};
    Event event;
    event.text = &words;
    ASSERT_TRUE(stage.on_event(exchange, event));
  }
  std::vector<Found> end() {
    TraceStage(archive_, key_, slot_).on_done(exchange, exchange.outcome);
    return archive_.search({}).results.traces;
  }
  Result<Contents> contents(const std::vector<Found>& found) {
    return archive_.contents(found.at(0).trace.id);
  }
  bool enabled() const { return SentStage(key_, slot_).enabled(policy_.sections); }

 private:
  static constexpr std::string_view kBody = R"({"model":"m"})";
  store::TestFolder test_;
  store::DataFolder folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Sealed> sealed_;
  SystemClock clock_;
  log::Log log_;
  Archive archive_;
  SlotLayout layout_;
  SayingSlot slot_;
  SectionKey<TraceSettings> key_{0};
  EffectivePolicy policy_;
  Operation operation_;
  LoopContext context_;
  Target target_ = make_target("p/m", nullptr, "m");

 public:
  Exchange exchange;
};

TraceSettings with_contents() {
  TraceSettings settings;
  settings.contents = Words::On;
  return settings;
}

TEST(TraceStage, ContentsOnlyWhereAPolicySaysSo) {
  World silent{TraceSettings{}};
  EXPECT_FALSE(silent.enabled());
  EXPECT_FALSE(silent.end().at(0).trace.has_contents);
  World world(with_contents());
  EXPECT_TRUE(world.enabled());
  world.attempt();
  world.hear("a");
  world.hear("b");
  const auto found = world.end();
  ASSERT_TRUE(found.at(0).trace.has_contents);
  EXPECT_EQ(world.contents(found)->request, R"({"model":"m"})");
  EXPECT_EQ(world.contents(found)->answer.at(0).text, "ab");
}

TEST(TraceStage, TheLastThatWasSentIsKept) {
  World world(with_contents());
  world.attempt();
  world.hear("of the first");
  world.attempt();
  world.hear("of the second");
  world.attempt(false);  // refused by a stage in front
  const auto found = world.end();
  EXPECT_EQ(world.contents(found)->answer.at(0).text, "of the second");
  World refused(with_contents());
  refused.attempt(false);
  EXPECT_FALSE(refused.end().at(0).trace.has_contents);
}

TEST(TraceStage, Rules) {
  TraceSettings settings = with_contents();
  settings.off = true;
  EXPECT_TRUE(World(settings).end().empty());
  settings.off = false;
  settings.share = 0;
  EXPECT_TRUE(World(settings).end().empty());
  settings.always = {Always::Errors};
  EXPECT_TRUE(World(settings).end().empty());
  World failed(settings);
  failed.attempt();
  failed.exchange.outcome.status = 503;
  EXPECT_TRUE(failed.end().at(0).trace.has_contents);
  settings.always = {Always::Slow};
  World slow(settings);
  slow.exchange.outcome.total = 10s;
  EXPECT_EQ(slow.end().size(), 1u);
  World quick(settings);
  quick.exchange.outcome.total = 9999ms;
  EXPECT_TRUE(quick.end().empty());
}

TEST(TraceStage, WithoutAPolicyItIsRecorded) {
  World world{TraceSettings{}};
  world.exchange.policy = nullptr;
  world.exchange.outcome.status = 401;
  EXPECT_EQ(world.end().at(0).trace.status, 401u);
}

}  // namespace
}  // namespace causeway::traces
