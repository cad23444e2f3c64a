// How a text falls into sequences of words that may be names.
#include "features/privacy/pii/blocks.h"
#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/names.h"

namespace causeway::pii {
namespace {

/// "O'Brien", "Anne-Marie", "D'Angelo": the inner signs belong to the word.
std::size_t word_end(std::string_view text, std::size_t i) {
  while (true) {
    i = letters_end(text, i);
    if (i == text.size()) break;
    if (text[i] == '_') {
      ++i;
    } else if ((text[i] == '\'' || text[i] == '-') && is_letter(at(text, i + 1))) {
      // A possessive is no part of the name.
      if (text[i] == '\'' && (text[i + 1] | 0x20) == 's' && !is_letter(at(text, i + 2))) break;
      ++i;
    } else {
      break;
    }
  }
  return i;
}

/// One part, as most words are.
bool is_plain(std::string_view word) {
  for (const char c : word) {
    if (c == '-' || c == '\'') return false;
  }
  return true;
}

/// Marks of all parts of "Anne-Marie Smith-Jones"'s words: what each part is known as, or the
/// whole.
unsigned marks_of_parts(const Lexicon& lexicon, std::string_view word) {
  const unsigned whole = lexicon.marks_of(word);
  if (whole != 0 || is_plain(word)) return whole;
  if (word.size() > 3 && word[1] == '\'')
    return lexicon.marks_of(word.substr(2)) | lexicon.marks_of(word) | kSurname;
  const auto dash = word.find('-');
  if (dash == std::string_view::npos) return 0;
  const unsigned first = lexicon.marks_of(word.substr(0, dash)),
                 last = lexicon.marks_of(word.substr(dash + 1));
  return (first & last) | ((first | last) & (kGiven | kSurname));
}

bool shouted(std::string_view word) {
  for (const char c : word) {
    if (is_lower(c)) return false;
  }
  return word.size() > 1;
}

}  // namespace

void NameFinder::read(std::string_view text, std::size_t begin, NameSequence& words) const {
  words.size = 0;
  words.cut = false;
  bool comma = false;
  while (words.size < kMaxNameWords) {
    const std::size_t end = word_end(text, begin);
    if (end == begin) return;
    const std::string_view word = text.substr(begin, end - begin);
    const bool capital = is_upper(word[0]) || ((word.starts_with("d'") || word.starts_with("l'")) &&
                                               is_upper(at(word, 2)));
    // Most names end here. Words with "-" or "'" are judged by their parts.
    if (!capital && !lexicon_.may_be_inside(word) && is_plain(word)) return;
    NameWord entry{static_cast<std::uint32_t>(begin),
                   static_cast<std::uint32_t>(end),
                   static_cast<std::uint16_t>(marks_of_parts(lexicon_, word)),
                   capital,
                   shouted(word),
                   word.size() == 1 && capital,
                   comma,
                   at(text, end) == '.'};
    if (!capital && !entry.is(kInside)) return;
    if (is_digit(at(text, end)) || at(text, end) == '_' || at(text, end) == '@') return;
    words.words[words.size++] = entry;
    std::size_t next = end;
    if (entry.full_stop &&
        (entry.initial || entry.is(kTitle) || entry.is(kLegalForm) || word.size() <= 2))
      ++next;
    comma = at(text, next) == ',';
    if (comma) ++next;
    // A name may be broken over two lines; a paragraph ends it.
    if (at(text, next) == '\r') ++next;
    if (at(text, next) == '\n' && is_letter(at(text, next + 1)) && !comma && words.size == 1) {
      begin = next + 1;
      continue;
    }
    if (at(text, next) == '&' && at(text, next + 1) == ' ') next += 1;
    if (at(text, next) == ' ' && at(text, next + 1) == '&' && at(text, next + 2) == ' ') next += 2;
    if (entry.initial && entry.full_stop && is_upper(at(text, next))) {
      begin = next;
      continue;
    }
    if (at(text, next) != ' ' || !is_letter(at(text, next + 1))) return;
    begin = next + 1;
  }
  words.cut = true;
}

}  // namespace causeway::pii
