#include "features/insight/evaluation/test_cases.h"

#include <gtest/gtest.h>

#include "platform/store/test_folder.h"

namespace causeway::evaluation {
namespace {

class Cases : public ::testing::Test {
 protected:
  Cases() { EXPECT_TRUE(cases.open()); }
  static Recorded recorded(const std::string& id, const std::string& tenant = "clinic") {
    Recorded one;
    one.id = id;
    one.tenant = tenant;
    one.model = "fast";
    one.operation = "chat";
    one.dialect = "openai";
    one.contents = R"({"request":"quicksilver"})";
    return one;
  }

  store::TestFolder test;
  store::DataFolder folder = test.folder();
  std::unique_ptr<store::Store> store = store::Store::open(folder).value();
  std::unique_ptr<store::Sealed> sealed = store::Sealed::open(*store, folder).value();
  ManualClock clock;
  TestCases cases{*store, *sealed, clock};
};

TEST_F(Cases, OneComesBackAsItWas) {
  const auto added = cases.add(recorded("req_1"), "a note", "key_1");
  ASSERT_TRUE(added) << added.error().message;
  const auto one = cases.one(added->id);
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(one->trace, "req_1");
  EXPECT_EQ(one->note, "a note");
  EXPECT_EQ(one->contents, R"({"request":"quicksilver"})");
  EXPECT_EQ(one->made_by, "key_1");
  const auto all = cases.all();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ(all->front().note, "a note");
  EXPECT_TRUE(all->front().contents.empty());
}

TEST_F(Cases, ATraceIsMarkedOnce) {
  ASSERT_TRUE(cases.add(recorded("req_1"), "", "k"));
  const auto again = cases.add(recorded("req_1"), "", "k");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, "test_case_exists");
  EXPECT_TRUE(cases.add(recorded("req_2"), "", "k"));
}

TEST_F(Cases, OneThatIsRemovedIsGone) {
  const auto added = cases.add(recorded("req_1"), "", "k");
  ASSERT_TRUE(added);
  EXPECT_TRUE(cases.remove(added->id));
  EXPECT_EQ(cases.one(added->id).error().code, "test_case_not_found");
  EXPECT_EQ(cases.remove(added->id).error().code, "test_case_not_found");
}

TEST_F(Cases, WhoErasesATenantErasesItsCases) {
  const auto gone = cases.add(recorded("req_1", "left"), "", "k");
  const auto kept = cases.add(recorded("req_2", "stays"), "", "k");
  ASSERT_TRUE(gone && kept);
  ASSERT_TRUE(sealed->erase("left"));
  EXPECT_EQ(cases.one(gone->id).error().code, "erased");
  const auto all = cases.all();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ(all->front().id, kept->id);
}

}  // namespace
}  // namespace causeway::evaluation
