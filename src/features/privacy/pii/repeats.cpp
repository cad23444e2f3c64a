#include "features/privacy/pii/repeats.h"

#include <algorithm>

#include "features/privacy/pii/blocks.h"
#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kShortest = 4;      // bytes: a shorter value may be any word
constexpr std::size_t kMostValues = 500;  // looked for at once, at every word
constexpr std::size_t kFew = 4;

bool needs_words_nearby(Kind kind) {
  switch (kind) {
    case Kind::Person:
    case Kind::Organisation:
    case Kind::Address:
    case Kind::NationalId:
    case Kind::Passport:
    case Kind::DrivingLicence:
    case Kind::TaxId:
    case Kind::MedicalRecord:
    case Kind::Insurance:
    case Kind::BankRouting:
    case Kind::BirthDate:
    case Kind::Phone:
      return true;
    default:
      return false;
  }
}

constexpr bool in_word(char c) { return is_alnum(c) || c == '_' || (c & 0x80) != 0; }

}  // namespace

void Repeats::add(std::string_view value, const Finding& as) {
  // Whoever was named in full is called by the surname afterwards.
  const auto last = value.find_last_of(" \t\n");
  if (as.kind == Kind::Person && last != value.npos && is_upper(pii::at(value, last + 1))) {
    add_one(value.substr(last + 1), as);
  }
  add_one(value, as);
}

void Repeats::clear() {
  for (const char c : firsts_) first_[static_cast<unsigned char>(c)] = 0;
  firsts_.clear();
  values_.clear();
}

void Repeats::add_one(std::string_view value, const Finding& as) {
  if (!needs_words_nearby(as.kind) || value.size() < kShortest || values_.size() >= kMostValues) {
    return;
  }
  std::uint32_t& first = first_[static_cast<unsigned char>(value.front())];
  for (std::uint32_t i = first; i != 0; i = values_[i - 1].next) {
    if (values_[i - 1].text == value) return;
  }
  if (first == 0) firsts_ += value.front();
  values_.push_back({value, as, first});
  first = static_cast<std::uint32_t>(values_.size());
}

// The next byte that one of the values begins with. Most requests have a few of them, which are
// looked for in whole blocks.
std::size_t Repeats::next_first(std::string_view text, std::size_t at) const {
  const auto one = [&](char c) { return first_[static_cast<unsigned char>(c)] != 0; };
  if (firsts_.size() > kFew) {
    while (at < text.size() && !one(text[at])) ++at;
    return at;
  }
  std::array<std::uint8_t, kFew> firsts;
  for (std::size_t i = 0; i < kFew; ++i) {
    firsts[i] = static_cast<std::uint8_t>(firsts_[std::min(i, firsts_.size() - 1)]);
  }
  static_assert(kFew == 4);
  const auto many = [&](const Block& block) {
    return (block == firsts[0]) | (block == firsts[1]) | (block == firsts[2]) |
           (block == firsts[3]);
  };
  return find_byte(text, at, many, one);
}

// The longest that stands here as whole words.
const Repeats::Value* Repeats::at(std::string_view text) const {
  const Value* best = nullptr;
  std::uint32_t next = first_[static_cast<unsigned char>(text.front())];
  while (next != 0) {
    const Value& value = values_[next - 1];
    next = value.next;
    if (!text.starts_with(value.text) || (best && best->text.size() >= value.text.size())) continue;
    const char behind = pii::at(text, value.text.size());
    if (!in_word(behind) || !in_word(value.text.back())) best = &value;
  }
  return best;
}

void Repeats::find(std::string_view text, std::vector<Finding>& findings) const {
  const std::size_t known = findings.size();
  std::size_t next = 0;  // of the known ones, the first that does not begin before `i`
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t stop = next < known ? findings[next].begin : text.size();
    i = next_first(text.substr(0, std::max(i, stop)), i);
    if (i >= stop) {
      if (next == known) break;
      i = findings[next++].end;
      continue;
    }
    const Value* found = in_word(before(text, i)) ? nullptr : at(text.substr(i));
    const std::size_t end = found ? i + found->text.size() : i + 1;
    if (found && end <= stop) {
      Finding finding = found->as;
      finding.begin = static_cast<std::uint32_t>(i);
      finding.end = static_cast<std::uint32_t>(end);
      findings.push_back(finding);
    }
    i = end;
  }
  if (findings.size() > known) std::ranges::sort(findings, {}, &Finding::begin);
}

}  // namespace causeway::pii
