#include "platform/bert/word_pieces.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf8.h>

#include <array>

namespace causeway::bert {
namespace {

constexpr std::size_t kMostCharacters = 100;  // of a word; a longer one is unknown
constexpr std::size_t kMostDecomposed =
    32;  // UTF-16 units of one character: 4 are the most there are

bool is_ideograph(UChar32 c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B820 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool is_mark(UChar32 c) {
  if (c < 0x80) {
    return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
           (c >= 123 && c <= 126);
  }
  return (U_GET_GC_MASK(c) & U_GC_P_MASK) != 0;
}

bool is_blank(UChar32 c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || (c >= 0x80 && u_isUWhiteSpace(c));
}

bool is_nothing(UChar32 c) {
  if (c < 0x80) return c < 0x20 || c == 0x7F;
  return c == 0xFFFD || (U_GET_GC_MASK(c) & U_GC_C_MASK) != 0;
}

}  // namespace

Result<WordPieces> WordPieces::make(std::string_view words) {
  WordPieces made;
  made.words_ = std::make_unique<const std::string>(words);
  std::string_view left = *made.words_;
  while (!left.empty()) {
    const auto end = std::min(left.find('\n'), left.size());
    const std::string_view word = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    const auto id = static_cast<std::uint32_t>(made.size_++);
    if (word.size() > 2 && word.starts_with("##")) {
      made.inside_.emplace(word.substr(2), id);
    } else {
      made.first_.emplace(word, id);
    }
  }
  const auto place = [&](std::string_view word, std::uint32_t& id) {
    const auto at = made.first_.find(word);
    if (at != made.first_.end()) id = at->second;
    return at != made.first_.end();
  };
  if (!place("[UNK]", made.unknown_id_) || !place("[CLS]", made.begin_id_) ||
      !place("[SEP]", made.end_id_)) {
    return fail(ErrorKind::Unavailable, Origin::Us, "The vocabulary lacks [UNK], [CLS] or [SEP].",
                "model_invalid");
  }
  return made;
}

// The word that is being read, as the vocabulary has it.
class WordPieces::Cutter {
 public:
  Cutter(const WordPieces& pieces, std::vector<Piece>& out) : pieces_(pieces), out_(out) {
    UErrorCode failed = U_ZERO_ERROR;
    decomposer_ = unorm2_getNFDInstance(&failed);
  }

  void read(UChar32 c, std::uint32_t begin, std::uint32_t end) {
    if (c < 0x80) return put(c >= 'A' && c <= 'Z' ? c + 0x20 : c, begin, end);
    std::array<UChar, kMostDecomposed> parts;
    UErrorCode failed = U_ZERO_ERROR;
    const auto size = unorm2_getDecomposition(decomposer_, c, parts.data(),
                                              static_cast<std::int32_t>(parts.size()), &failed);
    if (size <= 0 || U_FAILURE(failed)) return put_letter(c, begin, end);
    for (std::int32_t i = 0; i < size;) {
      UChar32 part = 0;
      U16_NEXT(parts.data(), i, size, part);
      put_letter(part, begin, end);
    }
  }

  void end_word() {
    if (places_.empty()) return;
    if (places_.size() > kMostCharacters || !cut_word()) unknown();
    word_.clear();
    places_.clear();
  }

 private:
  struct Place {
    std::uint32_t at;  // in word_
    std::uint32_t begin, end;
  };

  void put_letter(UChar32 c, std::uint32_t begin, std::uint32_t end) {
    if (u_charType(c) != U_NON_SPACING_MARK) put(u_tolower(c), begin, end);
  }

  void put(UChar32 c, std::uint32_t begin, std::uint32_t end) {
    const bool alone = is_mark(c) || is_ideograph(c);
    if (alone) end_word();
    places_.push_back({static_cast<std::uint32_t>(word_.size()), begin, end});
    std::array<char, U8_MAX_LENGTH> bytes;
    std::int32_t size = 0;
    U8_APPEND_UNSAFE(bytes.data(), size, c);
    word_.append(bytes.data(), static_cast<std::size_t>(size));
    if (alone) end_word();
  }

  bool cut_word() {
    const std::size_t before = out_.size();
    for (std::size_t first = 0; first < places_.size();) {
      const Table& table = first == 0 ? pieces_.first_ : pieces_.inside_;
      std::size_t behind = places_.size();
      auto found = table.end();
      for (; behind > first; --behind) {
        const std::size_t stop = behind < places_.size() ? places_[behind].at : word_.size();
        found =
            table.find(std::string_view(word_).substr(places_[first].at, stop - places_[first].at));
        if (found != table.end()) break;
      }
      if (found == table.end()) {
        out_.resize(before);
        return false;
      }
      out_.push_back({found->second, places_[first].begin, places_[behind - 1].end, first > 0});
      first = behind;
    }
    return true;
  }

  void unknown() {
    out_.push_back({pieces_.unknown_id_, places_.front().begin, places_.back().end, false});
  }

  const WordPieces& pieces_;
  std::vector<Piece>& out_;
  const UNormalizer2* decomposer_ = nullptr;
  std::string word_;
  std::vector<Place> places_;
};

void WordPieces::cut(std::string_view utf8, std::vector<Piece>& out) const {
  out.clear();
  Cutter cutter(*this, out);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(utf8.data());
  const auto size = static_cast<std::int32_t>(utf8.size());
  for (std::int32_t i = 0; i < size;) {
    const std::int32_t begin = i;
    UChar32 c = 0;
    U8_NEXT(bytes, i, size, c);
    if (c < 0) continue;
    if (is_blank(c)) {
      cutter.end_word();
    } else if (!is_nothing(c)) {
      cutter.read(c, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(i));
    }
  }
  cutter.end_word();
}

}  // namespace causeway::bert
