// What is taken out of single texts: base64, tracking, JSON members, repeated paragraphs.
#include <gtest/gtest.h>

#include "features/privacy/minimise/blobs.h"
#include "features/privacy/minimise/json_fields.h"
#include "features/privacy/minimise/links.h"
#include "features/privacy/minimise/repeats.h"

namespace causeway::minimise {
namespace {

// Base64 of so many characters, as a generator with a fixed seed makes it.
std::string encoded(std::size_t size, std::size_t line = 0) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < size; ++i) {
    if (line && i > 0 && i % line == 0) out += '\n';
    state = state * 1664525 + 1013904223;
    out += kAlphabet[state >> 26];
  }
  return out;
}

TEST(Base64, BlobsBecomeANoteOfTheirSize) {
  EXPECT_EQ(without_base64("see " + encoded(16'000) + " there"), "see [base64, 12 kB] there");
  EXPECT_EQ(without_base64("![x](data:image/png;base64," + encoded(400) + "==)"),
            "![x]([base64, 300 B])");
  EXPECT_EQ(without_base64("-----BEGIN-----\n" + encoded(4'000'000, 76) + "\n-----END-----"),
            "-----BEGIN-----\n[base64, 3 MB]\n-----END-----");
}

TEST(Base64, OtherLongTextsStay) {
  for (const std::string& text :
       {std::string("short"), std::string(5000, 'a'), "key " + encoded(200),
        "https://example.com/" + encoded(400) + "?a=1", std::string(600, 'f') + "0123456789",
        std::string("data:image/png;base64,AAAA")}) {
    EXPECT_EQ(without_base64(text), std::nullopt) << text.substr(0, 60);
  }
  std::string camel;
  for (int i = 0; i < 60; ++i) camel += "someLongNameOfAThing" + std::to_string(i) + " ";
  EXPECT_EQ(without_base64(camel), std::nullopt);
}

TEST(Base64, ManyLinesThatAreNoneTakeNoLongTime) {
  std::string hex;
  for (int i = 0; i < 40'000; ++i) hex += std::string(64, 'a') + "\n";
  EXPECT_EQ(without_base64(hex), std::nullopt);
}

TEST(Tracking, ParametersGoAndTheLinkStays) {
  const std::pair<const char*, const char*> cases[] = {
      {"see https://a.example/x?utm_source=mail&id=7&utm_medium=x#top now",
       "see https://a.example/x?id=7#top now"},
      {"https://a.example/?gclid=1", "https://a.example/"},
      {"(https://a.example/p?fbclid=A_b-c)", "(https://a.example/p)"},
      {"[text](http://a.example/p?mc_eid=1&q=a(b).)", "[text](http://a.example/p?q=a(b).)"},
      {"<a href=\"https://a.example/?a=1&amp;utm_source=2&amp;b=3\">",
       "<a href=\"https://a.example/?a=1&amp;b=3\">"},
      {"HTTPS://a.example/?UTM_Source=1&x=2", "HTTPS://a.example/?x=2"},
      {"{\"u\":\"https://a.example/?utm_id=1\"}", "{\"u\":\"https://a.example/\"}"},
      {"https://a.example/?gclid=1 and https://b.example/?gclid=2.",
       "https://a.example/ and https://b.example/."},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(without_tracking(text), expected) << text;
}

TEST(Tracking, RedirectorsBecomeWhatIsBehind) {
  EXPECT_EQ(without_tracking("https://www.google.com/url?sa=t&q=https%3A%2F%2Fa.example%2Fp%3Fx%3D1"
                             "%26utm_source%3Dg&usg=abc"),
            "https://a.example/p?x=1");
  EXPECT_EQ(without_tracking("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2F"
                             "a.example%2F&data=05%7C01"),
            "https://a.example/");
  EXPECT_EQ(without_tracking("https://www.google.com/url?q=javascript%3Aalert(1)"), std::nullopt);
  EXPECT_EQ(without_tracking("https://www.google.com/url?q=https%3A%2F%2Fa%20b"), std::nullopt);
}

TEST(Tracking, OtherLinksStay) {
  for (const char* text :
       {"https://a.example/?id=7", "https://a.example/utm_source=1", "no link ?utm_source=1",
        "ftp://a.example/?utm_source=1", "https://", "://", "https://a.example/?x=utm_source",
        "https://evilwww.google.com.example/url?q=https%3A%2F%2Fa.example"}) {
    EXPECT_EQ(without_tracking(text), std::nullopt) << text;
  }
}

std::optional<std::string> filtered(std::vector<std::string> paths, std::string_view text) {
  return JsonFields(paths).filter(text);
}

TEST(JsonFields, OnlyListedMembersStay) {
  const char* order = R"( {"id": 12345678901234567890, "customer": {"name": "Ann", "tier": "gold"},
    "items": [{"sku": "a", "price": 1.50, "note": "x"}, {"sku": "b"}], "total":1e400} )";
  EXPECT_EQ(filtered({"id", "total"}, order), R"({"id":12345678901234567890,"total":1e400})");
  EXPECT_EQ(filtered({"customer.tier", "items.price"}, order),
            R"({"customer":{"tier":"gold"},"items":[{"price":1.50},{}]})");
  EXPECT_EQ(filtered({"*.name"}, order), R"({"customer":{"name":"Ann"},"items":[{},{}]})");
  EXPECT_EQ(filtered({"customer", "customer.name"}, order),
            R"({"customer":{"name": "Ann", "tier": "gold"}})");
  EXPECT_EQ(filtered({"nothing"}, order), "{}");
  EXPECT_EQ(filtered({"a"}, R"([{"a":1,"b":2},[{"a":3}],4])"), R"([{"a":1},[{"a":3}]])");
  EXPECT_EQ(filtered({"a\"b"}, R"({"a\"b":1,"c":2})"), R"({"a\"b":1})");
}

TEST(JsonFields, OtherTextsAreNoDocuments) {
  for (const char* text : {"", "{", "words", "{\"a\":1} and more", "{\"a\":1}{\"a\":2}", "[1,2",
                           "\"a\"", "17", "{a:1}"}) {
    EXPECT_EQ(filtered({"a"}, text), std::nullopt) << text;
  }
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_EQ(filtered({"a"}, deep), std::nullopt);
}

TEST(JsonFields, PathsAreChecked) {
  EXPECT_EQ(JsonFields::what_is_wrong("items.*.price"), "");
  for (const char* path : {"", ".a", "a.", "a..b"}) {
    EXPECT_NE(JsonFields::what_is_wrong(path), "") << path;
  }
}

TEST(Repeats, AParagraphIsKeptOnce) {
  const std::string terms(100, 't'), other(100, 'o');
  Repeats repeats;
  const std::string first = "Hello\n\n" + terms + "\n\nBye";
  EXPECT_EQ(repeats.without(first), std::nullopt);
  repeats.remember(first);
  EXPECT_EQ(repeats.without("New\n\n" + terms + "\n\nEnd"), "New\n\nEnd");
  EXPECT_EQ(repeats.without(terms), "[the same text as above]");
  EXPECT_EQ(repeats.without(other + "\n\nHello"), std::nullopt) << "short ones do not count";
  EXPECT_EQ(repeats.without(terms + "."), std::nullopt);
}

}  // namespace
}  // namespace causeway::minimise
