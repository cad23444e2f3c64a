// What a word is known as: a given name, a surname, a common word, a city, a legal form, … One
// table, asked for every word with a capital, so it is small and flat.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace causeway::pii {

enum Mark : std::uint16_t {
  kGiven = 1,
  kSurname = 2,
  kCommon = 4,  // an ordinary word, a day, a month: no name by itself
  kCity = 8,
  kTitle = 16,         // Mr, Dr, Herr
  kParticle = 32,      // van, de, la: inside names
  kLegalForm = 64,     // Ltd, GmbH
  kCompanyKind = 128,  // Bank, University: at the end of a name of an organisation
  kCompanyHead = 256,  // Banco, Universidad: at its beginning
  kKnownCompany = 512,
  kCountry = 1024,  // countries, languages, peoples
  kJoin = 2048,     // of, and, und: inside names of organisations
};

/// What words in small letters may be in the middle of a name.
inline constexpr unsigned kInside = kParticle | kJoin | kLegalForm;

class Lexicon {
 public:
  static const Lexicon& get();

  /// Marks of a word in any case; 0 = unknown.
  std::uint16_t marks_of(std::string_view word) const;
  /// False where a word in small letters is surely none of those inside names.
  bool may_be_inside(std::string_view word) const {
    const auto letter = static_cast<unsigned char>(word.front() - 'a');
    return letter >= 26 || word.size() >= 32 || (inside_[letter] >> word.size() & 1) != 0;
  }

 private:
  Lexicon();
  void add(std::string_view word, unsigned marks);
  struct Entry {
    std::uint32_t print = 0;  // 0 = free
    std::uint16_t marks = 0;
  };
  std::vector<Entry> table_;
  std::array<std::uint32_t, 26> inside_{};  // by first letter: bit n where one has n letters
};

/// Words that are in no package, blank between them.
struct Vocabulary {
  Mark mark;
  std::string_view words;
};
const std::vector<Vocabulary>& vocabulary();

}  // namespace causeway::pii
