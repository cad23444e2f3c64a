// Finds the literals of all rules: what patterns begin with in every text, and the words that stand
// near a number in those where something asks for them. Hyperscan does it, at the speed of memory.
#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct hs_database;
struct hs_scratch;

namespace causeway::pii {

inline constexpr std::size_t kMaxRules = 512;
using RuleSet = std::bitset<kMaxRules>;

/// A word in the text, and the rules that it speaks for.
struct WordHit {
  std::uint32_t begin, end;
  std::uint32_t word;
};
/// What pattern `rule` begins with.
struct AnchorHit {
  std::uint32_t begin;
  std::uint32_t rule;
};

struct Hits {
  std::vector<AnchorHit> anchors;  // in order
  std::vector<WordHit> words;      // in order, once they have been looked for
  bool words_known = false;
};

class Words {
 public:
  /// Before `build`. `words` as in rule.h: "ssn|social security|@name".
  void add_words(std::uint32_t rule, std::string_view words);
  void add_anchors(std::uint32_t rule, std::string_view anchors, bool fold_case);
  void build();

  Words();
  ~Words();

  /// A thread's working memory for the scan, to be made once.
  class Memory {
   public:
    Memory() = default;
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

   private:
    friend class Words;
    hs_scratch* scratch_ = nullptr;
    const Words* owner_ = nullptr;
  };
  /// Begins a new text.
  void find_anchors(std::string_view text, Memory& memory, Hits& hits) const;
  void find_words(std::string_view text, Memory& memory, Hits& hits) const;
  /// Both, literal by literal; for tests.
  void find_slowly(std::string_view text, Hits& hits) const;

  const RuleSet& rules_of(const WordHit& hit) const { return literals_[hit.word].rules; }

 private:
  struct Literal {
    std::string text;
    bool fold_case;
    RuleSet rules;                       // that it speaks for as a word
    std::vector<std::uint32_t> anchors;  // patterns that begin with it
  };
  Literal& literal(std::string_view text, bool fold_case);
  template <class Choose>
  hs_database* compile(const Choose& choose) const;
  using Take = void (Words::*)(std::string_view text, std::uint32_t literal, std::size_t end,
                               Hits& hits) const;
  template <Take take>
  void scan(const hs_database* database, std::string_view text, Memory& memory, Hits& hits) const;
  void take_word(std::string_view text, std::uint32_t literal, std::size_t end, Hits& hits) const;
  void take_anchor(std::string_view text, std::uint32_t literal, std::size_t end, Hits& hits) const;
  static void sort_words(Hits& hits);
  static void sort_anchors(Hits& hits);

  std::vector<Literal> literals_;
  std::map<std::pair<std::string, bool>, std::uint32_t> by_text_;
  hs_database *words_ = nullptr, *anchors_ = nullptr;
};

/// How near a word may stand, in bytes between it and the number.
inline constexpr std::size_t kWordsBefore = 60, kWordsAfter = 30;

/// Bytes between [begin, end) and the nearest word that speaks for the rule; -1 = there is none.
int word_distance(const Words& words, const Hits& hits, std::string_view text, std::uint32_t rule,
                  std::size_t begin, std::size_t end);
/// All rules for which a word may speak anywhere in [begin, end): for others there is no distance.
RuleSet rules_near(const Words& words, const Hits& hits, std::size_t begin, std::size_t end);

}  // namespace causeway::pii
