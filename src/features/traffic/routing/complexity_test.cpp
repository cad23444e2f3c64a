#include "features/traffic/routing/complexity.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace causeway::routing {
namespace {

/// A question of bench/complexity, and whether the small model had it right.
struct Question {
  std::string text;
  std::size_t bytes = 0;
  std::uint32_t turns = 1;
  bool tools = false, schema = false, easy = false;

  ChatShape chat() const { return {text, bytes, turns, tools, schema}; }
};

Question question_of(const boost::json::object& line) {
  Question question;
  question.text = line.at("text").as_string();
  question.bytes = question.text.size();
  if (const auto* before = line.if_contains("before")) {
    for (const auto& one : before->as_array()) question.bytes += one.as_string().size();
    question.turns += static_cast<std::uint32_t>((before->as_array().size() + 1) / 2);
  }
  question.tools = line.contains("tools");
  question.schema = line.contains("schema");
  question.easy = line.at("label").as_string() == "easy";
  return question;
}

std::vector<Question> read_half(std::string_view half) {
  std::ifstream file(CAUSEWAY_SOURCE_DIR "/bench/complexity/questions.jsonl");
  std::vector<Question> questions;
  for (std::string line; std::getline(file, line);) {
    const auto value = boost::json::parse(line).as_object();
    if (value.contains("half") && value.at("half").as_string() == half)
      questions.push_back(question_of(value));
  }
  return questions;
}

// Floors, a little below what scripts/bench complexity prints for this half.
constexpr double kLeastLocal = 0.14, kLeastQuality = 0.90, kLeastAccuracy = 0.66, kLeastArea = 0.74;

double score_of(std::string_view text) { return complexity_score({.question = text}); }

TEST(Complexity, WhatIsKeptLocalIsMostlyAnsweredRight) {
  const auto questions = read_half("measure");
  ASSERT_GT(questions.size(), 300u);
  double local = 0, wrong = 0, hits = 0;
  for (const auto& question : questions) {
    const bool kept = complexity_of(question.chat()) == Complexity::Easy;
    local += kept;
    wrong += kept && !question.easy;
    hits += kept == question.easy;
  }
  const auto all = static_cast<double>(questions.size());
  std::printf("kept local %.3f, quality %.3f, accuracy %.3f\n", local / all, 1 - wrong / all,
              hits / all);
  EXPECT_GT(local / all, kLeastLocal);
  EXPECT_GT(1 - wrong / all, kLeastQuality);
  EXPECT_GT(hits / all, kLeastAccuracy);
}

TEST(Complexity, AnEasyQuestionScoresLessThanAHardOne) {
  const auto questions = read_half("measure");
  double pairs = 0, right = 0;
  for (const auto& easy : questions) {
    if (!easy.easy) continue;
    for (const auto& hard : questions) {
      if (hard.easy) continue;
      ++pairs;
      right += complexity_score(easy.chat()) < complexity_score(hard.chat());
    }
  }
  EXPECT_GT(right / pairs, kLeastArea);
}

TEST(Complexity, QuestionsInOtherLanguagesAreHardForAModelThatSpeaksEnglish) {
  for (const std::string_view text :
       {"Erkläre den Unterschied zwischen Kauf und Leasing.", "Wer hat die Zauberflöte komponiert?",
        "Pourquoi la mer est-elle salée ?", "Résume ce contrat et compare les délais.",
        "¿Por qué es salado el mar?", "Escribe una carta de queja sobre mi vuelo.",
        "Perché il mare è salato?", "Scrivi una poesia sulla pioggia.", "Waarom is de zee zout?",
        "Leg uit hoe een warmtepomp werkt.", "海はなぜ塩辛いのですか。", "Почему море солёное?"})
    EXPECT_EQ(complexity_of({.question = text}), Complexity::Hard) << text;
}

TEST(Complexity, WhatIsAskedForCounts) {
  const std::string plain = "What is the capital of Norway?";
  EXPECT_EQ(complexity_of({.question = plain}), Complexity::Easy);
  EXPECT_GT(score_of("Compare the capitals of Norway and Sweden and explain, step by step, which "
                     "one is the better place for a company with exactly 40 employees."),
            score_of(plain) + 0.3);
}

TEST(Complexity, WhatStandsAroundTheQuestionCounts) {
  const std::string_view text = "What is the capital of Norway?";
  const double alone = score_of(text);
  EXPECT_GT(complexity_score({.question = text, .tools = true}), alone);
  EXPECT_GT(complexity_score({.question = text, .schema = true}), alone);
  EXPECT_GT(complexity_score({.question = text, .turns = 4}), alone);
  EXPECT_GT(complexity_score({.question = text, .bytes = 20'000}), alone);
  EXPECT_EQ(complexity_score({.question = text, .bytes = text.size()}), alone);
}

TEST(Complexity, CapitalsAndSmallLettersAreTheSame) {
  EXPECT_EQ(score_of("WHO WROTE HAMLET?"), score_of("who wrote hamlet?"));
  EXPECT_EQ(score_of("ERKLÄRE ÜBERSETZE"), score_of("erkläre übersetze"));
}

TEST(Complexity, OfALongTextOnlyBothEndsAreRead) {
  std::string text(1'000'000, 'x');
  const double before = score_of(text);
  text.replace(500'000, 40, " prove explain compare why exactly { } ");
  EXPECT_EQ(score_of(text), before);
  text.replace(text.size() - 100, 40, " prove explain compare why exactly { } ");
  EXPECT_NE(score_of(text), before);
}

TEST(Complexity, AnyBytesGetAScore) {
  EXPECT_EQ(score_of(""), 1);
  for (const std::string& text :
       {std::string(1, '\0'), std::string(" "), std::string("\xff\xfe\xc3"), std::string("\xc3"),
        std::string(5'000, '?'), std::string(100'000, '\x80')}) {
    EXPECT_GE(score_of(text), 0);
    EXPECT_LE(score_of(text), 1);
  }
}

TEST(Complexity, TheThresholdIsTheOperators) {
  const ChatShape chat{.question = "What is the capital of Norway?"};
  EXPECT_EQ(complexity_of(chat, 0), Complexity::Hard);
  EXPECT_EQ(complexity_of(chat, 1), Complexity::Easy);
}

}  // namespace
}  // namespace causeway::routing
