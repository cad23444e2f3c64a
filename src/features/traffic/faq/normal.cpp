#include "features/traffic/faq/normal.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include <vector>

namespace causeway::faq {
namespace {

using Characters = std::vector<UChar32>;

// NFKC with case folded and what is ignorable left out (Unicode's NFKC_Casefold).
Characters folded(std::string_view text) {
  UErrorCode failed = U_ZERO_ERROR;
  static const UNormalizer2* const kFold = [] {
    UErrorCode error = U_ZERO_ERROR;
    return unorm2_getNFKCCasefoldInstance(&error);
  }();
  // UTF-16 never has more units than UTF-8 has bytes.
  std::vector<UChar> wide(text.size() + 1);
  std::int32_t length = 0;
  u_strFromUTF8(wide.data(), std::int32_t(wide.size()), &length, text.data(),
                std::int32_t(text.size()), &failed);
  if (U_FAILURE(failed) || !kFold) return {};
  std::vector<UChar> out(static_cast<std::size_t>(length) * 18 + 1);  // of one unit at most 18
  const std::int32_t size =
      unorm2_normalize(kFold, wide.data(), length, out.data(), std::int32_t(out.size()), &failed);
  if (U_FAILURE(failed)) return {};
  Characters characters;
  characters.reserve(static_cast<std::size_t>(size));
  for (std::int32_t at = 0; at < size;) {
    UChar32 c = 0;
    U16_NEXT(out.data(), at, size, c);
    characters.push_back(c);
  }
  return characters;
}

bool is_space(UChar32 c) { return u_isUWhiteSpace(c) || u_charType(c) == U_CONTROL_CHAR; }
bool is_dash(UChar32 c) { return u_charType(c) == U_DASH_PUNCTUATION; }

bool is_quote(UChar32 c) {
  const auto type = u_charType(c);
  return c == '"' || c == '`' || type == U_INITIAL_PUNCTUATION || type == U_FINAL_PUNCTUATION ||
         c == 0x201A || c == 0x201E || (c >= 0x300C && c <= 0x300F);
}

bool ends_sentence(UChar32 c) {
  switch (c) {
    case '.':
    case ',':
    case ';':
    case ':':
    case '!':
    case '?':
    case 0x3001:  // of Chinese and Japanese
    case 0x3002:
    case 0x060C:  // of Arabic
    case 0x061B:
    case 0x061F:
    case 0x0964:  // of Hindi
      return true;
    default:
      return false;
  }
}

// Whether the character at `at` says nothing where it stands.
bool is_idle(const Characters& text, std::size_t at) {
  const UChar32 c = text[at];
  const UChar32 before = at > 0 ? text[at - 1] : ' ';
  const UChar32 behind = at + 1 < text.size() ? text[at + 1] : ' ';
  if (c == 0xBF || c == 0xA1) return true;  // that open a sentence in Spanish
  if (c == '\'') return !(u_isalnum(before) && u_isalnum(behind));
  if (is_quote(c)) return true;
  if (is_dash(c)) return is_space(before) && is_space(behind);
  if (!ends_sentence(c)) return false;
  if (c == '!' && u_isdigit(before)) return false;  // a factorial
  return !u_isalnum(behind) || c > 127;
}

void append(std::string& out, UChar32 c) {
  char bytes[4];
  std::int32_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, c);
  out.append(bytes, static_cast<std::size_t>(size));
}

}  // namespace

std::string normal_form(std::string_view text) {
  Characters characters = folded(text);
  for (UChar32& c : characters) {
    if (c == 0x2019 || c == 0x2018) c = '\'';
  }
  std::string out;
  bool space = false;
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (is_space(characters[i])) {
      space = true;
    } else if (!is_idle(characters, i)) {
      if (space && !out.empty()) out += ' ';
      space = false;
      append(out, characters[i]);
    }
  }
  return out;
}

}  // namespace causeway::faq
