// What is around the names model: which sentences it is asked about, how its labels become
// findings, and how these stand beside the rules'.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "features/privacy/pii/model_chunks.h"
#include "features/privacy/pii/model_memory.h"
#include "features/privacy/pii/model_reader.h"
#include "features/privacy/pii/names_model.h"

namespace causeway::pii {
namespace {

using Part = ModelReader::Part;
using Strings = std::vector<std::string>;

Strings chunks_of(std::string_view text) {
  std::vector<Chunk> chunks;
  find_chunks(text, chunks);
  Strings out;
  for (const Chunk& chunk : chunks)
    out.emplace_back(text.substr(chunk.begin, chunk.end - chunk.begin));
  return out;
}

TEST(ModelChunks, OnlySentencesInWhichANameMayBe) {
  EXPECT_EQ(chunks_of("The meeting is at noon. Please be there."), Strings());
  EXPECT_EQ(chunks_of("It was late. I met Oluwaseun there. We had tea."),
            Strings{"I met Oluwaseun there."});
  EXPECT_EQ(chunks_of("i met jonathan"), Strings{"i met jonathan"}) << "known in lower case";
  EXPECT_EQ(chunks_of("Ask Élodie about it"), Strings{"Ask Élodie about it"});
  EXPECT_EQ(chunks_of("The API and the HTTP server are on. Call at 5, please."), Strings());
  EXPECT_EQ(chunks_of(""), Strings());
}

TEST(ModelChunks, SentencesOneBehindTheOtherStayTogether) {
  EXPECT_EQ(chunks_of("I met Dr. Okonkwo. Then Fatima came.\nNothing was said.\nHans left."),
            (Strings{"I met Dr. Okonkwo. Then Fatima came.", "Hans left."}));
}

TEST(ModelChunks, NoneIsTooLong) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "and Okonkwo spoke with Fatima";
  for (int i = 0; i < 200; ++i) text += " and Okonkwo spoke";
  text += std::string(3000, 'X') + "é";
  std::vector<Chunk> chunks;
  find_chunks(text, chunks);
  ASSERT_GT(chunks.size(), 5U);
  std::uint32_t end = 0;
  for (const Chunk& chunk : chunks) {
    EXPECT_LE(chunk.end - chunk.begin, kMostChunk);
    EXPECT_GE(chunk.begin, end);
    EXPECT_LT(chunk.begin, chunk.end);
    end = chunk.end;
  }
}

// A text with labels: "Alex:N Rivera:N at 5:#" and pieces of words with "+" in front.
struct Labelled {
  explicit Labelled(std::string_view said) {
    while (!said.empty()) {
      const auto end = std::min(said.find(' '), said.size());
      std::string_view word = said.substr(0, end);
      said.remove_prefix(std::min(end + 1, said.size()));
      const bool inside = word.starts_with('+');
      if (inside) word.remove_prefix(1);
      const auto mark = word.find(':');
      const auto part = mark == word.npos ? Part::None : kParts.at(word[mark + 1]);
      word = word.substr(0, mark);
      if (!text.empty() && !inside) text += ' ';
      const auto begin = static_cast<std::uint32_t>(text.size());
      text += word;
      pieces.push_back({0, begin, static_cast<std::uint32_t>(text.size()), inside});
      parts.push_back(part);
    }
    scores.assign(pieces.size(), 0.9F);
  }
  Strings found() const {
    std::vector<Finding> findings;
    ModelReader::to_findings(text, pieces, parts, scores, findings);
    Strings out;
    for (const Finding& one : findings) {
      EXPECT_EQ(one.rule, "model");
      out.push_back(std::string(name_of(one.kind)) + ' ' +
                    text.substr(one.begin, one.end - one.begin));
    }
    return out;
  }
  static inline const std::map<char, Part> kParts{{'N', Part::Name},   {'S', Part::Street},
                                                  {'#', Part::Number}, {'F', Part::Flat},
                                                  {'T', Part::Town},   {'P', Part::Postcode}};
  std::string text;
  std::vector<bert::Piece> pieces;
  std::vector<Part> parts;
  std::vector<float> scores;
};

TEST(ModelReader, WordsOneBehindTheOtherAreOneName) {
  EXPECT_EQ(Labelled("ask Alex:N Rivera:N about it").found(), Strings{"person Alex Rivera"});
  EXPECT_EQ(Labelled("Alex:N and Fatima:N").found(), (Strings{"person Alex", "person Fatima"}));
}

TEST(ModelReader, OfAWordItTakesAll) {
  EXPECT_EQ(Labelled("Ok:N +on +kwo:N").found(), Strings{"person Okonkwo"});
  EXPECT_EQ(Labelled("Ok +on:N +kwo is").found(), Strings{"person Okonkwo"});
}

TEST(ModelReader, WordsInLowerCaseAtTheEndAreNoNames) {
  EXPECT_EQ(Labelled("Corsten:N schrijft:N vanaf:N").found(), Strings{"person Corsten"});
  EXPECT_EQ(Labelled("tot juni:N").found(), Strings());
  EXPECT_EQ(Labelled("i met jonathan:N okonkwo:N").found(), Strings{"person jonathan okonkwo"});
  EXPECT_EQ(Labelled("heer van:N den:N Pol:N").found(), Strings{"person van den Pol"});
}

TEST(ModelReader, AnAddressNeedsMoreThanATown) {
  EXPECT_EQ(Labelled("in London:T now").found(), Strings());
  EXPECT_EQ(Labelled("at 14:# Rue:S Longue:S , Apt 5:# , 75002:P Paris:T today").found(),
            Strings{"address 14 Rue Longue , Apt 5 , 75002 Paris"});
  EXPECT_EQ(Labelled("8001:P Zürich:T").found(), Strings{"address 8001 Zürich"});
  EXPECT_EQ(Labelled("order 8001:P of").found(), Strings());
}

TEST(ModelReader, KnowsTheLabels) {
  EXPECT_EQ(ModelReader::part_of("B-GIVEN_NAME"), Part::Name);
  EXPECT_EQ(ModelReader::part_of("I-SURNAME"), Part::Name);
  EXPECT_EQ(ModelReader::part_of("B-ZIP_CODE"), Part::Postcode);
  EXPECT_EQ(ModelReader::part_of("B-PASSPORT"), Part::None);
  EXPECT_EQ(ModelReader::part_of("O"), Part::None);
}

Finding finding(std::string_view text, std::string_view words, Kind kind, std::string_view rule) {
  Finding one;
  one.begin = static_cast<std::uint32_t>(text.find(words));
  one.end = one.begin + static_cast<std::uint32_t>(words.size());
  one.kind = kind;
  one.confidence = 0.8F;
  one.rule = rule;
  return one;
}

Strings merged(std::string_view text, std::vector<Finding> rules,
               const std::vector<Finding>& model) {
  merge_findings(text, model, rules);
  Strings out;
  std::uint32_t end = 0;
  for (const Finding& one : rules) {
    EXPECT_GE(one.begin, end);
    end = one.end;
    out.push_back(std::string(one.rule) + ' ' +
                  std::string(text.substr(one.begin, end - one.begin)));
  }
  return out;
}

TEST(MergeFindings, NewOnesComeInTheirPlace) {
  constexpr std::string_view kText = "Alex wrote to a@b.example and Fatima";
  EXPECT_EQ(merged(kText, {finding(kText, "a@b.example", Kind::Email, "email")},
                   {finding(kText, "Alex", Kind::Person, "model"),
                    finding(kText, "Fatima", Kind::Person, "model")}),
            (Strings{"model Alex", "email a@b.example", "model Fatima"}));
}

TEST(MergeFindings, TheSameThingBecomesOneOfBoth) {
  constexpr std::string_view kText = "for Anna Maria Okonkwo-Bell now";
  EXPECT_EQ(merged(kText, {finding(kText, "Maria", Kind::Person, "person.given")},
                   {finding(kText, "Anna Maria Okonkwo-Bell", Kind::Person, "model")}),
            Strings{"person.given Anna Maria Okonkwo-Bell"});
  EXPECT_EQ(merged(kText, {finding(kText, "Anna Maria Okonkwo-Bell", Kind::Person, "person.full")},
                   {finding(kText, "Maria", Kind::Person, "model")}),
            Strings{"person.full Anna Maria Okonkwo-Bell"});
}

TEST(MergeFindings, RulesOfOtherKindsKeepWhatIsTheirs) {
  constexpr std::string_view kText = "Okonkwo 4111111111111111 Bell";
  const std::vector<Finding> model{finding(kText, kText, Kind::Person, "model")};
  EXPECT_EQ(merged(kText, {finding(kText, "4111111111111111", Kind::Card, "card")}, model),
            (Strings{"model Okonkwo ", "card 4111111111111111", "model Bell"}));
  EXPECT_EQ(merged(kText, {finding(kText, kText, Kind::Custom, "own.x")}, model),
            Strings{"own.x " + std::string(kText)});
}

TEST(ModelMemory, KnowsWhatItHasSeen) {
  ModelMemory memory(2);
  const auto key = [&](const char* text) { return memory.key_of(text); };
  std::vector<Finding> out;
  EXPECT_FALSE(memory.find(key("a"), out));
  memory.keep(key("a"), std::vector<Finding>{finding("Alex", "Alex", Kind::Person, "model")});
  ASSERT_TRUE(memory.find(key("a"), out));
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].end, 4U);
  EXPECT_EQ(out[0].kind, Kind::Person);
  EXPECT_EQ(out[0].rule, "model");
}

TEST(ModelMemory, IsBounded) {
  ModelMemory memory(2);
  std::vector<Finding> out;
  const auto key = [&](int i) { return memory.key_of("text " + std::to_string(i)); };
  for (int i = 0; i < 100; ++i) {
    memory.keep(key(i), {});
    EXPECT_TRUE(memory.find(key(0), out)) << "what is asked for stays";
  }
  int known = 0;
  for (int i = 1; i < 100; ++i) known += memory.find(key(i), out);
  EXPECT_LE(known, 4);
}

TEST(ModelSearch, GoesThroughAllTexts) {
  ModelSearch search;
  search.add("nothing is here");
  search.add("I met Okonkwo. It was late. Fatima came.");
  search.add({});
  search.add("Hans Okonkwo");
  Strings asked;
  const std::vector<Finding> first{finding("I", "I", Kind::Person, "model")};
  while (const auto words = search.next()) {
    asked.emplace_back(*words);
    search.found(first);
  }
  EXPECT_EQ(asked, (Strings{"I met Okonkwo.", "Fatima came.", "Hans Okonkwo"}));
  EXPECT_TRUE(search.of(0).empty() && search.of(2).empty());
  ASSERT_EQ(search.of(1).size(), 2U);
  EXPECT_EQ(search.of(1)[1].begin, 28U);
  EXPECT_EQ(search.of(3).size(), 1U);
}

}  // namespace
}  // namespace causeway::pii
