// How a stage's word about what it must see again, and whether it watches an answer at all, is
// kept.
#include <gtest/gtest.h>

#include <cctype>

#include "exchange/testing/fakes.h"

namespace causeway::exchange {
namespace {

using namespace testing;

constexpr const char* kAskStream =
    R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})";

Script events(std::vector<std::string> pieces) {
  return {200, {{"content-type", "text/event-stream"}}, std::move(pieces)};
}

/// Capitalises whole words: the last one is held while it may go on.
class Capitals final : public Stage {
 public:
  std::string_view name() const override { return "capitals"; }
  unsigned hooks() const override { return kOnEvent; }
  Hold hold(const Sections&) const override { return Hold::asked(); }
  bool watches(const Exchange&) const override { return watching; }
  Verdict on_event(Exchange&, Event& event) override {
    ++seen;
    if (event.kind != EventKind::Text) return go_on();
    const std::string text(event.text->get());
    std::size_t begin = 0;
    for (std::size_t end; begin < text.size(); begin = end + 1) {
      end = std::min(text.find(' ', begin), text.size());
      if (end == text.size() && !event.last) break;
      if (begin == end) continue;
      const char first = static_cast<char>(std::toupper(text[begin]));
      event.text->replace(begin, begin + 1, {&first, 1});
    }
    if (!event.last) event.text->hold_from(begin);
    return go_on();
  }
  bool watching = true;
  int seen = 0;
};

TEST(Hold, AsMuchAsTheStageAsksForAndNoMore) {
  Capitals capitals;
  World world({&capitals});
  world.client.scripts.push_back(
      events({chunk("one tw"), chunk("o thr"), chunk("ee "), chunk_end()}));
  auto stream = world.chat(kAskStream);
  EXPECT_EQ(contents_of(stream->body), "One Two Three ");
  ASSERT_GE(stream->writes.size(), 3u);
  EXPECT_EQ(contents_of(stream->writes[0]), "One ") << "what is not asked for goes out at once";
}

TEST(Hold, WhatIsHeldGoesOutWithTheEnd) {
  Capitals capitals;
  World world({&capitals});
  world.client.scripts.push_back(events({chunk("on"), chunk("e"), chunk_end()}));
  EXPECT_EQ(contents_of(world.chat(kAskStream)->body), "One");
}

TEST(Hold, AnAnswerThatNobodyWatchesStaysAsItCame) {
  Capitals capitals;
  capitals.watching = false;
  World world({&capitals});
  world.client.scripts.push_back(events({chunk("on"), chunk("e"), chunk_end()}));
  EXPECT_EQ(world.chat(kAskStream)->body, chunk("on") + chunk("e") + chunk_end());
  EXPECT_EQ(capitals.seen, 0);
}

}  // namespace
}  // namespace causeway::exchange
