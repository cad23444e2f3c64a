#include "features/traffic/faq/entries.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "platform/store/test_folder.h"

namespace causeway::faq {
namespace {

class EntriesTest : public ::testing::Test {
 protected:
  EntriesTest() { EXPECT_TRUE(entries->open()); }
  static Draft draft(std::string question, std::string answer = "Quicksilver.",
                     std::string tenant = "") {
    Draft one;
    one.questions = {std::move(question)};
    one.answer = std::move(answer);
    one.tenant = std::move(tenant);
    return one;
  }
  Entry added(Draft draft) {
    auto entry = entries->add(std::move(draft), "key_1");
    EXPECT_TRUE(entry) << entry.error().message;
    return entry.value_or(Entry{});
  }
  std::size_t count() const { return entries->tables().get()->entries().size(); }
  void open_again() {
    entries = std::make_unique<Entries>(*store, *sealed, clock);
    EXPECT_TRUE(entries->open());
  }

  store::TestFolder test;
  store::DataFolder folder = test.folder();
  std::unique_ptr<store::Store> store = store::Store::open(folder).value();
  std::unique_ptr<store::Sealed> sealed = store::Sealed::open(*store, folder).value();
  ManualClock clock;
  std::unique_ptr<Entries> entries = std::make_unique<Entries>(*store, *sealed, clock);
};

TEST_F(EntriesTest, OneComesBackAfterARestart) {
  Draft wanted = draft("What is it?");
  wanted.questions.push_back("Which is it?");
  wanted.language = "en";
  wanted.models = {"fast"};
  wanted.valid_from = 5;
  wanted.valid_until = 86400;
  const Entry one = added(wanted);
  open_again();
  const auto table = entries->tables().get();
  const Entry* back = table->by_id(one.id);
  ASSERT_TRUE(back);
  EXPECT_EQ(static_cast<const Draft&>(*back), wanted);
  EXPECT_EQ(back->version, 1);
  EXPECT_EQ(back->changed_by, "key_1");
}

TEST_F(EntriesTest, EachChangeIsAVersion) {
  const Entry one = added(draft("What?", "first"));
  const auto change = [](std::string answer) {
    return [answer](Draft& draft) -> Result<void> {
      draft.answer = answer;
      return {};
    };
  };
  auto second = entries->update(one.id, 1, change("second"), "key_2");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->version, 2);
  const auto stale = entries->update(one.id, 1, change("third"), "key_3");
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, "faq_version");
  EXPECT_EQ(stale.error().kind, ErrorKind::Conflict);
  const auto versions = entries->versions(one.id);
  ASSERT_TRUE(versions);
  ASSERT_EQ(versions->size(), 2u);
  EXPECT_EQ((*versions)[0].answer, "second");
  EXPECT_EQ((*versions)[0].changed_by, "key_2");
  EXPECT_EQ((*versions)[1].answer, "first");
  EXPECT_EQ((*versions)[1].changed_by, "key_1");
  EXPECT_EQ(entries->tables().get()->by_id(one.id)->answer, "second");
  open_again();
  EXPECT_EQ(entries->tables().get()->by_id(one.id)->answer, "second");
  EXPECT_EQ(count(), 1u);
}

TEST_F(EntriesTest, WhatIsRemovedIsGone) {
  const Entry one = added(draft("What?"));
  EXPECT_EQ(entries->remove(one.id, 7).error().code, "faq_version");
  EXPECT_TRUE(entries->remove(one.id, 1));
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(entries->remove(one.id, {}).error().code, "faq_not_found");
  EXPECT_EQ(entries->versions(one.id).error().code, "faq_not_found");
  open_again();
  EXPECT_EQ(count(), 0u);
}

TEST_F(EntriesTest, WhatIsWrongIsNotStored) {
  EXPECT_EQ(entries->add(draft("", "x"), "k").error().param, "question");
  EXPECT_EQ(entries->add(draft("x", " "), "k").error().param, "answer");
  EXPECT_EQ(entries->add(draft("x", std::string(65 * 1024, 'a')), "k").error().param, "answer");
  Draft language = draft("x");
  language.language = "german!";
  EXPECT_EQ(entries->add(language, "k").error().param, "language");
  Draft times = draft("x");
  times.valid_from = times.valid_until = 5;
  EXPECT_EQ(entries->add(times, "k").error().param, "valid_until");
  EXPECT_EQ(count(), 0u);
}

TEST_F(EntriesTest, NothingOfItIsReadableOnTheDisk) {
  added(draft("What shines like quicksilver?", "Quicksilver.", "clinic"));
  ASSERT_TRUE(store->compact_log());
  std::string all;
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
    std::ifstream in(file.path(), std::ios::binary);
    all.append(std::istreambuf_iterator<char>(in), {});
  }
  EXPECT_TRUE(all.contains("clinic"));
  EXPECT_FALSE(all.contains("uicksilver"));
}

TEST_F(EntriesTest, WhoErasesATenantErasesItsEntries) {
  added(draft("a", "b", "left"));
  const Entry kept = added(draft("c", "d", "stays"));
  ASSERT_TRUE(sealed->erase("left"));
  open_again();
  ASSERT_EQ(count(), 1u);
  EXPECT_EQ(entries->tables().get()->entries()[0]->id, kept.id);
}

TEST_F(EntriesTest, WhatIsThereIsNotAddedAgain) {
  Draft draft;
  draft.questions = {"How?", "In what way?"};
  draft.answer = "Like this.";
  draft.valid_from = 1'000;
  const auto there = entries->add(draft, "key_1");
  ASSERT_TRUE(there);
  draft.questions = {"Another?", "in WHAT way"};
  const auto refused = entries->add(draft, "key_1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "faq_exists");
  EXPECT_EQ(refused.error().kind, ErrorKind::Conflict);
  EXPECT_NE(refused.error().message.find(there->id), std::string::npos);
  Draft before = draft, tenants = draft, off = draft;
  before.valid_from.reset();
  before.valid_until = 1'000;
  tenants.tenant = "acme";
  off.enabled = false;
  EXPECT_TRUE(entries->add(before, "key_1")) << "holds until the other begins";
  EXPECT_TRUE(entries->add(tenants, "key_1"));
  EXPECT_TRUE(entries->add(off, "key_1"));
  EXPECT_EQ(count(), 4u);
}

TEST_F(EntriesTest, AnImportKnowsWhatIsThere) {
  const auto take = [&](std::string_view text, bool dry = false) {
    auto imports = entries->import(import_csv(text), "key_9", dry);
    EXPECT_TRUE(imports) << imports.error().message;
    return imports.value_or(Entries::Imports{});
  };
  const char* text = "question,answer\nWhat?,one\nWho?,two\n";
  EXPECT_EQ(take(text, true).all.size(), 2u);
  EXPECT_EQ(count(), 0u) << "a dry run";
  (void)take(text);
  EXPECT_EQ(count(), 2u);
  const auto again = take("question,answer\nWHAT ?,one\nWho?,three\nWhere?,four\n");
  ASSERT_EQ(again.all.size(), 3u);
  EXPECT_EQ(again.all[0].change, Entries::Change::Changed) << "the question is written otherwise";
  EXPECT_EQ(again.all[1].change, Entries::Change::Changed);
  EXPECT_EQ(again.all[1].entry->version, 2);
  EXPECT_EQ(again.all[2].change, Entries::Change::Added);
  EXPECT_EQ(count(), 3u);
  std::vector<Entry> all;
  for (const auto& one : entries->tables().get()->entries()) all.push_back(*one);
  for (const auto& one : take(export_csv(all)).all) EXPECT_EQ(one.change, Entries::Change::Same);
  const auto wrong = take("question,answer\nNew?,five\nwhat,six\nWhat?,seven\n,\n");
  EXPECT_EQ(wrong.problems.size(), 3u) << "of the last line both are missing";
  EXPECT_EQ(count(), 3u) << "all or nothing";
}

}  // namespace
}  // namespace causeway::faq
