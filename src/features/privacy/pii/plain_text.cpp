#include "features/privacy/pii/plain_text.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "features/privacy/pii/blocks.h"
#include "features/privacy/pii/folding.h"

namespace causeway::pii {
namespace {

struct Decoded {
  char32_t character;
  std::size_t size;  // 0 = nothing encoded here
};

// Lenient: a broken byte is one character that no rule knows.
Decoded decode_utf8(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned lead = byte(0);
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
  if (lead < 0x80) return {lead, 1};
  if (size == 1 || lead > 0xf4 || text.size() - at < size) return {0xfffd, 1};
  char32_t value = lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0xfffd, 1};
    value = value << 6 | (byte(i) & 0x3f);
  }
  return {value, size};
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// "%40": only what stands for a visible ASCII character or a space.
Decoded decode_percent(std::string_view text, std::size_t at) {
  if (text.size() - at < 3) return {0, 0};
  const int high = hex_value(text[at + 1]), low = hex_value(text[at + 2]);
  if (high < 2 || low < 0 || high > 7) return {0, 0};
  const auto value = static_cast<char32_t>(high * 16 + low);
  if (value == 0x7f) return {0, 0};
  return {value, 3};
}

constexpr std::pair<std::string_view, char32_t> kEntities[] = {
    {"&commat;", '@'},    {"&amp;", '&'},     {"&lt;", '<'},      {"&gt;", '>'},
    {"&quot;", '"'},      {"&apos;", '\''},   {"&period;", '.'},  {"&nbsp;", ' '},
    {"&colon;", ':'},     {"&sol;", '/'},     {"&plus;", '+'},    {"&hyphen;", '-'},
    {"&dash;", '-'},      {"&lowbar;", '_'},  {"&num;", '#'},     {"&auml;", U'ä'},
    {"&ouml;", U'ö'},     {"&uuml;", U'ü'},   {"&szlig;", U'ß'},  {"&eacute;", U'é'},
    {"&egrave;", U'è'},   {"&ccedil;", U'ç'}, {"&ntilde;", U'ñ'}, {"&shy;", U'\u00ad'},
    {"&zwj;", U'\u200d'},
};

Decoded decode_entity(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at, 12);
  if (rest.size() > 3 && rest[1] == '#') {
    const bool hex = (rest[2] | 0x20) == 'x';
    char32_t value = 0;
    std::size_t i = hex ? 3 : 2;
    const std::size_t first = i;
    for (; i < rest.size() && rest[i] != ';'; ++i) {
      const int digit = hex_value(rest[i]);
      if (digit < 0 || (!hex && digit > 9) || value > 0x10ffff) return {0, 0};
      value = value * (hex ? 16 : 10) + static_cast<char32_t>(digit);
    }
    if (i == first || i == rest.size() || value == 0 || value > 0x10ffff) return {0, 0};
    return {value, i + 1};
  }
  for (const auto& [name, character] : kEntities) {
    if (rest.starts_with(name)) return {character, name.size()};
  }
  return {0, 0};
}

Decoded decode_escape(std::string_view text, std::size_t at) {
  if (text[at] == '%') return decode_percent(text, at);
  if (text[at] == '&') return decode_entity(text, at);
  return {0, 0};
}

/// The first place where the text is not what it seems; its size where there is none.
std::size_t first_encoded(std::string_view text, std::size_t at) {
  const auto many = [](const Block& block) {
    return (block >= 0x80) | (block == '%') | (block == '&');
  };
  const auto one = [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 || c == '%' || c == '&';
  };
  while (true) {
    at = find_byte(text, at, many, one);
    if (at == text.size() || static_cast<unsigned char>(text[at]) >= 0x80) return at;
    if (decode_escape(text, at).size > 0) return at;
    ++at;
  }
}

}  // namespace

void PlainText::add(std::uint32_t ascii, std::size_t begin, std::size_t end) {
  for (; ascii != 0; ascii >>= 8) {
    buffer_ += static_cast<char>(ascii & 0xff);
    origins_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
  }
}

/// One character that is not plain, or an escape; gives where the next one begins.
std::size_t PlainText::read_encoded(std::string_view utf8, std::size_t at) {
  const Folding& folding = Folding::get();
  Decoded decoded = decode_escape(utf8, at);
  if (decoded.size == 0) decoded = decode_utf8(utf8, at);
  add(folding.of(decoded.character), at, at + decoded.size);
  return at + decoded.size;
}

void PlainText::read(std::string_view utf8) {
  std::size_t at = first_encoded(utf8, 0);
  copied_ = at < utf8.size();
  if (!copied_) {
    text_ = utf8;
    return;
  }
  buffer_.clear();
  origins_.clear();
  buffer_.reserve(utf8.size());
  origins_.reserve(utf8.size());
  std::size_t copied = 0;
  while (copied < utf8.size()) {
    buffer_.append(utf8.substr(copied, at - copied));
    for (; copied < at; ++copied) {
      origins_.push_back(
          {static_cast<std::uint32_t>(copied), static_cast<std::uint32_t>(copied + 1)});
    }
    if (at == utf8.size()) break;
    copied = read_encoded(utf8, at);
    // In scripts other than Latin one such character follows the other.
    while (copied < utf8.size() && static_cast<unsigned char>(utf8[copied]) >= 0x80) {
      copied = read_encoded(utf8, copied);
    }
    at = first_encoded(utf8, copied);
  }
  text_ = buffer_;
}

}  // namespace causeway::pii
