#include "features/privacy/pii/folding.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>

#include <string_view>
#include <utility>

namespace causeway::pii {
namespace {

constexpr std::uint32_t one(char c) { return static_cast<unsigned char>(c); }

constexpr std::uint32_t packed(std::string_view text) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < text.size() && i < 4; ++i) {
    value |= one(text[i]) << (8 * i);
  }
  return value;
}

// What neither decomposition nor the look-alikes' table makes ASCII of, or what they make another
// thing of than a reader sees.
constexpr std::pair<char32_t, std::string_view> kByHand[] = {
    {U'ß', "ss"},
    {U'ẞ', "SS"},
    {U'æ', "ae"},
    {U'Æ', "AE"},
    {U'œ', "oe"},
    {U'Œ', "OE"},
    {U'ø', "o"},
    {U'Ø', "O"},
    {U'ł', "l"},
    {U'Ł', "L"},
    {U'đ', "d"},
    {U'Đ', "D"},
    {U'ð', "d"},
    {U'Ð', "D"},
    {U'þ', "th"},
    {U'Þ', "Th"},
    {U'ı', "i"},
    {U'ĸ', "k"},
    {U'ŋ', "n"},
    {U'Ŋ', "N"},
    {U'ħ', "h"},
    {U'Ħ', "H"},
    {U'\u00b7', "."},
    {U'\u2022', "."},
    {U'\u3002', "."},
    {U'\u2018', "'"},
    {U'\u2019', "'"},
    {U'\u201b', "'"},
    {U'\u2032', "'"},
    {U'\u02bc', "'"},
    {U'\u00b4', "'"},
    {U'\u201c', "\""},
    {U'\u201d', "\""},
    {U'\u201e', "\""},
    {U'\u2033', "\""},
    {U'\u00ab', "\""},
    {U'\u00bb', "\""},
    {U'\u00b0', "*"},
    {U'\u00ba', "*"},
    {U'\u2212', "-"},
    {U'\u2044', "/"},
    {U'\u2215', "/"},
    {U'\u2236', ":"},
    {U'\ua789', ":"},
    {U'\u2013', "-"},
    {U'\u2014', "-"},
    {U'\u2028', "\n"},
    {U'\u2029', "\n"},
    {U'\u0085', "\n"},
    {U'\u201a', ","},
    {U'\u3164', ""},
    {U'\u115f', ""},
    {U'\u1160', ""},
    {U'\uffa0', ""},
    {U'\u2800', " "},
    {U'\u0131', "i"},
    {U'\u0261', "g"},
    {U'\u0251', "a"},
    {U'\u1d0f', "o"},
    // Cyrillic and Greek letters that a reader takes for Latin ones in lower case.
    {U'а', "a"},
    {U'е', "e"},
    {U'о', "o"},
    {U'р', "p"},
    {U'с', "c"},
    {U'у', "y"},
    {U'х', "x"},
    {U'і', "i"},
    {U'ѕ', "s"},
    {U'ј', "j"},
    {U'ԁ', "d"},
    {U'һ', "h"},
    {U'ԛ', "q"},
    {U'ԝ', "w"},
    {U'ѵ', "v"},
    {U'к', "k"},
    {U'м', "m"},
    {U'т', "t"},
    {U'п', "n"},
    {U'α', "a"},
    {U'ο', "o"},
    {U'ν', "v"},
    {U'ρ', "p"},
    {U'ι', "i"},
    {U'κ', "k"},
    {U'υ', "u"},
    {U'χ', "x"},
    {U'γ', "y"},
    {U'ε', "e"},
    {U'τ', "t"},
    {U'ӏ', "l"},
    {U'ո', "n"},
    {U'ս', "u"},
    {U'օ', "o"},
    {U'հ', "h"},
};

bool invisible(UChar32 c) {
  switch (u_charType(c)) {
    case U_FORMAT_CHAR:
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
      return true;
    default:
      return u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0;
  }
}

/// By what kind of character it is, for all that has no ASCII form.
std::uint32_t by_category(UChar32 c) {
  if (invisible(c)) return 0;
  if (const auto digit = u_charDigitValue(c); digit >= 0 && digit <= 9) {
    return one(static_cast<char>('0' + digit));
  }
  switch (u_charType(c)) {
    case U_SPACE_SEPARATOR:
      return one(' ');
    case U_DASH_PUNCTUATION:
      return one('-');
    case U_LINE_SEPARATOR:
    case U_PARAGRAPH_SEPARATOR:
      return one('\n');
    default:
      break;
  }
  return one(u_isalpha(c) ? '_' : kOther);
}

/// The one Latin letter that this letter looks like, or 0.
std::uint32_t look_alike(const USpoofChecker* checker, UChar32 c) {
  UChar text[2];
  int32_t size = 0;
  UErrorCode error = U_ZERO_ERROR;
  U16_APPEND_UNSAFE(text, size, c);
  UChar skeleton[8];
  const auto length = uspoof_getSkeleton(checker, 0, text, size, skeleton, 8, &error);
  if (U_FAILURE(error) || length != 1 || skeleton[0] >= 0x80) return 0;
  const char seen = static_cast<char>(skeleton[0]);
  return u_isalpha(seen) ? one(seen) : 0;
}

class Maker {
 public:
  Maker() {
    UErrorCode error = U_ZERO_ERROR;
    normalizer_ = unorm2_getNFKDInstance(&error);
    checker_ = uspoof_open(&error);
  }
  ~Maker() { uspoof_close(checker_); }

  std::uint32_t of(UChar32 c) const {
    for (const auto& [character, text] : kByHand) {
      if (static_cast<UChar32>(character) == c) return packed(text);
    }
    if (const auto digit = u_charDigitValue(c); digit >= 0 && digit <= 9) return by_category(c);
    UChar parts[24];
    UErrorCode error = U_ZERO_ERROR;
    const auto length = unorm2_getDecomposition(normalizer_, c, parts, 24, &error);
    if (U_SUCCESS(error) && length > 0) {
      if (const auto ascii = ascii_of(parts, length)) return ascii;
    }
    if (u_isalpha(c) && checker_) {
      if (const auto seen = look_alike(checker_, c)) return seen;
    }
    return by_category(c);
  }

 private:
  static std::uint32_t ascii_of(const UChar* parts, int32_t length) {
    std::string text;
    for (int32_t i = 0; i < length; ++i) {
      if (parts[i] < 0x80) {
        text += static_cast<char>(parts[i]);
      } else if (!invisible(parts[i])) {
        return 0;
      }
    }
    return text.empty() || text.size() > 4 ? 0 : packed(text);
  }

  const UNormalizer2* normalizer_ = nullptr;
  USpoofChecker* checker_ = nullptr;
};

struct Range {
  std::size_t first_page, last_page;
};
// Where characters with an ASCII form live; the others need no table.
constexpr Range kTabled[] = {{0x00, 0x06},   {0x10, 0x10},  {0x13, 0x14}, {0x1d, 0x2c},
                             {0x30, 0x33},   {0xa4, 0xa7},  {0xab, 0xab}, {0xf9, 0xff},
                             {0x1d4, 0x1d7}, {0x1f1, 0x1f1}};

}  // namespace

Folding::Folding() {
  const Maker maker;
  for (const auto& [first, last] : kTabled) {
    for (std::size_t page = first; page <= last; ++page) {
      pages_[page] = std::make_unique<Page>();
      for (std::uint32_t i = 0; i < 256; ++i) {
        const auto c = static_cast<UChar32>(page * 256 + i);
        (*pages_[page])[i] = c < 0x80 ? one(static_cast<char>(c)) : maker.of(c);
      }
    }
  }
}

std::uint32_t Folding::of_other(char32_t character) {
  return by_category(static_cast<UChar32>(character));
}

const Folding& Folding::get() {
  static const Folding folding;
  return folding;
}

}  // namespace causeway::pii
