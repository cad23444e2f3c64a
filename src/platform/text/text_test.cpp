#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "platform/text/ascii.h"
#include "platform/text/glob.h"
#include "platform/text/json_writer.h"
#include "platform/text/number.h"
#include "platform/text/percent.h"
#include "platform/text/utf8.h"

namespace causeway::text {
namespace {

using namespace std::string_literals;

std::string fixed(std::int64_t value, int decimals) {
  std::string out;
  append_fixed(out, value, decimals);
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  append_json_escaped(out, text);
  return out;
}

TEST(Ascii, ComparesWithoutCase) {
  EXPECT_TRUE(equals_ignore_case("Content-Length", "content-LENGTH"));
  EXPECT_FALSE(equals_ignore_case("a", "ab"));
  EXPECT_FALSE(equals_ignore_case("[", "{"));  // differ by the bit that makes letters lower case
  EXPECT_FALSE(equals_ignore_case("\xC4", "\xE4"));
  EXPECT_TRUE(starts_with_ignore_case("Bearer abc", "bearer "));
  EXPECT_FALSE(starts_with_ignore_case("Bea", "bearer "));
  EXPECT_TRUE(ends_with_ignore_case("a.EXAMPLE.com", ".example.COM"));
}

TEST(Ascii, TrimsBothSides) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(to_lower("ÄbC"), "Äbc");
}

TEST(Ascii, NumbersAreReadStrictly) {
  EXPECT_EQ(parse_int<int>("42"), 42);
  EXPECT_EQ(parse_int<int>("-7"), -7);
  EXPECT_EQ(parse_int<std::uint8_t>("255"), 255);
  for (const char* bad : {"", " 1", "1 ", "+1", "0x10", "1.0", "1a", "-", "99999999999999999999"}) {
    EXPECT_FALSE(parse_int<int>(bad)) << bad;
  }
  EXPECT_FALSE(parse_int<unsigned>("-1"));
  EXPECT_FALSE(parse_int<std::uint8_t>("256"));
  EXPECT_EQ(parse_double("1.5e3"), 1500.0);
  for (const char* bad : {"", "inf", "nan", "1e999", "1.5x", " 1"}) {
    EXPECT_FALSE(parse_double(bad)) << bad;
  }
}

// The plain definition, in exponential time: what glob_match must agree with.
bool glob_slow(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return glob_slow(pattern.substr(1), text) ||
           (!text.empty() && glob_slow(pattern, text.substr(1)));
  }
  return !text.empty() && pattern[0] == text[0] && glob_slow(pattern.substr(1), text.substr(1));
}

TEST(Glob, Examples) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("gpt-*", "gpt-4o-mini"));
  EXPECT_TRUE(glob_match("*/llama-*-instruct", "meta/llama-3.1-8b-instruct"));
  EXPECT_FALSE(glob_match("gpt-*", "GPT-4o"));
  EXPECT_FALSE(glob_match("gpt-4", "gpt-4o"));
  EXPECT_FALSE(glob_match("ab*ba", "aba"));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_TRUE(is_glob("a*"));
  EXPECT_FALSE(is_glob("a?"));
}

TEST(Glob, AgreesWithTheSlowDefinition) {
  std::mt19937 random(7);
  const auto pick = [&](std::string_view letters, std::size_t longest) {
    std::string text(random() % (longest + 1), ' ');
    for (char& c : text) c = letters[random() % letters.size()];
    return text;
  };
  for (int i = 0; i < 20000; ++i) {
    const auto pattern = pick("ab*", 7);
    const auto text = pick("ab", 9);
    ASSERT_EQ(glob_match(pattern, text), glob_slow(pattern, text)) << pattern << " | " << text;
  }
}

TEST(Glob, HostilePatternStaysFast) {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "*a";
  pattern += "*b*";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(glob_match(pattern, std::string(200000, 'a')));
  EXPECT_FALSE(glob_match("*" + std::string(50000, 'a') + "b*", std::string(200000, 'a')));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(Utf8, ValidAndInvalid) {
  for (const auto& good :
       {""s, "abc"s, "\0"s, "é"s, "日本"s, "😀"s, "\xF4\x8F\xBF\xBF"s, "\xED\x9F\xBF"s}) {
    EXPECT_TRUE(utf8_valid(good)) << escaped(good);
  }
  for (const auto& bad : {"\x80"s, "\xC0\x80"s, "\xC1\xBF"s, "\xE0\x9F\xBF"s, "\xED\xA0\x80"s,
                          "\xF0\x8F\xBF\xBF"s, "\xF4\x90\x80\x80"s, "\xF5\x80\x80\x80"s, "\xC3"s,
                          "\xE2\x82"s, "a\xFFz"s, "12345678\xE2\x28\xA1"s}) {
    EXPECT_FALSE(utf8_valid(bad)) << escaped(bad);
  }
}

TEST(Utf8, CutKeepsCharactersWhole) {
  const std::string text = "aé日😀z";  // 1 + 2 + 3 + 4 + 1 bytes
  const std::size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
  for (std::size_t max = 0; max < std::size(expected); ++max) {
    EXPECT_EQ(utf8_cut(text, max).size(), expected[max]) << max;
  }
  EXPECT_EQ(utf8_cut("ab\x80\x80\x80\x80z", 4).size(), 4u);  // not UTF-8: cut anywhere
}

TEST(Utf8, IncompleteTailIsFoundAtEverySplit) {
  const std::string text = "aé日😀z";
  for (std::size_t split = 0; split <= text.size(); ++split) {
    const auto head = std::string_view(text).substr(0, split);
    const auto tail = utf8_incomplete_tail(head);
    EXPECT_TRUE(utf8_valid(head.substr(0, split - tail))) << split;
    EXPECT_LE(tail, 3u);
  }
  EXPECT_EQ(utf8_incomplete_tail("\xE2\x28"), 0u);  // can never become a character
  EXPECT_EQ(utf8_incomplete_tail("\xED\xA0"), 0u);
  EXPECT_EQ(utf8_incomplete_tail("\x80\x80\x80\x80"), 0u);
  EXPECT_EQ(utf8_count(text), 5u);
  EXPECT_EQ(utf8_count("a\xFF\xC3"), 3u);
}

TEST(Number, FixedPointIsExact) {
  EXPECT_EQ(fixed(0, 6), "0");
  EXPECT_EQ(fixed(1250000, 6), "1.25");
  EXPECT_EQ(fixed(1, 6), "0.000001");
  EXPECT_EQ(fixed(-20, 3), "-0.02");
  EXPECT_EQ(fixed(42, 0), "42");
  EXPECT_EQ(fixed(std::numeric_limits<std::int64_t>::min(), 6), "-9223372036854.775808");
  EXPECT_EQ(fixed(std::numeric_limits<std::int64_t>::max(), 18), "9.223372036854775807");
}

TEST(JsonWriter, WritesNestedValues) {
  std::string out = "> ";
  JsonWriter json(out);
  json.begin_object()
      .field("s", "a\"b")
      .field("i", -3)
      .field("u", std::numeric_limits<std::uint64_t>::max())
      .field("d", 0.5)
      .field("t", true)
      .key("n")
      .null()
      .key("m")
      .money(1500)
      .key("list")
      .begin_array()
      .begin_object()
      .end_object()
      .begin_array()
      .end_array()
      .string("x")
      .number(1)
      .raw("[2]")
      .end_array()
      .field("after", std::string("y"))
      .end_object();
  EXPECT_EQ(out, R"(> {"s":"a\"b","i":-3,"u":18446744073709551615,"d":0.5,"t":true,"n":null,)"
                 R"("m":0.0015,"list":[{},[],"x",1,[2]],"after":"y"})");
}

TEST(JsonWriter, NumbersThatJsonHasNot) {
  std::string out;
  JsonWriter json(out);
  json.begin_array()
      .number(std::numeric_limits<double>::infinity())
      .number(std::numeric_limits<double>::quiet_NaN())
      .number(1e300)
      .end_array();
  EXPECT_EQ(out, "[null,null,1e+300]");
}

// Escaping looks at eight bytes at a time: every special byte must be found at every place.
TEST(JsonWriter, EscapesAtEveryPlace) {
  for (int special = 0; special < 256; ++special) {
    const std::string one(1, static_cast<char>(special));
    for (std::size_t length = 0; length < 20; ++length) {
      for (std::size_t at = 0; at <= length; ++at) {
        const std::string before(at, '~');
        const std::string after(length - at, ' ');
        ASSERT_EQ(escaped(before + one + after), before + escaped(one) + after) << special;
      }
    }
    const bool changes = special < 0x20 || special == '"' || special == '\\' || special >= 0x7F;
    ASSERT_EQ(escaped(one) != one, changes) << special;
  }
}

TEST(JsonWriter, EscapesAndRepairs) {
  EXPECT_EQ(escaped("\"\\/\b\f\n\r\t\x01\x1f\x7f"), R"(\"\\/\b\f\n\r\t\u0001\u001f\u007f)");
  EXPECT_EQ(escaped("é日😀"), "é日😀");
  EXPECT_EQ(escaped("a\xFF"
                    "b\xC3"),
            "a\uFFFDb\uFFFD");
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(escaped(std::string("\0x", 2)), "\\u0000x");
}

TEST(Percent, DecodesEscapes) {
  EXPECT_EQ(percent_decoded(""), "");
  EXPECT_EQ(percent_decoded("gpt-4.1"), "gpt-4.1");
  EXPECT_EQ(percent_decoded("org%2Fmodel%2fx"), "org/model/x");
  EXPECT_EQ(percent_decoded("%C3%A9"), "é");
  EXPECT_EQ(percent_decoded("%2541"), "%41") << "once only";
  EXPECT_EQ(percent_decoded("a%00b"), "a\0b"s);
  EXPECT_EQ(percent_decoded("a+b%2Bc"), "a+b+c") << "a plus is no space";
}

TEST(Percent, LeavesWhatIsNoEscape) {
  for (const char* text : {"%", "100%", "%4", "%4g", "%g4", "%-1", "%+1", "% 1", "%0x", "%%"}) {
    EXPECT_EQ(percent_decoded(text), text);
  }
  EXPECT_EQ(percent_decoded("%%41%4"), "%A%4");
  EXPECT_EQ(percent_decoded(std::string_view("%41", 2)), "%4") << "nothing behind the view is read";
}

}  // namespace
}  // namespace causeway::text
