// May two questions share an answer? Vectors say how near two texts are, and "enable" is near
// "disable": so whoever answers by meaning asks this second gate as well. It looks for what turns
// an answer round: numbers, units, negation, opposites, direction, names, who, when, what kind of
// question, how many of them, another word in the same place. English first; German, French,
// Spanish, Italian and Dutch with shorter lists. What it cannot read (other scripts, long texts)
// shares no answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway::similar {

enum class Reason : std::uint8_t {
  Same,    ///< nothing speaks against it
  Unread,  ///< empty, longer than kMostWords words or kMostBytes, or in a script that is not Latin
  Language,  ///< one is German, the other English
  Numbers,
  Units,  ///< kilometres and miles, euros and dollars
  Negation,
  Opposite,   ///< enable and disable, before and after, largest and smallest
  Direction,  ///< from A to B and from B to A
  Entities,   ///< names, identifiers, quoted texts
  Who,        ///< my manager instead of me
  Time,       ///< today and tomorrow
  Kind,       ///< why and when
  Scope,      ///< only, all
  Modality,   ///< can and must
  Words,      ///< otherwise alike, with another word in one place, or one condition more
};

/// "numbers", "negation", …: for metrics and reports.
std::string_view name_of(Reason reason);

constexpr std::size_t kMostBytes = 2'000;
constexpr std::size_t kMostWords = 100;

enum class Kind : std::uint8_t {
  Open,  ///< no question word, or one that says little
  How,
  Define,
  Why,
  When,
  Where,
  WhereDo,  ///< where can I: as good as how
  Who,
  HowMuch,
  HowMany,
  HowLong,
  HowFar,
  YesNo,
};

/// What the gate knows of one text. A few hundred bytes; made once, kept beside the vector.
struct Question {
  using Group = std::pair<std::uint16_t, std::uint8_t>;  ///< which list of opposites, which side

  std::vector<std::string> words;     ///< stems, in order
  std::vector<std::string> content;   ///< those that are not function words; sorted, each once
  std::vector<std::string> numbers;   ///< "15%", "2.3"; sorted
  std::vector<std::string> measured;  ///< the same with durations in minutes or months; sorted
  std::vector<std::string> units;     ///< sorted, each once
  std::vector<std::string> entities;  ///< stems, in order of appearance
  std::vector<std::string> people;    ///< sorted, each once
  std::vector<std::string> times;     ///< sorted, each once
  std::vector<std::string> from, to;  ///< stems behind "from" and "to"
  std::vector<std::string> than;      ///< stems behind "than"
  std::vector<Group> groups;          ///< sorted, each once
  Kind kind = Kind::Open;
  std::uint8_t language = 0;                 ///< number in the table of languages; 0: not known
  std::uint8_t modality = 0;                 ///< 0 none, 1 may, 2 must, 3 should; of YesNo only
  bool digit_one = false, word_one = false;  ///< "1 payment", "one payment": not among the numbers
  bool negated = false;
  bool only = false;
  bool read = false;
};

/// Takes any bytes. About 10 µs for a question of a line.
Question read_question(std::string_view text);

/// Why the two may not share an answer; Reason::Same when nothing speaks against it. Symmetric.
Reason differs(const Question& a, const Question& b);

}  // namespace causeway::similar
