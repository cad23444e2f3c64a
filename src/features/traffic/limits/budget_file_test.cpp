#include "features/traffic/limits/budget_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "features/traffic/limits/testing/asking.h"

namespace causeway::limits {
namespace {

using namespace std::chrono_literals;

class BudgetFileTest : public ::testing::Test {
 protected:
  BudgetFileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "budgetsXXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~BudgetFileTest() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<BudgetFile> open() {
    auto file = BudgetFile::open(folder_ / "budgets", told_);
    EXPECT_TRUE(file);
    return std::move(*file);
  }
  std::filesystem::path folder_;
  std::string told_;
  const Wall now_{1000h}, end_{2000h};
};

TEST_F(BudgetFileTest, NamesTheReplicaForGoodAndListsWhatRuns) {
  std::string name;
  {
    const auto file = open();
    name = file->replica();
    EXPECT_EQ(name.size(), 16u);
    ASSERT_TRUE(file->write(key_of(1), now_ + 1h, 5, now_));
    ASSERT_TRUE(file->write(key_of(2), now_ + 10s, 6, now_));
  }
  const auto again = open();
  EXPECT_EQ(again->replica(), name);
  EXPECT_EQ(again->running(now_).size(), 2u);
  const auto later = again->running(now_ + 1min);
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(later[0].key, key_of(1));
  EXPECT_EQ(later[0].spent, 5);
}

TEST_F(BudgetFileTest, RemembersOverAnEnd) {
  open()->write(key_of(1), end_, 12'345, now_);
  auto file = open();
  EXPECT_EQ(file->read(key_of(1), end_), 12'345);
  EXPECT_EQ(file->read(key_of(1), end_ + 1h), 0) << "another period";
  EXPECT_EQ(file->read(key_of(2), end_), 0);
  EXPECT_TRUE(told_.empty());
}

TEST_F(BudgetFileTest, ReusesWhatIsOverAndSaysWhenItIsFull) {
  auto file = open();
  const SubjectKey base{100, 1};
  std::uint64_t number = 2;
  while (file->write({100, number}, end_, 1, now_)) ++number;
  EXPECT_EQ(number, 2u + 64);
  EXPECT_EQ(file->dropped(), 1u);
  EXPECT_TRUE(file->write(base, end_ + 100h, 7, end_ + 1s)) << "the others' time is over";
  EXPECT_EQ(file->read(base, end_ + 100h), 7);
}

TEST_F(BudgetFileTest, PutsAsideWhatItCannotRead) {
  std::ofstream(folder_ / "budgets") << std::string(10'000, 'x');
  auto file = open();
  EXPECT_NE(told_.find(".broken"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "budgets.broken"));
  EXPECT_TRUE(file->write(key_of(1), end_, 5, now_));
}

TEST_F(BudgetFileTest, ATableGoesOnWhereTheOneBeforeItEnded) {
  ManualClock clock;
  const Limit limit = monthly(1000);
  {
    auto file = open();
    Table table(clock, 1000, file.get());
    Asking one{table, limit}, pending{table, limit};
    ASSERT_FALSE(one.take(700));
    (void)table.settle(limit, one.taken, 600);
    ASSERT_FALSE(pending.take(300));  // its process is killed
  }
  auto file = open();
  Table table(clock, 1000, file.get());
  Asking more{table, limit};
  ASSERT_TRUE(more.take(401));
  ASSERT_FALSE(more.take(400));
  EXPECT_EQ(more.standing.used, 1000);
}

}  // namespace
}  // namespace causeway::limits
