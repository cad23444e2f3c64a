// Finds names of persons and organisations: sequences of words with capitals, judged by the lexicon
// and by the words before them.
#pragma once

#include <array>
#include <cstdint>

#include "features/privacy/pii/candidate.h"
#include "features/privacy/pii/lexicon.h"

namespace causeway::pii {

/// Numbers of the rules in the book.
struct NameRules {
  std::uint32_t full, given, titled, labelled, initials, surname_first, suffix, kind, known;
  std::uint32_t introductions;  // a rule whose words say that a name follows right behind
};

/// One word of a sequence.
struct NameWord {
  std::uint32_t begin, end;
  std::uint16_t marks;
  bool capital;    // begins with a capital; particles need not
  bool shouted;    // all of it in capitals, and longer than one letter
  bool initial;    // one capital, with or without a full stop
  bool comma;      // a comma stands before it
  bool full_stop;  // of its own: "Dr.", "J."
  bool is(unsigned mark) const { return (marks & mark) != 0; }
};

inline constexpr std::size_t kMaxNameWords = 16;
struct NameSequence {
  std::array<NameWord, kMaxNameWords> words;
  std::size_t size = 0;
  bool cut = false;  // it goes on behind the last word
};

class NameFinder {
 public:
  explicit NameFinder(const NameRules& rules) : rules_(rules), lexicon_(Lexicon::get()) {}

  /// Looks at the words from the capital at `begin` on; gives how far the text is done with.
  std::size_t find(const Scene& scene, std::size_t begin) const;

 private:
  void read(std::string_view text, std::size_t begin, NameSequence& words) const;
  std::size_t organisation(const Scene& scene, const NameSequence& words, std::size_t first) const;
  std::size_t person(const Scene& scene, const NameSequence& words, std::size_t first) const;
  std::size_t titled(const Scene& scene, const NameSequence& words, std::size_t first) const;
  std::size_t surname_first(const Scene& scene, const NameSequence& words, std::size_t first) const;
  std::size_t labelled(const Scene& scene, const NameSequence& words, std::size_t first) const;
  std::size_t unknown_given(const Scene& scene, const NameSequence& words, std::size_t first) const;
  void given_alone(const Scene& scene, const NameWord& word) const;
  bool introduced(const Scene& scene, const NameWord& word) const;

  NameRules rules_;
  const Lexicon& lexicon_;
};

}  // namespace causeway::pii
