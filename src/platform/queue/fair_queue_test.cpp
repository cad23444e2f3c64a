#include "platform/queue/fair_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

namespace causeway::queue {
namespace {

struct Nothing {};
using Queue = FairQueue<Nothing>;

Nothing nobody() { return {}; }

bool anybody(const Share&) { return true; }

// Whom each turn goes to.
std::string turns(Queue& queue, std::map<std::uint64_t, char>& names, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = queue.next(anybody);
    if (!entry) break;
    out += names[entry->ticket];
  }
  return out;
}

TEST(FairQueue, AFloodWaitsBehindItself) {
  Queue queue;
  Share share;
  std::map<std::uint64_t, char> names;
  for (int i = 0; i < 1000; ++i) names[queue.add(1, "a", share, nobody()).ticket] = 'a';
  EXPECT_EQ(turns(queue, names, 100), std::string(100, 'a'));
  for (int i = 0; i < 10; ++i) names[queue.add(1, "b", share, nobody()).ticket] = 'b';
  const std::string next = turns(queue, names, 20);
  EXPECT_EQ(std::ranges::count(next, 'b'), 10);
  EXPECT_LE(next.find('b'), 1u);
  EXPECT_EQ(queue.size(), 890u);
}

TEST(FairQueue, SharesByWeightWithinOneTurn) {
  Queue queue;
  Share share, heavy{.weight = 3};
  std::map<std::uint64_t, char> names;
  for (int i = 0; i < 400; ++i) {
    names[queue.add(1, "a", share, nobody()).ticket] = 'a';
    names[queue.add(1, "b", heavy, nobody()).ticket] = 'b';
  }
  const std::string all = turns(queue, names, 400);
  for (std::size_t i = 4; i <= all.size(); i += 4) {
    EXPECT_NEAR(static_cast<double>(std::count(all.begin(), all.begin() + long(i), 'b')),
                0.75 * static_cast<double>(i), 1.01);
  }
}

TEST(FairQueue, PriorityGoesFirstAndWhoLeftIsGone) {
  Queue queue;
  Share share;
  std::map<std::uint64_t, char> names;
  const auto low = queue.add(2, "a", share, nobody());
  names[low.ticket] = 'l';
  names[queue.add(1, "a", share, nobody()).ticket] = 'n';
  const auto gone = queue.add(0, "b", share, nobody());
  names[queue.add(0, "b", share, nobody()).ticket] = 'h';
  EXPECT_TRUE(queue.remove(gone));
  EXPECT_FALSE(queue.remove(gone));
  EXPECT_EQ(queue.before(1, "c", 1), 2u);
  EXPECT_EQ(turns(queue, names, 9), "hnl");
  EXPECT_FALSE(queue.remove(low));
}

TEST(FairQueue, InAFullOneTheGreedyGiveWay) {
  Queue queue;
  Share share;
  for (int i = 0; i < 10; ++i) queue.add(1, "a", share, nobody());
  EXPECT_TRUE(queue.make_room(1, "b", 1));
  EXPECT_FALSE(queue.make_room(1, "a", 1));
  EXPECT_FALSE(queue.make_room(2, "c", 1));
  EXPECT_TRUE(queue.make_room(0, "a", 1));
  EXPECT_EQ(queue.size(), 8u);
}

TEST(FairQueue, WhoMayNotGoIsPassedOver) {
  Queue queue;
  Share many{.in_flight = 9}, none;
  std::map<std::uint64_t, char> names;
  names[queue.add(1, "a", many, nobody()).ticket] = 'a';
  names[queue.add(1, "b", none, nobody()).ticket] = 'b';
  const auto next = queue.next([](const Share& share) { return share.in_flight < 9; });
  ASSERT_TRUE(next);
  EXPECT_EQ(names[next->ticket], 'b');
  EXPECT_FALSE(queue.next([](const Share& share) { return share.in_flight < 9; }));
  EXPECT_EQ(many.waiting, 1u);
  EXPECT_EQ(queue.size(), 1u);
}

TEST(FairQueue, TheFirstIsSeenBeforeItGoes) {
  Queue queue;
  Share share;
  EXPECT_FALSE(queue.front());
  queue.add(2, "a", share, nobody());
  const auto high = queue.add(0, "b", share, nobody());
  EXPECT_EQ(queue.front()->ticket, high.ticket);
  EXPECT_EQ(queue.next(anybody)->ticket, high.ticket);
  EXPECT_NE(queue.front()->ticket, high.ticket);
}

}  // namespace
}  // namespace causeway::queue
