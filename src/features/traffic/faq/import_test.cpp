#include "features/traffic/faq/import.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "features/traffic/faq/csv.h"

namespace causeway::faq {
namespace {

Entry entry_of(const Imported& one) {
  Entry entry;
  static_cast<Draft&>(entry) = one.draft;
  entry.id = "faq_1";
  return entry;
}

std::vector<std::string> fields_of(std::string_view text) {
  const auto rows = read_csv(text, 100);
  EXPECT_TRUE(rows) << rows.error().message;
  std::vector<std::string> all;
  for (const auto& row : rows.value()) {
    for (const auto& field : row.fields) all.push_back(field);
    all.push_back("|");
  }
  return all;
}

std::string error_of(std::string_view text) {
  const auto rows = read_csv(text, 3);
  return rows ? "" : rows.error().message;
}

using Fields = std::vector<std::string>;

TEST(Csv, AsTheRfcHasIt) {
  EXPECT_EQ(fields_of("a,b\r\n\"c, d\",\"say \"\"e\"\"\"\r\n"),
            (Fields{"a", "b", "|", "c, d", "say \"e\"", "|"}));
  EXPECT_EQ(fields_of("a,\n,b"), (Fields{"a", "", "|", "", "b", "|"}));
  EXPECT_EQ(fields_of("a,\"one\r\ntwo\n\nthree\""), (Fields{"a", "one\ntwo\n\nthree", "|"}));
  EXPECT_EQ(fields_of(""), Fields{});
}

TEST(Csv, AsSpreadsheetsWriteIt) {
  EXPECT_EQ(fields_of("\xEF\xBB\xBFq;a\r\n\"x;y\";z, w\r\n"),
            (Fields{"q", "a", "|", "x;y", "z, w", "|"}));
  EXPECT_EQ(fields_of("q\ta\nx\ty"), (Fields{"q", "a", "|", "x", "y", "|"}));
  EXPECT_EQ(fields_of("q,a\r\r\nx,y\r"), (Fields{"q", "a", "|", "x", "y", "|"})) << "empty lines";
}

TEST(Csv, WhatIsWrongHasItsLine) {
  EXPECT_TRUE(error_of("a,b\nc,\"d").starts_with("Line 2:"));
  EXPECT_TRUE(error_of("a,b\n\"x\ny\",z\nc,d\"e").starts_with("Line 4:"));
  EXPECT_TRUE(error_of("a,\"b\"c").starts_with("Line 1: text stands behind"));
  EXPECT_TRUE(error_of("a\nb\nc\nd").starts_with("Line 4: there are more rows"));
  EXPECT_TRUE(error_of(std::string(64, ',')).starts_with("Line 1: has more than 64"));
}

TEST(ImportCsv, EveryColumn) {
  const auto file = import_csv(
      "Question,answer,language,valid_from,valid_until,tenant,models,wordings,enabled\n"
      "How?,\"Like, this.\",de,2026-01-01,31.12.2026,clinic,\"fast, smart-*\",\"In what way?\nHow "
      "so?\",nein\n");
  ASSERT_TRUE(file.problems.empty()) << file.problems[0].message;
  ASSERT_EQ(file.entries.size(), 1u);
  const Draft& draft = file.entries[0].draft;
  EXPECT_EQ(file.entries[0].line, 2u);
  EXPECT_EQ(draft.questions, (Fields{"How?", "In what way?", "How so?"}));
  EXPECT_EQ(draft.answer, "Like, this.");
  EXPECT_EQ(draft.models, (Fields{"fast", "smart-*"}));
  EXPECT_EQ(draft.valid_from, parse_time("2026-01-01", false));
  EXPECT_EQ(draft.valid_until, parse_time("2027-01-01", false)) << "the whole of the last day";
  EXPECT_FALSE(draft.enabled);
}

TEST(ImportCsv, EveryMistakeOfALineIsTold) {
  const auto csv =
      import_csv("question,answer,language,valid_until,enabled\n,,?,12/31/2026,so so\n");
  std::vector<std::string> told;
  for (const auto& problem : csv.problems) {
    EXPECT_EQ(problem.line, 2u);
    told.push_back(problem.message.substr(0, problem.message.find("\" ") + 1));
  }
  std::ranges::sort(told);
  EXPECT_EQ(told, (Fields{"Line 2: \"answer\"", "Line 2: \"enabled\"", "Line 2: \"language\"",
                          "Line 2: \"question\"", "Line 2: \"valid_until\""}));
  const auto markdown = import_markdown(
      "## How?\n<!-- language: ? -->\n<!-- valid_from: 2026-12-31 -->\n"
      "<!-- valid_until: 2026-01-01 -->\n");
  EXPECT_EQ(markdown.problems.size(), 3u) << "no answer, no language, no time";
}

TEST(ImportCsv, EveryProblemIsToldWithItsLine) {
  const auto file = import_csv(
      "question,answer,valid_until\n,no question,\nq,,\nq,a,12/31/2026\nq,a\nfine,fine,\n");
  ASSERT_EQ(file.problems.size(), 4u);
  EXPECT_EQ(file.problems[0].message, "Line 2: \"question\" is missing.");
  EXPECT_EQ(file.problems[1].message, "Line 3: \"answer\" is missing.");
  EXPECT_TRUE(file.problems[2].message.starts_with("Line 4: \"valid_until\" is not a time"));
  EXPECT_EQ(file.problems[3].message, "Line 5: has 2 fields, the head line 3.");
  EXPECT_EQ(file.entries.size(), 1u);
}

TEST(ImportCsv, AHeadLineThatIsNone) {
  EXPECT_TRUE(import_csv("q,a\n1,2").problems[0].message.contains("no column \"q\""));
  EXPECT_TRUE(import_csv("question\nx").problems[0].message.contains("\"answer\" is missing"));
  EXPECT_TRUE(import_csv("question,answer,answer\n").problems[0].message.contains("twice"));
  EXPECT_EQ(import_csv("").problems.size(), 1u);
}

TEST(ImportMarkdown, HeadingsCommentsAndFrontMatter) {
  const auto file = import_markdown(
      "---\ntitle: Our FAQ\nlanguage: de\ntenant: \"clinic\"\n---\n# Alles\n\nEinleitung\n\n"
      "## Wie geht C#? ##\n<!-- also: Was ist C#? -->\n<!-- valid_until: 2026-12-31 -->\n\n"
      "So:\n\n```sh\n## kein Titel\n```\n\n### Mehr\nEnde\n\n"
      "## How?\r\n<!-- language: en -->\r\n\r\nLike this.\r\n<!-- stays -->\r\n");
  ASSERT_TRUE(file.problems.empty()) << file.problems[0].message;
  ASSERT_EQ(file.entries.size(), 2u);
  const Draft& first = file.entries[0].draft;
  EXPECT_EQ(file.entries[0].line, 10u);
  EXPECT_EQ(first.questions, (Fields{"Wie geht C#?", "Was ist C#?"}));
  EXPECT_EQ(first.answer, "So:\n\n```sh\n## kein Titel\n```\n\n### Mehr\nEnde");
  EXPECT_EQ(first.language, "de");
  EXPECT_EQ(first.tenant, "clinic");
  const Draft& second = file.entries[1].draft;
  EXPECT_EQ(second.language, "en");
  EXPECT_EQ(second.answer, "Like this.\n<!-- stays -->");
  EXPECT_FALSE(second.valid_until);
}

TEST(ImportMarkdown, EveryProblemIsToldWithItsLine) {
  const auto problems = [](std::string_view text) {
    std::string all;
    for (const auto& one : import_markdown(text).problems) all += one.message + "\n";
    return all;
  };
  EXPECT_TRUE(problems("## Q\n\n## R\nx").contains("Line 1: \"answer\" is missing."));
  EXPECT_TRUE(problems("## Q\n<!-- langauge: de -->\nx").contains("Line 2: there is no setting"));
  EXPECT_TRUE(problems("## Q\n<!-- valid_from: soon -->\nx").contains("Line 2: \"valid_from\""));
  EXPECT_TRUE(problems("## Q\n<!-- a\n-->\nx").contains("Line 2: a comment"));
  EXPECT_TRUE(problems("## Q\nx\n```\n## R\ny").contains("Line 3: the code that begins here"));
  EXPECT_TRUE(problems("---\nlanguage: de\n## Q\nx").contains("Line 1: the front matter"));
  EXPECT_TRUE(problems("no heading").contains("there is no question"));
  EXPECT_TRUE(problems("##\nx").contains("Line 1: the heading has no question."));
  EXPECT_TRUE(problems("## \xFF\nx").contains("not UTF-8"));
}

TEST(Export, ComesBackAsItWas) {
  auto file = import_csv(
      "question,answer,wordings,language,tenant,models,valid_from,valid_until,enabled\n"
      "\"Q \"\"1\"\"?\",\"line 1\nline 2; more\",\"R?\nS?\",de,t,m-*,2026-01-01T10:00:00Z,"
      "2026-12-31,false\n");
  ASSERT_EQ(file.entries.size(), 1u) << file.problems[0].message;
  const std::vector<Entry> entries{entry_of(file.entries[0])};
  const auto csv = import_csv(export_csv(entries));
  ASSERT_EQ(csv.entries.size(), 1u) << csv.problems[0].message;
  EXPECT_EQ(csv.entries[0].draft, file.entries[0].draft);
  EXPECT_EQ(csv.entries[0].id, "faq_1");
  const auto text = export_markdown(entries);
  ASSERT_TRUE(text) << text.error().message;
  const auto markdown = import_markdown(*text);
  ASSERT_EQ(markdown.entries.size(), 1u);
  EXPECT_EQ(markdown.entries[0].draft, file.entries[0].draft);
}

TEST(Export, MarkdownThatWouldBeReadOtherwiseIsRefused) {
  auto file = import_csv("question,answer\nq,\"a\n## b\nc\"\n");
  ASSERT_EQ(file.entries.size(), 1u);
  const auto text = export_markdown(std::vector<Entry>{entry_of(file.entries[0])});
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, "faq_export");
}

TEST(Time, DaysAndHours) {
  EXPECT_EQ(parse_time("1970-01-02", false), 86400);
  EXPECT_EQ(parse_time("1970-01-01", true), 86400) << "the end of the day";
  EXPECT_EQ(parse_time(" 02.01.1970 ", false), 86400);
  EXPECT_EQ(parse_time("1970-01-01T01:00:00+01:00", false), 0);
  EXPECT_EQ(parse_time("1970-01-01T00:00:05Z", true), 5);
  EXPECT_EQ(parse_time("1970-01-01 00:01Z", false), 60);
  for (const char* wrong : {"", "2026", "2026-02-30", "31.12.26", "2026-1-1", "2026-01-01T25:00Z",
                            "2026-01-01T10:00", "2026-01-01x", "1969-01-01"}) {
    EXPECT_FALSE(parse_time(wrong, false)) << wrong;
  }
  EXPECT_EQ(time_text(86400, false), "1970-01-02");
  EXPECT_EQ(time_text(86400, true), "1970-01-01");
  EXPECT_EQ(time_text(5, true), "1970-01-01T00:00:05Z");
}

}  // namespace
}  // namespace causeway::faq
