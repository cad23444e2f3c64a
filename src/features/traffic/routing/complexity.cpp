#include "features/traffic/routing/complexity.h"

#include <algorithm>
#include <cmath>

#include "features/traffic/routing/complexity_weights.h"
#include "features/traffic/routing/complexity_words.h"

namespace causeway::routing {
namespace {

constexpr std::size_t kReadAtEachEnd = 2048;

enum class Byte : std::uint8_t { Other, Letter, Digit, Question, Stop, Line, Code, Sign, Quote };

constexpr std::array<Byte, 256> make_kinds() {
  std::array<Byte, 256> kinds{};
  const auto set = [&](std::string_view bytes, Byte kind) {
    for (const char c : bytes) kinds[static_cast<unsigned char>(c)] = kind;
  };
  for (int c = 'a'; c <= 'z'; ++c) kinds[c] = kinds[c - 'a' + 'A'] = Byte::Letter;
  for (int c = 0x80; c <= 0xff; ++c) kinds[c] = Byte::Letter;
  set("0123456789", Byte::Digit);
  set("?", Byte::Question);
  set(".!", Byte::Stop);
  set("\n", Byte::Line);
  set("{}()[];_`<>#$", Byte::Code);
  set("+*/^=%", Byte::Sign);
  set("'\"", Byte::Quote);
  return kinds;
}
constexpr auto kKinds = make_kinds();

/// What is counted while a text is read once.
class Reader {
 public:
  std::array<std::uint32_t, kMarks> marks{};
  std::array<std::uint32_t, 9> bytes{};  // by kind
  std::uint32_t words = 0, numbers = 0, beyond_ascii = 0, first = 0;

  void read(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
      const Byte kind = kKinds[static_cast<unsigned char>(text[i])];
      if (kind == Byte::Letter) {
        i = read_word(text, i);
      } else if (kind == Byte::Digit) {
        while (i < text.size() && kKinds[static_cast<unsigned char>(text[i])] == Byte::Digit) ++i;
        ++numbers;
      } else {
        ++bytes[static_cast<std::size_t>(kind)];
        ++i;
      }
    }
  }

  std::uint32_t of(Byte kind) const { return bytes[static_cast<std::size_t>(kind)]; }

 private:
  std::size_t read_word(std::string_view text, std::size_t i) {
    std::uint32_t hash = kHashBegin;
    unsigned char before = 0;
    for (; i < text.size(); ++i) {
      auto byte = static_cast<unsigned char>(text[i]);
      if (kKinds[byte] != Byte::Letter) break;
      if (byte >= 0x80) {
        ++beyond_ascii;
        if (before == 0xc3 && byte < 0x9f && byte != 0x97) byte += 0x20;  // À to Þ, without ×
      } else {
        byte |= 0x20;
      }
      hash = hash_more(hash, byte);
      before = byte;
    }
    std::uint32_t found = marks_of(hash);
    if (words++ == 0) first = found;
    for (; found != 0; found &= found - 1) ++marks[static_cast<unsigned>(__builtin_ctz(found))];
    return i;
  }
};

/// From 0 to 1, which is reached at `enough`.
float part(double count, double enough) {
  return static_cast<float>(std::min(count / enough, 1.0));
}

bool has(std::uint32_t marks, Mark mark) { return (marks >> static_cast<unsigned>(mark) & 1) != 0; }

}  // namespace

const double kUsualThreshold = kFittedThreshold;

const std::array<std::string_view, kSigns> kSignNames{
    "one",     "reason",    "create",    "constraint", "code",      "maths",   "domain",  "recall",
    "meaning", "classify",  "extract",   "rewrite",    "translate", "greet",   "connect", "plain",
    "foreign", "asks",      "yes_no",    "long",       "longer",    "around",  "turns",   "tools",
    "schema",  "questions", "sentences", "quotes",     "short",     "symbols", "digits",  "beyond"};

Signs signs_of(const ChatShape& chat) {
  Reader seen;
  if (chat.question.size() <= 2 * kReadAtEachEnd) {
    seen.read(chat.question);
  } else {
    seen.read(chat.question.substr(0, kReadAtEachEnd));
    seen.read(chat.question.substr(chat.question.size() - kReadAtEachEnd));
  }
  const double length = static_cast<double>(chat.question.size());
  const double around = static_cast<double>(std::max(chat.bytes, chat.question.size())) - length;
  Signs signs{};
  std::size_t next = 0;
  signs[next++] = 1;
  for (std::size_t mark = 0; mark < static_cast<std::size_t>(Mark::Asks); ++mark)
    signs[next++] = part(seen.marks[mark], 3);
  // A word of greeting in a long text is no greeting.
  float& greets = signs[1 + static_cast<std::size_t>(Mark::Greet)];
  greets = seen.words > 0
               ? part(seen.marks[static_cast<std::size_t>(Mark::Greet)], seen.words / 3.0)
               : 0;
  signs[next++] = has(seen.first, Mark::Asks);
  signs[next++] = has(seen.first, Mark::YesNo);
  signs[next++] = part(std::log2(1 + length), 8);
  signs[next++] = part(std::max(0.0, std::log2(1 + length) - 7), 8);
  signs[next++] = part(std::log2(1 + around), 14);
  signs[next++] = part(std::max(1u, chat.turns) - 1, 4);
  signs[next++] = chat.tools;
  signs[next++] = chat.schema;
  signs[next++] = part(std::max(1u, seen.of(Byte::Question)) - 1, 2);
  signs[next++] = part(seen.of(Byte::Stop) + seen.of(Byte::Line), 6);
  signs[next++] = part(seen.of(Byte::Quote), 2);
  signs[next++] = seen.words <= 5;
  signs[next++] = part(seen.of(Byte::Code) + seen.of(Byte::Sign), 6);
  signs[next++] = part(seen.numbers, 4);
  signs[next++] = part(seen.beyond_ascii, 8);
  return signs;
}

double complexity_score(const ChatShape& chat) {
  if (chat.question.empty()) return 1;  // an image, a tool's result: nothing to judge by
  const Signs signs = signs_of(chat);
  double sum = 0;
  for (std::size_t i = 0; i < kSigns; ++i) sum += double{kFittedWeights[i]} * double{signs[i]};
  return 1 / (1 + std::exp(-sum));
}

}  // namespace causeway::routing
