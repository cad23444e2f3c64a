// What the gate refuses and what it lets pass; and the measured halves of tests/data/paraphrases.
#include "platform/similar/gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "platform/similar/matcher.h"

namespace causeway::similar {
namespace {

Reason between(std::string_view one, std::string_view other) {
  const auto a = read_question(one), b = read_question(other);
  const auto said = differs(a, b);
  // Which of the two reasons comes first may not depend on the order; neither may the answer.
  EXPECT_EQ(said, differs(b, a)) << one << " | " << other;
  return said;
}

struct Pair {
  const char* one;
  const char* other;
  Reason reason;
};

TEST(Gate, RefusesWhatTurnsTheAnswerRound) {
  constexpr auto kPairs = std::to_array<Pair>({
      {"How long may 2 people stay?", "How long may three people stay?", Reason::Numbers},
      {"Is 15% VAT right?", "Is 15 VAT right?", Reason::Numbers},
      {"What is new in v2.3?", "What is new in v2.4?", Reason::Numbers},
      {"Can I pay 1 rate later?", "Can I pay rate later?", Reason::Numbers},
      {"How far is it in km?", "How far is it in miles?", Reason::Units},
      {"Can I fly with a dog?", "Can't I fly with a dog?", Reason::Negation},
      {"Kann ich mit Hund fliegen?", "Kann ich ohne Hund fliegen?", Reason::Negation},
      {"Je peux venir ?", "Je ne peux pas venir ?", Reason::Negation},
      {"How do I enable logging?", "How do I disable logging?", Reason::Opposite},
      {"Closing an account", "Opening an account", Reason::Opposite},
      {"Can I import a list?", "Can I export a list?", Reason::Opposite},
      {"Is it mutable?", "Is it immutable?", Reason::Opposite},
      {"Which plan is cheapest?", "Which plan is most expensive?", Reason::Opposite},
      {"convert EUR to USD", "convert USD to EUR", Reason::Direction},
      {"trains from Rome to Milan", "trains from Milan to Rome", Reason::Direction},
      {"Is tea better than coffee?", "Is coffee better than tea?", Reason::Direction},
      {"Can a tenant sue a landlord?", "Can a landlord sue a tenant?", Reason::Direction},
      {"reading a file in python", "reading a file in java", Reason::Entities},
      {"What does \"moot\" mean?", "What does \"mute\" mean?", Reason::Entities},
      {"How do I use user_id here?", "How do I use order_id here?", Reason::Entities},
      {"Sort a list", "Sort a list in Python", Reason::Entities},
      {"Can I see the file?", "Can my manager see the file?", Reason::Who},
      {"Are you open today?", "Are you open tomorrow?", Reason::Time},
      {"Why was it rejected?", "When was it rejected?", Reason::Kind},
      {"Can members vote?", "Can only members vote?", Reason::Scope},
      {"Can I leave a tip?", "Must I leave a tip?", Reason::Modality},
      {"How do I clean the oven?", "How do I clean the kettle?", Reason::Words},
      {"Can I return an item?", "Can I return an opened item?", Reason::Words},
      {"Wie viel kostet das?", "What does that cost?", Reason::Language},
  });
  for (const auto& pair : kPairs) {
    EXPECT_EQ(name_of(between(pair.one, pair.other)), name_of(pair.reason))
        << pair.one << " | " << pair.other;
  }
}

TEST(Gate, LetsPassWhatMeansTheSame) {
  for (const auto& [one, other] : std::initializer_list<std::pair<const char*, const char*>>{
           {"How do I reset my password?", "how do i reset my password"},
           {"How do I reset my password?", "I forgot my password, how can I set a new one?"},
           {"Can I return it after 14 days?", "Is a return after two weeks possible?"},
           {"How much is 1,000 EUR?", "How much are 1000 euros?"},
           {"How do I reset my password?", "Hello, how do I reset my password please?"},
           {"How do I delete my account?", "How do I remove my account?"},
           {"Transfer files from laptop to phone",
            "How do I move files to the phone from the laptop?"},
           {"Wie hoch ist die Gebühr für 100 €?", "Welche Gebühr fällt bei 100 Euro an?"},
           {"Ann and Ben and Cem or Cem and Ben and Ann?",
            "Ann and Ben and Cem or Cem and Ben and Ann"},
           {"DON\u2019T I NEED A VISA?", "don't i need a visa?"},
       }) {
    EXPECT_EQ(name_of(between(one, other)), "same") << one << " | " << other;
  }
}

TEST(Gate, SharesNothingThatItCannotRead) {
  EXPECT_EQ(between("", ""), Reason::Unread);
  EXPECT_EQ(between(" ?!", " ?!"), Reason::Unread);
  EXPECT_EQ(between("\u043f\u0440\u0438\u0432\u0435\u0442", "\u043f\u0440\u0438\u0432\u0435\u0442"),
            Reason::Unread);
  EXPECT_EQ(between("bad \xff byte", "bad \xff byte"), Reason::Unread);
  const std::string many_bytes(kMostBytes + 1, 'a');
  EXPECT_EQ(between(many_bytes, many_bytes), Reason::Unread);
  std::string many_words;
  for (std::size_t i = 0; i <= kMostWords; ++i) many_words += "a ";
  EXPECT_EQ(between(many_words, many_words), Reason::Unread);
}

struct Row {
  std::string kind, question, same, other;
};

std::vector<std::string> cut(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '\t');) fields.push_back(field);
  return fields;
}

bool to_measure(std::string_view question) {
  std::uint64_t value = 0xCBF29CE484222325;
  for (const char c : question) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return value % 2 != 0;
}

/// The half that nothing was tuned with, at the threshold that is usual, with the similarities of
/// tests/data/paraphrases/similarities.tsv (all-minilm-l6-v2; scripts/bench semantic --renew).
TEST(Gate, HoldsWhatWasMeasured) {
  const std::filesystem::path folder =
      std::filesystem::path(CAUSEWAY_SOURCE_DIR) / "tests" / "data" / "paraphrases";
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const auto name = file.path().filename();
    if (name.extension() == ".tsv" && name != "similarities.tsv" && name != "crowd.tsv") {
      files.push_back(file.path());
    }
  }
  std::ranges::sort(files);
  std::ifstream similarities(folder / "similarities.tsv");
  int all = 0, hits = 0, wrong = 0, loose = 0;
  std::string line, near_line;
  for (const auto& file : files) {
    for (std::ifstream in(file); std::getline(in, line);) {
      ASSERT_TRUE(std::getline(similarities, near_line));
      const auto row = cut(line), near = cut(near_line);
      ASSERT_EQ(row.size(), 5u);
      ASSERT_EQ(near.at(3), row[2]) << "scripts/bench semantic --renew";
      if (file.stem() == "late" || file.stem() == "blind" || !to_measure(row[2])) continue;
      const auto question = read_question(row[2]), same = read_question(row[3]),
                 other = read_question(row[4]);
      const auto answers = [&](const std::string& similarity, const Question& a,
                               const Question& b) {
        return std::stof(similarity) >= kUsualThreshold && differs(a, b) == Reason::Same;
      };
      ++all;
      hits += answers(near[0], question, same);
      wrong += answers(near[1], question, other);
      loose += answers(near[2], same, other);
    }
  }
  EXPECT_GE(all, 150);
  EXPECT_GE(hits, all * 50 / 100);
  EXPECT_LE(wrong, all * 2 / 100);
  EXPECT_LE(loose, all * 3 / 100);  // 4 of 166 were measured
}

}  // namespace
}  // namespace causeway::similar
