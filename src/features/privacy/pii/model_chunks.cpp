#include "features/privacy/pii/model_chunks.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>

#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/lexicon.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kLongestWord = 40;  // what is longer is no name
constexpr std::size_t kShortestName = 4;  // in lower case
constexpr std::size_t kLongestAcronym = 5;

constexpr bool is_wide(char c) { return (c & 0x80) != 0; }
constexpr bool in_word(char c) { return is_letter(c) || c == '\'' || is_wide(c); }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool begins_with_capital(std::string_view word) {
  if (!is_wide(word.front())) return is_upper(word.front());
  std::int32_t i = 0;
  UChar32 c = 0;
  U8_NEXT(reinterpret_cast<const std::uint8_t*>(word.data()), i,
          static_cast<std::int32_t>(word.size()), c);
  return c > 0 && (u_isupper(c) || u_istitle(c));
}

bool may_be_name(std::string_view word, bool first) {
  if (word.size() < 2 || word.size() > kLongestWord) return false;
  const unsigned marks = Lexicon::get().marks_of(word);
  const bool ordinary = (marks & kCommon) != 0;
  if (!begins_with_capital(word)) {
    return (marks & kGiven) != 0 && !ordinary && word.size() >= kShortestName;
  }
  if (marks & kGiven) return true;
  if (marks & kSurname) return !(first && ordinary);
  if (marks & (kCommon | kCountry | kCity)) return (marks & kTitle) != 0;
  return word.size() > kLongestAcronym || !std::ranges::all_of(word, is_upper);
}

bool has_candidate(std::string_view sentence) {
  bool first = true;
  for (std::size_t i = 0; i < sentence.size();) {
    if (!in_word(sentence[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < sentence.size() && in_word(sentence[end])) ++end;
    std::string_view word = sentence.substr(i, end - i);
    while (!word.empty() && word.front() == '\'') word.remove_prefix(1);
    while (!word.empty() && word.back() == '\'') word.remove_suffix(1);
    if (word.ends_with("'s")) word.remove_suffix(2);
    if (!word.empty() && may_be_name(word, first)) return true;
    first = false;
    i = end;
  }
  return false;
}

// Where a sentence that begins at `at` ends: behind its mark and the blanks there.
std::size_t sentence_end(std::string_view text, std::size_t at) {
  for (; at < text.size(); ++at) {
    const char c = text[at];
    const bool mark = (c == '.' || c == '!' || c == '?') && is_blank(pii::at(text, at + 1));
    if (!mark && c != '\n') continue;
    ++at;
    while (at < text.size() && is_blank(text[at])) ++at;
    return at;
  }
  return text.size();
}

// Where a sentence that is too long is cut: before a word in lower case, which begins no name.
std::size_t cut_at(std::string_view sentence) {
  std::size_t best = 0;
  for (std::size_t i = kMostChunk; i > kMostChunk / 2; --i) {
    if (!is_blank(sentence[i - 1]) || is_blank(sentence[i])) continue;
    if (best == 0) best = i;
    if (!begins_with_capital(sentence.substr(i)) && !is_digit(sentence[i])) return i;
  }
  if (best > 0) return best;
  best = kMostChunk;
  while (best > 1 && (sentence[best] & 0xC0) == 0x80) --best;
  return best;
}

void add(std::string_view text, std::size_t begin, std::size_t end, bool follows,
         std::vector<Chunk>& out) {
  while (end > begin && is_blank(text[end - 1])) --end;
  if (end == begin) return;
  if (follows && end - out.back().begin <= kMostChunk) {
    out.back().end = static_cast<std::uint32_t>(end);
  } else {
    out.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
  }
}

}  // namespace

void find_chunks(std::string_view text, std::vector<Chunk>& out) {
  out.clear();
  bool follows = false;  // the sentence before is the last of the last chunk
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = sentence_end(text, at);
    if (end - at > kMostChunk) end = at + cut_at(text.substr(at));
    const bool candidate = has_candidate(text.substr(at, end - at));
    if (candidate) add(text, at, end, follows && !out.empty(), out);
    follows = candidate;
    at = end;
  }
}

}  // namespace causeway::pii
