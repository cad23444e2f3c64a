#include "platform/bert/word_pieces.h"

#include <gtest/gtest.h>

namespace causeway::bert {
namespace {

class WordPiecesTest : public ::testing::Test {
 protected:
  WordPiecesTest() {
    std::string lines;
    for (const std::string& word : words_) lines += word + "\n";
    lines.pop_back();
    auto made = WordPieces::make(lines);
    EXPECT_TRUE(made);
    if (made) pieces_ = std::make_unique<WordPieces>(std::move(*made));
  }

  /// "word[begin,end]" of each piece, "##" in front where it goes on.
  std::string cut(std::string_view text) const {
    std::vector<Piece> out;
    pieces_->cut(text, out);
    std::string said;
    for (const Piece& piece : out) {
      EXPECT_EQ(piece.inside, words_[piece.id].starts_with("##"));
      said += words_[piece.id] + '[' + std::to_string(piece.begin) + ',' +
              std::to_string(piece.end) + ']';
    }
    return said;
  }

  const std::vector<std::string> words_{"[UNK]", "[CLS]", "[SEP]", "al",     "alex", "##and",
                                        "##er",  "-",     "'",     "muller", "##s",  "[",
                                        "]",     "cls",   "田",    "i"};
  std::unique_ptr<WordPieces> pieces_;
};

TEST_F(WordPiecesTest, TakesTheLongestPieces) {
  EXPECT_EQ(cut("Alexander"), "alex[0,4]##and[4,7]##er[7,9]");
  EXPECT_EQ(cut("  AL-alex's\t"), "al[2,4]-[4,5]alex[5,9]'[9,10][UNK][10,11]");
}

TEST_F(WordPiecesTest, KnowsLettersWithAccentsByTheirBase) {
  EXPECT_EQ(cut("Müllers"), "muller[0,7]##s[7,8]");
  EXPECT_EQ(cut("Mu\xCC\x88ller"), "muller[0,8]") << "the accent as a character of its own";
  EXPECT_EQ(cut("\xC4\xB0"), "i[0,2]") << "I with a dot";
}

TEST_F(WordPiecesTest, AWordWithOneStrangePieceIsUnknown) {
  EXPECT_EQ(cut("alexq al"), "[UNK][0,5]al[6,8]");
  EXPECT_EQ(cut(std::string(101, 'a')), "[UNK][0,101]");
}

TEST_F(WordPiecesTest, IdeographsStandAlone) { EXPECT_EQ(cut("田al"), "田[0,3]al[3,5]"); }

TEST_F(WordPiecesTest, NamesOfSpecialTokensAreWords) {
  EXPECT_EQ(cut("[CLS]"), "[[0,1]cls[1,4]][4,5]");
}

TEST_F(WordPiecesTest, WhatIsNoTextIsPassedOver) {
  EXPECT_EQ(cut("al\xff\xfe\x01"), "al[0,2]");
  EXPECT_EQ(cut("a\xE2\x80\x8Bl"), "al[0,5]") << "a blank without width";
  EXPECT_EQ(cut(""), "");
  EXPECT_EQ(cut("\xC2\xA0\n"), "");
}

TEST_F(WordPiecesTest, NoMorePiecesThanBytes) {
  std::vector<Piece> out;
  for (const char* text : {"한국어", "½²ﬁ", "....", "ΐΰ", "\xF0\x9D\x85\x9E\xF0\x9D\x86\xB9"}) {
    pieces_->cut(text, out);
    EXPECT_LE(out.size(), std::string_view(text).size()) << text;
  }
}

TEST(WordPieces, NeedsItsSpecialTokens) {
  EXPECT_FALSE(WordPieces::make("[UNK]\n[CLS]\nal"));
  EXPECT_FALSE(WordPieces::make(""));
}

}  // namespace
}  // namespace causeway::bert
