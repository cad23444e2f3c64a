#include "features/privacy/minimise/words.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <array>

namespace causeway::minimise {
namespace {

// FNV-1a, over characters.
constexpr std::uint64_t kBasis = 14695981039346656037u, kPrime = 1099511628211u;
constexpr std::uint64_t mix(std::uint64_t hash, char32_t c) { return (hash ^ c) * kPrime; }

// What an ASCII character is in a word: itself in lower case, 0 = it is in none.
constexpr auto kAscii = [] {
  std::array<char, 128> table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = c;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = static_cast<char>(c | 32);
  for (char c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = c;
  return table;
}();

bool is_digit(char32_t c) { return c < 128 ? c >= '0' && c <= '9' : u_isdigit(UChar32(c)) != 0; }

bool is_mark(char32_t c) {
  return c >= 0x300 && (U_GET_GC_MASK(UChar32(c)) & (U_GC_MN_MASK | U_GC_ME_MASK)) != 0;
}

bool writes_without_spaces(char32_t c) {
  if (c < 0x0E00) return false;
  UErrorCode failed = U_ZERO_ERROR;
  switch (uscript_getScript(UChar32(c), &failed)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return true;
    default:
      return false;
  }
}

// In lower case, without its accent; 0 where it is in no word.
char32_t folded(char32_t c) {
  if (c < 128) return static_cast<char32_t>(kAscii[c]);
  if (!u_isalnum(UChar32(c))) return 0;
  UErrorCode failed = U_ZERO_ERROR;
  static const UNormalizer2* const kNfd = unorm2_getNFDInstance(&failed);
  UChar parts[8];
  const std::int32_t length =
      kNfd ? unorm2_getDecomposition(kNfd, UChar32(c), parts, 8, &failed) : 0;
  // Of Korean the parts are letters, not accents.
  const bool accented =
      U_SUCCESS(failed) && length > 1 && !U16_IS_SURROGATE(parts[0]) && is_mark(parts[1]);
  return static_cast<char32_t>(u_foldCase(accented ? parts[0] : UChar32(c), U_FOLD_CASE_DEFAULT));
}

}  // namespace

// 0 at the end; U+FFFD for what is no character.
char32_t Words::character() {
  if (at_ >= text_.size()) return 0;
  UChar32 c = 0;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text_.data());
  U8_NEXT_OR_FFFD(bytes, at_, text_.size(), c);
  return c == 0 ? U' ' : static_cast<char32_t>(c);
}

bool Words::next(std::uint64_t& word) {
  std::uint64_t all = kBasis, stem = kBasis;
  int letters = 0;
  bool digits = false;
  for (;;) {
    const std::size_t begin = at_;
    const char32_t raw = character();
    const bool alone = raw != 0 && writes_without_spaces(raw);
    if (alone && letters == 0) {
      const char32_t left = before_;
      before_ = raw;
      if (left == 0) continue;
      word = mix(mix(kBasis, left), raw);
      return true;
    }
    const char32_t c = alone ? 0 : raw == 0 ? 0 : folded(raw);
    if (c == 0) {
      if (raw != 0 && letters > 0 && is_mark(raw)) continue;  // an accent that stands apart
      if (alone) at_ = begin;  // it is read again, when this word has been given
      if (letters > 0) break;
      before_ = 0;
      if (raw == 0) return false;
      continue;
    }
    before_ = 0;
    digits |= is_digit(c);
    all = mix(all, c);
    if (letters++ < kLetters) stem = all;
  }
  word = digits ? all : stem;
  return true;
}

}  // namespace causeway::minimise
