#include "platform/bpe/splitter.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace causeway::bpe {
namespace {

constexpr std::uint32_t kUpper = U_GC_LU_MASK | U_GC_LT_MASK, kLower = U_GC_LL_MASK;
constexpr std::uint32_t kUncased = U_GC_LM_MASK | U_GC_LO_MASK | U_GC_M_MASK;
constexpr std::uint32_t kLetter = U_GC_L_MASK, kDigit = U_GC_N_MASK;
constexpr std::uint32_t kSpace = 1u << 31, kNewline = 1u << 30;  // no category has these bits
constexpr std::size_t kNone = 0;

/// A character and where it ends; of an empty rest, no class at all.
struct Letter {
  std::uint32_t is = 0;
  std::size_t end = 0;

  bool in(std::uint32_t classes) const { return (is & classes) != 0; }
  bool sign() const { return is != 0 && !in(kLetter | kDigit | kSpace); }
  /// What may stand in front of a word and belong to it.
  bool leads() const { return is != 0 && !in(kLetter | kDigit | kNewline); }
};

Letter at(std::string_view text, std::size_t from) {
  if (from >= text.size()) return {0, from};
  auto end = static_cast<std::int64_t>(from);
  UChar32 c = 0;
  U8_NEXT(text.data(), end, static_cast<std::int64_t>(text.size()), c);
  if (c < 0) return {U_GC_SO_MASK, from + 1};
  std::uint32_t is = U_GET_GC_MASK(c);
  if (u_isUWhiteSpace(c)) is = kSpace | (c == '\n' || c == '\r' ? kNewline : 0);
  return {is, static_cast<std::size_t>(end)};
}

std::size_t run(std::string_view text, std::size_t from, std::uint32_t classes) {
  for (Letter letter = at(text, from); letter.in(classes); letter = at(text, from)) {
    from = letter.end;
  }
  return from;
}

}  // namespace

bool Splitter::next(std::string_view& piece) {
  if (at_ >= text_.size()) return false;
  const std::size_t end = end_of_piece();
  piece = text_.substr(at_, end - at_);
  at_ = end;
  return true;
}

std::size_t Splitter::end_of_piece() const {
  const bool old = cuts_ == Cuts::Cl100k;
  if (old) {
    if (const auto end = contraction(at_); end != at_) return end;
  }
  if (const auto end = old ? word_cl100k(at_) : word_o200k(at_)) return end;
  const Letter first = at(text_, at_);
  if (first.in(kDigit)) {
    std::size_t end = first.end;
    for (int i = 1; i < 3 && at(text_, end).in(kDigit); ++i) end = at(text_, end).end;
    return end;
  }
  std::size_t end = text_[at_] == ' ' ? at_ + 1 : at_;
  if (!at(text_, end).sign()) return white_space(at_);
  for (Letter sign = at(text_, end); sign.sign(); sign = at(text_, end)) end = sign.end;
  const std::string_view behind = old ? "\r\n" : "\r\n/";
  return std::min(text_.find_first_not_of(behind, end), text_.size());
}

/// [^\r\n\p{L}\p{N}]?+\p{L}++
std::size_t Splitter::word_cl100k(std::size_t from) const {
  const Letter first = at(text_, from);
  const std::size_t begin = first.leads() ? first.end : from;
  const std::size_t end = run(text_, begin, kLetter);
  return end > begin ? end : kNone;
}

/// Two forms, the one that ends in small letters first; each with the leading character, then
/// without: a mark leads as well as it stands in a word.
std::size_t Splitter::word_o200k(std::size_t from) const {
  const Letter first = at(text_, from);
  for (const bool lower : {true, false}) {
    std::size_t end = first.leads() ? cased_word(first.end, lower) : kNone;
    if (end == kNone) end = cased_word(from, lower);
    if (end != kNone) return contraction(end);
  }
  return kNone;
}

/// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+, or the same with + and * exchanged.
/// Uncased letters are of both classes: where no small letter follows, the first class gives back
/// what stands behind its last uncased letter.
std::size_t Splitter::cased_word(std::size_t from, bool ends_in_lower) const {
  std::size_t end = from, behind_uncased = kNone;
  for (Letter letter = at(text_, end); letter.in(kUpper | kUncased); letter = at(text_, end)) {
    end = letter.end;
    if (letter.in(kUncased)) behind_uncased = end;
  }
  const std::size_t behind_lower = run(text_, end, kLower | kUncased);
  if (behind_lower > end && (ends_in_lower || end > from)) return behind_lower;
  if (ends_in_lower) return behind_uncased;
  return end > from ? end : kNone;
}

/// Behind 's 't 'm 'd 're 've 'll, in either case and with the long s; `from` where there is none.
std::size_t Splitter::contraction(std::size_t from) const {
  const std::string_view text = text_.substr(std::min(from, text_.size()));
  if (text.size() < 2 || text[0] != '\'') return from;
  const auto letter = [&](std::size_t i) {
    return i < text.size() ? static_cast<char>(text[i] | 0x20) : '\0';
  };
  switch (letter(1)) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return from + 2;
    case 'l':
      return letter(2) == 'l' ? from + 3 : from;
    case 'r':
    case 'v':
      return letter(2) == 'e' ? from + 3 : from;
    default:
      return text.substr(1).starts_with("\u017f") ? from + 3 : from;
  }
}

/// Up to the last line break; else all that ends the text; else all but the last, which leads what
/// follows. (cl100k_base takes what ends the text as one, line breaks or not.)
std::size_t Splitter::white_space(std::size_t from) const {
  std::size_t end = from, last = from, behind_newline = kNone;
  for (Letter space = at(text_, end); space.in(kSpace); space = at(text_, end)) {
    last = end;
    end = space.end;
    if (space.in(kNewline)) behind_newline = end;
  }
  if (end == text_.size() && cuts_ == Cuts::Cl100k) return end;
  if (behind_newline != kNone) return behind_newline;
  return end == text_.size() || last == from ? end : last;
}

}  // namespace causeway::bpe
