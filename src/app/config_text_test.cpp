#include "app/config_text.h"

#include <gtest/gtest.h>

#include "app/vocabulary.h"

namespace causeway::app {
namespace {

const Vocabulary& vocabulary() {
  static const Vocabulary all;
  return all;
}

std::expected<std::vector<config::Slice>, std::string> find(std::string_view text) {
  return vocabulary().schema->confidential(text);
}

ConfigText hidden(std::string_view text) { return ConfigText::hide(text, find).value(); }

// What is shown of a text, and that it becomes the text again.
std::string shown(std::string_view text) {
  const auto config = hidden(text);
  EXPECT_EQ(config.restore(config.shown()).value().text, text);
  return config.shown();
}

TEST(ConfigText, SecretsInClearAreHidden) {
  EXPECT_EQ(shown(R"(providers:
  a: { kind: openai, api_key: sk-plain-123, base_url: "http://h/v1" }
  b:
    kind: openai
    api_key: "sk-\"quoted-123"   # kept
    headers: { authorization: 'Bearer it''s', x-team: ${TEAM} }
keys:
  - { name: ci, secret: &k 0123456789abcdef }
  - name: cd
    secret: *k
server: { previous_master_keys: [ one-0123, "two-4567" ] }
)"),
            R"(providers:
  a: { kind: openai, api_key: <kept-1>, base_url: "http://h/v1" }
  b:
    kind: openai
    api_key: <kept-2>   # kept
    headers: { authorization: <kept-3>, x-team: ${TEAM} }
keys:
  - { name: ci, secret: &k <kept-4> }
  - name: cd
    secret: *k
server: { previous_master_keys: [ <kept-5>, <kept-6> ] }
)");
}

TEST(ConfigText, ReferencesAreShownUnlessTheyHoldTheSecret) {
  EXPECT_EQ(shown("keys:\n  - { name: a, secret: ${CI_KEY} }\n"
                  "  - { name: b, secret: file:/run/secrets/b }\n"
                  "  - { name: c, secret: \"${CI_KEY:-0123456789abcdef}\" }\n"
                  "  - { name: d, secret: abc${CI_KEY}def }\n"),
            "keys:\n  - { name: a, secret: ${CI_KEY} }\n"
            "  - { name: b, secret: file:/run/secrets/b }\n"
            "  - { name: c, secret: <kept-1> }\n"
            "  - { name: d, secret: <kept-2> }\n");
}

TEST(ConfigText, WhatIsNotUnderstoodIsHidden) {
  EXPECT_EQ(shown("providers:\n"
                  "  a: { kind: openai, api_kee: sk-1, base_url: http://h/v1 }\n"
                  "  b: { kind: opnai, api_key: sk-2 }\n"
                  "  c: { api_key: sk-3 }\n"
                  "  d: sk-4\n"
                  "secrets: { deep: [ { er: sk-5 } ] }\n"),
            "providers:\n"
            "  a: { kind: openai, api_kee: <kept-1>, base_url: http://h/v1 }\n"
            "  b: { kind: opnai, api_key: <kept-2> }\n"
            "  c: { api_key: <kept-3> }\n"
            "  d: <kept-4>\n"
            "secrets: { deep: [ { er: <kept-5> } ] }\n");
}

TEST(ConfigText, CommentsAndUsersInUrls) {
  EXPECT_EQ(shown("# old: sk-abcdefghijkl0123456789\n"
                  "models: {}  # was gsk_0123456789abcdefgh, see ticket 4711\n"
                  "providers: { a: { kind: openai, proxy: \"http://me:pass@proxy:3128\" } }\n"),
            "# old: <kept-1>\n"
            "models: {}  # was <kept-2>, see ticket 4711\n"
            "providers: { a: { kind: openai, proxy: <kept-3> } }\n");
}

TEST(ConfigText, FormsThatCannotBeHiddenAreNotShown) {
  for (const char* text : {
           "keys:\n  - name: a\n    secret: |\n      0123456789abcdef\n",
           "keys:\n  - name: a\n    secret: 0123456789\n      abcdef\n",
           "keys:\n  - name: a\n    secret: \"0123456789\n      abcdef\"\n",
           "keys: [ { name: a, secret: 0123456789abcdef }",
           "models: {}  # <kept-1>\n",
       }) {
    const auto config = ConfigText::hide(text, find);
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().message.find("abcdef"), std::string::npos);
  }
}

TEST(ConfigText, NonAsciiAndAByteOrderMark) {
  EXPECT_EQ(shown("\xef\xbb\xbfkeys: [ { name: \"Zoë\", secret: päss-wörd-123 } ]\n"),
            "\xef\xbb\xbfkeys: [ { name: \"Zoë\", secret: <kept-1> } ]\n");
}

TEST(ConfigText, MarksComeBackWhereverTheyAreMoved) {
  const auto config = hidden(
      "keys: [ { name: a, secret: aaaa-0123456789 } ]\n"
      "server: { master_key: 'it''s-the-master-0123456789abcdef' }\n");
  const auto restored = config.restore("a: <kept-2>\nb: \"<kept-1>\"\nc: '<kept-1>', <kept-1\n");
  EXPECT_EQ(
      restored.value().text,
      "a: 'it''s-the-master-0123456789abcdef'\nb: aaaa-0123456789\nc: aaaa-0123456789, <kept-1\n");
  EXPECT_FALSE(config.restore("a: <kept-3>"));
  EXPECT_FALSE(config.restore("a: <kept-0>"));
}

TEST(ConfigText, WhatIsHiddenDoesNotBecomeAName) {
  const auto config = hidden("keys: [ { name: a, secret: aaaa-0123456789 } ]\n");
  const auto check = [&](std::string_view edited) {
    return ConfigText::check_places(config.restore(edited).value(), find);
  };
  EXPECT_TRUE(check("keys: [ { name: a, secret: <kept-1> }, { name: b, secret: <kept-1> } ]\n"));
  EXPECT_TRUE(check("keys: [ { name: a, secret: \"<kept-1>\" } ]\n"));
  EXPECT_FALSE(check("keys: [ { name: <kept-1>, secret: <kept-1> } ]\n"));
  EXPECT_FALSE(check("models: { <kept-1>: { targets: [ a/b ] } }\n"));
  EXPECT_FALSE(check("models: { m: { targets: [ \"a/<kept-1>\" ] } }\n"));
  EXPECT_FALSE(check("keys: [ { name: a, secret: <kept-1> } ] # <kept-1> was \n"));
}

TEST(ConfigText, PlacesAreThoseOfWhatWasEdited) {
  const auto config = hidden("keys: [ { name: a, secret: 0123456789abcdefghij } ]\n");
  const auto restored = config.restore("x: [ <kept-1>, b, <kept-1>, c ]\ny: 1\n").value();
  const auto column = [&](std::uint32_t at) { return restored.shown_at({1, at}).column; };
  EXPECT_EQ(column(1), 1u);
  EXPECT_EQ(column(6), 6u);    // the mark itself
  EXPECT_EQ(column(15), 6u);   // inside
  EXPECT_EQ(column(28), 16u);  // b
  EXPECT_EQ(column(53), 29u);  // c
  EXPECT_EQ(restored.shown_at({2, 4}).column, 4u);
}

TEST(ConfigText, MessagesDoNotRepeatWhatIsHidden) {
  const auto config = hidden("keys: [ { name: a, secret: \"0123456789abcdefghij\" } ]\n");
  EXPECT_EQ(config.scrub("expected IP:port, found \"0123456789abcdefghij\""),
            "expected IP:port, found \"<kept-1>\"");
  EXPECT_EQ(config.scrub("found \"0123456789ab…\""), "found \"<kept-1>…\"");
}

TEST(ConfigText, NewSecretsAreHiddenInTheComparison) {
  EXPECT_EQ(without_new_secrets("keys:\n  - { name: a, secret: <kept-1> }\n"
                                "  - { name: b, secret: brand-new-0123456 }\n",
                                find),
            "keys:\n  - { name: a, secret: <kept-1> }\n  - { name: b, secret: <hidden> }\n");
  EXPECT_FALSE(without_new_secrets("keys: [", find));
}

}  // namespace
}  // namespace causeway::app
