#include "platform/bpe/vocabulary.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <functional>
#include <queue>
#include <utility>

namespace causeway::bpe {
namespace {

constexpr std::uint32_t kNoToken = 0xFFFFFFFF;
constexpr std::size_t kMostTokens = 1 << 22;
constexpr std::size_t kMostPiece = 256 * 1024;  // memory for merging is 24 bytes for each of these

std::size_t hash_of(std::string_view bytes) { return std::hash<std::string_view>()(bytes); }

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool append_base64(std::string_view text, std::string& out) {
  if (text.empty() || text.size() % 4 != 0) return false;
  while (text.ends_with('=')) text.remove_suffix(1);
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    out += static_cast<char>(bits >> have);
  }
  return true;
}

std::unexpected<Error> wrong(std::size_t line) {
  return fail(ErrorKind::InvalidRequest, Origin::Us,
              "line " + std::to_string(line) + " is not a token in base64 and its rank");
}

/// Two parts that lie side by side and are a token together.
struct Pair {
  std::uint32_t rank, begin, end;
  bool operator>(const Pair& other) const {
    return rank != other.rank ? rank > other.rank : begin > other.begin;
  }
};

}  // namespace

Result<Vocabulary> Vocabulary::parse(std::string_view file, Cuts cuts) {
  Vocabulary made;
  made.cuts_ = cuts;
  made.begin_.push_back(0);
  while (!file.empty()) {
    const auto line = file.substr(0, file.find('\n'));
    file.remove_prefix(std::min(line.size() + 1, file.size()));
    if (line.empty()) continue;
    if (auto added = made.add(line); !added) return pass(std::move(added));
  }
  made.index();
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (made.find({&c, 1}) == kNoToken) {
      return fail(ErrorKind::InvalidRequest, Origin::Us, "not every byte is a token");
    }
  }
  return made;
}

Result<void> Vocabulary::add(std::string_view line) {
  const std::size_t number = begin_.size();
  const auto space = line.find(' ');
  if (space == line.npos || number > kMostTokens) return wrong(number);
  std::size_t rank = 0;
  const char* const end = line.data() + line.size();
  const auto read = std::from_chars(line.data() + space + 1, end, rank);
  if (read.ec != std::errc() || read.ptr != end || rank != number - 1) return wrong(number);
  if (!append_base64(line.substr(0, space), bytes_)) return wrong(number);
  longest_ = std::max<std::size_t>(longest_, bytes_.size() - begin_.back());
  begin_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  return {};
}

// Half full, so that a look is short.
void Vocabulary::index() {
  table_.assign(std::bit_ceil(begin_.size() * 2), kNoToken);
  for (std::uint32_t rank = 0; rank + 1 < begin_.size(); ++rank) {
    std::size_t place = hash_of(bytes_of(rank)) & (table_.size() - 1);
    while (table_[place] != kNoToken) place = (place + 1) & (table_.size() - 1);
    table_[place] = rank;
  }
}

std::string_view Vocabulary::bytes_of(std::uint32_t rank) const {
  return std::string_view(bytes_).substr(begin_[rank], begin_[rank + 1] - begin_[rank]);
}

std::uint32_t Vocabulary::find(std::string_view bytes) const {
  if (bytes.size() > longest_) return kNoToken;
  std::size_t place = hash_of(bytes) & (table_.size() - 1);
  while (table_[place] != kNoToken && bytes_of(table_[place]) != bytes) {
    place = (place + 1) & (table_.size() - 1);
  }
  return table_[place];
}

/// The pair of the lowest rank becomes one part, as long as there is a pair.
template <class Fn>
void Vocabulary::merge(std::string_view piece, Fn fn) const {
  const auto size = static_cast<std::uint32_t>(piece.size());
  // By where a part begins: where it ends, and where the one in front of it begins. 0 = no part.
  std::vector<std::uint32_t> end(size + 1), before(size + 1);
  std::vector<Pair> pairs;
  const auto look = [&](std::uint32_t from, std::uint32_t to) {
    const auto rank = find(piece.substr(from, to - from));
    return Pair{rank, from, to};
  };
  for (std::uint32_t i = 0; i < size; ++i) {
    end[i] = i + 1;
    before[i] = i == 0 ? 0 : i - 1;
    if (i + 2 > size) continue;
    if (const Pair pair = look(i, i + 2); pair.rank != kNoToken) pairs.push_back(pair);
  }
  std::priority_queue<Pair, std::vector<Pair>, std::greater<>> queue({}, std::move(pairs));
  const auto offer = [&](std::uint32_t from, std::uint32_t to) {
    if (const Pair pair = look(from, to); pair.rank != kNoToken) queue.push(pair);
  };
  while (!queue.empty()) {
    const Pair pair = queue.top();
    queue.pop();
    const std::uint32_t middle = end[pair.begin];
    if (middle == 0 || middle >= size || end[middle] != pair.end)
      continue;  // of parts that are gone
    end[pair.begin] = pair.end;
    end[middle] = 0;
    if (pair.end < size) {
      before[pair.end] = pair.begin;
      offer(pair.begin, end[pair.end]);
    }
    if (pair.begin > 0) offer(before[pair.begin], pair.end);
  }
  for (std::uint32_t i = 0; i < size; i = end[i]) fn(find(piece.substr(i, end[i] - i)));
}

template <class Fn>
void Vocabulary::each_token(std::string_view text, Fn fn) const {
  Splitter splitter(text, cuts_);
  for (std::string_view piece; splitter.next(piece);) {
    while (!piece.empty()) {
      const auto part = piece.substr(0, kMostPiece);
      piece.remove_prefix(part.size());
      if (const auto whole = find(part); whole != kNoToken) {
        fn(whole);
      } else {
        merge(part, fn);
      }
    }
  }
}

std::uint64_t Vocabulary::count(std::string_view text) const {
  std::uint64_t tokens = 0;
  each_token(text, [&](std::uint32_t) { ++tokens; });
  return tokens;
}

std::vector<std::uint32_t> Vocabulary::encode(std::string_view text) const {
  std::vector<std::uint32_t> tokens;
  each_token(text, [&](std::uint32_t token) { tokens.push_back(token); });
  return tokens;
}

}  // namespace causeway::bpe
