#include "features/traffic/faq/table.h"

#include <gtest/gtest.h>

#include "features/traffic/faq/normal.h"

namespace causeway::faq {
namespace {

TEST(Normal, WhatSaysNothing) {
  const std::string plain = normal_form("how do i reset my password");
  EXPECT_EQ(plain, "how do i reset my password");
  for (const char* same : {"How do I reset my password?", "  how do I\n reset\tmy  PASSWORD ?!",
                           "\"How do I reset my "
                           "password…\"",
                           "“How do I reset my password”", "How do I reset my pass\u00ADword?",
                           "Ｈｏｗ do I reset my password？", "¿How do I reset my password?",
                           "How do I reset – my "
                           "password?"}) {
    EXPECT_EQ(normal_form(same), plain) << same;
  }
  EXPECT_EQ(normal_form("Straße"), normal_form("STRASSE"));
  EXPECT_EQ(normal_form("u\u0308ber"), normal_form("Über"));
  EXPECT_EQ(normal_form("パスワードは？"), normal_form("パスワードは"));
  EXPECT_EQ(normal_form("don’t"), normal_form("DON'T"));
}

TEST(Normal, WhatMeansSomethingStays) {
  const auto differ = [](const char* a, const char* b) {
    EXPECT_NE(normal_form(a), normal_form(b)) << a << " / " << b;
  };
  differ("C++", "C");
  differ("C#", "C");
  differ(".NET", "NET");
  differ("3.5 mg", "35 mg");
  differ("1,5 mg", "15 mg");
  differ("-5 degrees", "5 degrees");
  differ("5!", "5");
  differ("don't", "dont");
  differ("résumé", "resume");
  differ("at 10:30", "at 1030");
  differ("can I", "can I not");
}

TEST(Normal, NothingAtAll) {
  EXPECT_EQ(normal_form(""), "");
  EXPECT_EQ(normal_form(" ?! \"\" "), "");
  EXPECT_EQ(normal_form("\xFF"), "");
}

EntryPtr entry(std::string id, std::string question, Draft draft = {}) {
  auto made = std::make_shared<Entry>();
  static_cast<Draft&>(*made) = std::move(draft);
  made->questions.insert(made->questions.begin(), std::move(question));
  made->answer = "answer of " + id;
  made->id = std::move(id);
  return made;
}

std::string found(const FaqTable& table, std::string_view question, Asking asking) {
  const Entry* one = table.find(normal_form(question), asking);
  return one ? one->id : "";
}

TEST(Table, ByEveryWording) {
  const FaqTable table({entry("a", "Where?", {.questions = {"In what place?"}})});
  EXPECT_EQ(found(table, "where", {}), "a");
  EXPECT_EQ(found(table, "in what place", {}), "a");
  EXPECT_EQ(found(table, "when", {}), "");
  EXPECT_EQ(table.by_id("a")->answer, "answer of a");
  EXPECT_EQ(table.by_id("b"), nullptr);
}

TEST(Table, OneTenantsAnswerIsNotAnothers) {
  const FaqTable table(
      {entry("x", "Where?", {.tenant = "x"}), entry("y", "Where?", {.tenant = "y"})});
  EXPECT_EQ(found(table, "Where?", {.tenant = "x"}), "x");
  EXPECT_EQ(found(table, "Where?", {.tenant = "y"}), "y");
  EXPECT_EQ(found(table, "Where?", {.tenant = "z"}), "");
  EXPECT_EQ(found(table, "Where?", {.tenant = ""}), "");
}

TEST(Table, TheTenantsOwnGoesFirst) {
  const FaqTable table({entry("all", "Where?"), entry("own", "Where?", {.tenant = "x"})});
  EXPECT_EQ(found(table, "Where?", {.tenant = "x"}), "own");
  EXPECT_EQ(found(table, "Where?", {.tenant = "y"}), "all");
}

TEST(Table, OnlyWhileItHolds) {
  const FaqTable table({entry("a", "Where?", {.valid_from = 100, .valid_until = 200}),
                        entry("off", "When?", {.enabled = false})});
  EXPECT_EQ(found(table, "Where?", {.now = 99}), "");
  EXPECT_EQ(found(table, "Where?", {.now = 100}), "a");
  EXPECT_EQ(found(table, "Where?", {.now = 199}), "a");
  EXPECT_EQ(found(table, "Where?", {.now = 200}), "");
  EXPECT_EQ(found(table, "When?", {}), "");
}

TEST(Table, ModelsAndLanguages) {
  const FaqTable table({entry("m", "Where?", {.models = {"fast-*"}}),
                        entry("d", "Wo?", {.language = "de-CH"}), entry("n", "Hm?")});
  EXPECT_EQ(found(table, "Where?", {.model = "fast-1"}), "m");
  EXPECT_EQ(found(table, "Where?", {.model = "slow"}), "");
  const std::vector<std::string> german{"DE"}, english{"en"}, close{"d"};
  EXPECT_EQ(found(table, "Wo?", {.languages = &german}), "d");
  EXPECT_EQ(found(table, "Wo?", {.languages = &english}), "");
  EXPECT_EQ(found(table, "Wo?", {.languages = &close}), "");
  EXPECT_EQ(found(table, "Hm?", {.languages = &english}), "n") << "a language that is not said";
}

TEST(Tables, WhoHoldsOneGetsTheNext) {
  Tables tables;
  Tables::Hold hold;
  EXPECT_TRUE(tables.held(hold)->entries().empty());
  tables.set(std::make_shared<const FaqTable>(std::vector{entry("a", "Where?")}));
  EXPECT_EQ(tables.held(hold)->entries().size(), 1u);
  EXPECT_EQ(tables.held(hold), tables.get());
}

}  // namespace
}  // namespace causeway::faq
