#include "features/privacy/pii/lexicon.h"

#include <algorithm>
#include <cstring>

#include "features/privacy/pii/lexicon_data.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kSlots = std::size_t{1} << 17;  // three times as many as words
constexpr std::size_t kMaxWord = 32;

std::uint64_t eight_of(const char* bytes) {
  std::uint64_t eight;
  std::memcpy(&eight, bytes, sizeof(eight));
  return eight;
}

/// Less than eight bytes.
std::uint64_t rest_of(const char* bytes, std::size_t size) {
  if (size >= 4) {
    std::uint32_t first, last;
    std::memcpy(&first, bytes, sizeof(first));
    std::memcpy(&last, bytes + size - sizeof(last), sizeof(last));
    return std::uint64_t{last} << 32 | first;
  }
  std::uint64_t rest = 0;
  for (std::size_t i = 0; i < size; ++i) rest = rest << 8 | static_cast<unsigned char>(bytes[i]);
  return rest;
}

// Eight letters at a time; the bit that makes small letters of capitals is set in all of them.
std::uint64_t hash_of(std::string_view word) {
  constexpr std::uint64_t kSmall = 0x2020202020202020ULL, kFactor = 0x9e3779b97f4a7c15ULL;
  std::uint64_t hash = word.size();
  const auto mix = [&](std::uint64_t eight) {
    hash = (hash ^ (eight | kSmall)) * kFactor;
    hash ^= hash >> 29;
  };
  std::size_t i = 0;
  for (; word.size() - i >= sizeof(std::uint64_t); i += sizeof(std::uint64_t)) {
    mix(eight_of(word.data() + i));
  }
  mix(rest_of(word.data() + i, word.size() - i));
  return hash;
}

std::uint32_t print_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32) | 1U; }

unsigned mark_of(char letter) {
  switch (letter) {
    case 'g':
      return kGiven;
    case 's':
      return kSurname;
    case 'w':
      return kCommon;
    default:
      return kCity;
  }
}

}  // namespace

void Lexicon::add(std::string_view word, unsigned marks) {
  const std::uint64_t hash = hash_of(word);
  std::size_t slot = hash % kSlots;
  while (table_[slot].print != 0 && table_[slot].print != print_of(hash))
    slot = (slot + 1) % kSlots;
  table_[slot].print = print_of(hash);
  table_[slot].marks = static_cast<std::uint16_t>(table_[slot].marks | marks);
  const auto letter = static_cast<unsigned char>(word.front() - 'a');
  if ((marks & kInside) != 0 && letter < 26 && word.size() < 32) {
    inside_[letter] |= std::uint32_t{1} << word.size();
  }
}

std::uint16_t Lexicon::marks_of(std::string_view word) const {
  if (word.size() > kMaxWord) return 0;
  const std::uint64_t hash = hash_of(word);
  for (std::size_t slot = hash % kSlots; table_[slot].print != 0; slot = (slot + 1) % kSlots) {
    if (table_[slot].print == print_of(hash)) return table_[slot].marks;
  }
  return 0;
}

Lexicon::Lexicon() : table_(kSlots) {
  std::string_view text = lexicon_text();
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto blank = line.find(' ');
    if (line.starts_with('#') || blank == std::string_view::npos) continue;
    unsigned marks = 0;
    for (const char letter : line.substr(blank + 1)) marks |= mark_of(letter);
    add(line.substr(0, blank), marks);
  }
  for (const Vocabulary& list : vocabulary()) {
    std::string_view words = list.words;
    while (!words.empty()) {
      const auto end = std::min(words.find(' '), words.size());
      if (end > 0) add(words.substr(0, end), list.mark);
      words.remove_prefix(std::min(end + 1, words.size()));
    }
  }
}

const Lexicon& Lexicon::get() {
  static const Lexicon lexicon;
  return lexicon;
}

}  // namespace causeway::pii
