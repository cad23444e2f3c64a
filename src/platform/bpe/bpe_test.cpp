#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "platform/bpe/vocabulary.h"

namespace causeway::bpe {
namespace {

std::vector<std::string> pieces(std::string_view text, Cuts cuts) {
  std::vector<std::string> out;
  Splitter splitter(text, cuts);
  for (std::string_view piece; splitter.next(piece);) out.emplace_back(piece);
  return out;
}

using List = std::vector<std::string>;

// What tiktoken's regular expressions make of these; tests/test_token_counts.py compares thousands.
TEST(Splitter, CutsAsTheirRegularExpressions) {
  struct Case {
    std::string_view text;
    List cl100k, o200k;
  };
  const Case cases[] = {
      {"", {}, {}},
      {"Hello, wörld!", {"Hello", ",", " wörld", "!"}, {"Hello", ",", " wörld", "!"}},
      {"it's IT'S", {"it", "'s", " IT", "'S"}, {"it's", " IT'S"}},
      {"12345", {"123", "45"}, {"123", "45"}},
      {"a  b", {"a", " ", " b"}, {"a", " ", " b"}},
      {"a \n  b", {"a", " \n", " ", " b"}, {"a", " \n", " ", " b"}},
      {"a\n  ", {"a", "\n  "}, {"a", "\n", "  "}},
      {"!\n/", {"!\n", "/"}, {"!\n/"}},
      {"camelCase", {"camelCase"}, {"camel", "Case"}},
      {"HTTPServer", {"HTTPServer"}, {"HTTPServer"}},
      {"日本A", {"日本A"}, {"日本", "A"}},
      {"\xCC\x81", {"\xCC\x81"}, {"\xCC\x81"}},
  };
  for (const auto& [text, cl100k, o200k] : cases) {
    EXPECT_EQ(pieces(text, Cuts::Cl100k), cl100k) << text;
    EXPECT_EQ(pieces(text, Cuts::O200k), o200k) << text;
  }
}

TEST(Splitter, PiecesAreTheTextWhateverItsBytes) {
  std::string all;
  for (int i = 0; i < 70'000; ++i) all += static_cast<char>(i * 7919 >> 3);
  for (const auto cuts : {Cuts::Cl100k, Cuts::O200k}) {
    std::string joined;
    for (const auto& piece : pieces(all, cuts)) {
      ASSERT_FALSE(piece.empty());
      joined += piece;
    }
    EXPECT_EQ(joined, all);
  }
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += i + j > bytes.size() ? '=' : kDigits[bits >> (18 - 6 * j) & 63];
    }
  }
  return out;
}

/// All bytes, and these behind them.
std::string file_of(const std::vector<std::string>& tokens) {
  std::string out;
  std::size_t rank = 0;
  for (int byte = 0; byte < 256; ++byte) {
    out += base64(std::string(1, static_cast<char>(byte))) + ' ' + std::to_string(rank++) + '\n';
  }
  for (const auto& token : tokens) out += base64(token) + ' ' + std::to_string(rank++) + '\n';
  return out;
}

TEST(Vocabulary, MergesTheLowestRankFirst) {
  const auto made = Vocabulary::parse(file_of({"bc", "ab", "abc", "aa"}), Cuts::Cl100k);
  ASSERT_TRUE(made) << made.error().message;
  using Tokens = std::vector<std::uint32_t>;
  EXPECT_EQ(made->encode("abc"), (Tokens{258}));
  EXPECT_EQ(made->encode("abcd"), (Tokens{258, 'd'})) << "bc first, then a with bc";
  EXPECT_EQ(made->encode("abd"), (Tokens{257, 'd'}));
  EXPECT_EQ(made->encode("aaa"), (Tokens{259, 'a'})) << "the leftmost of equals";
  EXPECT_EQ(made->count(""), 0u);
  EXPECT_EQ(made->count("\xFF\xFE"), 2u);
}

TEST(Vocabulary, LongWordsAreNoTrouble) {
  const auto made = Vocabulary::parse(file_of({"aa", "aaaa"}), Cuts::O200k);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->count(std::string(1 << 20, 'a')), (1u << 20) / 4);
}

TEST(Vocabulary, RefusesAFileThatIsNone) {
  EXPECT_FALSE(Vocabulary::parse("", Cuts::Cl100k));
  EXPECT_FALSE(Vocabulary::parse("YQ== 0\n", Cuts::Cl100k)) << "bytes are missing";
  EXPECT_FALSE(Vocabulary::parse(file_of({}) + "YWI= 300\n", Cuts::Cl100k)) << "a gap";
  EXPECT_FALSE(Vocabulary::parse(file_of({}) + "Y!I= 256\n", Cuts::Cl100k));
  EXPECT_FALSE(Vocabulary::parse(file_of({}) + "YWI=\n", Cuts::Cl100k));
}

}  // namespace
}  // namespace causeway::bpe
