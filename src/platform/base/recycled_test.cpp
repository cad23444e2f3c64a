#include "platform/base/recycled.h"

#include <gtest/gtest.h>

#include <cstring>
#include <list>
#include <random>
#include <thread>
#include <vector>

namespace causeway {
namespace {

TEST(Recycled, GivesBlocksThatNobodyElseHas) {
  std::minstd_rand random(1);
  std::vector<RecycledString> held(500);
  std::vector<char> letters(held.size());
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t at = random() % held.size();
    ASSERT_EQ(held[at].find_first_not_of(letters[at]), RecycledString::npos);
    letters[at] = static_cast<char>('a' + random() % 26);
    held[at] = RecycledString(random() % 20'000, letters[at]);
  }
}

TEST(Recycled, ABlockMayBeFreedOnAnotherThread) {
  for (int round = 0; round < 20; ++round) {
    std::vector<RecycledString> made(300, RecycledString(3000, 'x'));
    std::thread([moved = std::move(made)]() mutable { moved.clear(); }).join();
  }
  std::list<int, Recycled<int>> numbers;
  for (int i = 0; i < 1000; ++i) numbers.push_back(i);
  EXPECT_EQ(numbers.back(), 999);
}

TEST(Recycled, AnEmptyBlockIsABlock) {
  void* block = detail::allocate_recycled(0);
  ASSERT_TRUE(block);
  std::memset(block, 0, 1);
  detail::free_recycled(block, 0);
}

}  // namespace
}  // namespace causeway
