#include "features/privacy/pii/stand_ins.h"

#include <algorithm>

#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kMostReserved = 10'000;

// Numbers are the same however they are grouped, words however they are written.
bool is_number(Kind kind) {
  switch (kind) {
    case Kind::Phone:
    case Kind::Card:
    case Kind::Iban:
    case Kind::BankRouting:
    case Kind::NationalId:
    case Kind::Passport:
    case Kind::DrivingLicence:
    case Kind::TaxId:
    case Kind::MedicalRecord:
    case Kind::Insurance:
      return true;
    default:
      return false;
  }
}

bool is_words(Kind kind) {
  return kind == Kind::Email || kind == Kind::Person || kind == Kind::Organisation ||
         kind == Kind::Address;
}

void add_folded(Kind kind, std::string_view value, std::string& out) {
  bool space = false;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (is_number(kind) && static_cast<unsigned char>(c) < 0x80 && !is_alnum(c) && c != '+') {
      continue;
    }
    if (blank && is_words(kind)) {
      space = true;
      continue;
    }
    if (space) out += ' ';
    space = false;
    out += is_words(kind) || is_number(kind) ? to_lower(c) : c;
  }
}

}  // namespace

std::string canonical(std::string_view inner) {
  std::string name;
  for (const char c : inner) {
    if (is_alnum(c)) name += to_upper(c);
  }
  return name;
}

std::string StandIns::key_of(Kind kind, std::string_view name, std::string_view value) {
  std::string key(name);
  key += '\0';
  add_folded(kind, value, key);
  return key;
}

void StandIns::reserve(std::string_view inner) {
  std::string name = canonical(inner);
  std::lock_guard lock(mutex_);
  if (by_name_.contains(name) || reserved_.size() >= kMostReserved) return;
  reserved_.insert(std::move(name));
}

std::string StandIns::known(const std::string& key) const {
  const auto found = by_value_.find(key);
  return found == by_value_.end() ? std::string() : found->second;
}

void StandIns::keep(std::string key, Entry entry, std::string called) {
  const std::size_t size = 2 * (entry.value.size() + entry.stand_in.size()) + 200;
  if (entries_.size() >= kMostValues || bytes_ + size > kMostBytes) return;
  bytes_ += size;
  if (total_) *total_ += size;
  by_value_.emplace(std::move(key), entry.stand_in);
  const Entry& kept = entries_.emplace_back(std::move(entry));
  if (!called.empty()) {
    by_name_.emplace(std::move(called), &kept);
    return;
  }
  list_pseudonym(kept);
  keep_parts(kept);
}

void StandIns::list_pseudonym(const Entry& entry) {
  pseudonyms_taken_.insert(entry.stand_in);
  auto& all = pseudonyms_[static_cast<unsigned char>(to_lower(entry.stand_in.front()))];
  const auto at = std::ranges::find_if(all, [&](const Entry* other) {
    return other->stand_in.size() <= entry.stand_in.size();
  });
  all.insert(at, &entry);
}

// A person is also called by the first or the last name alone.
void StandIns::keep_parts(const Entry& entry) {
  if (entry.kind != Kind::Person) return;
  const auto first_of = [](const std::string& s) { return s.substr(0, s.find(' ')); };
  const auto last_of = [](const std::string& s) { return s.substr(s.rfind(' ') + 1); };
  if (entry.value.find(' ') == entry.value.npos || entry.stand_in.find(' ') == entry.value.npos) {
    return;
  }
  for (const auto& part : {Entry{Kind::Person, first_of(entry.value), first_of(entry.stand_in)},
                           Entry{Kind::Person, last_of(entry.value), last_of(entry.stand_in)}}) {
    if (!pseudonyms_taken_.contains(part.stand_in)) list_pseudonym(parts_.emplace_back(part));
  }
}

std::string StandIns::mask(Kind kind, std::string_view name, std::string_view value) {
  std::lock_guard lock(mutex_);
  std::string key = key_of(kind, name, value);
  if (std::string known_one = known(key); !known_one.empty()) return known_one;
  std::uint32_t& number = next_[std::string(name)];
  std::string inner, called;
  do {
    inner = ++number == 1 ? std::string(name) : std::string(name) + "_" + std::to_string(number);
    called = canonical(inner);
  } while (reserved_.contains(called) || by_name_.contains(called));
  std::string stand_in = "[" + inner + "]";
  keep(std::move(key), {kind, std::string(value), stand_in}, std::move(called));
  return stand_in;
}

bool StandIns::find(std::string_view inner, std::string& value) const {
  std::lock_guard lock(mutex_);
  const auto found = by_name_.find(canonical(inner));
  if (found == by_name_.end()) return false;
  value = found->second->value;
  return true;
}

bool StandIns::may_begin(std::string_view start) const {
  const std::string begun = canonical(start);
  std::lock_guard lock(mutex_);
  return std::ranges::any_of(next_, [&](const auto& one) {
    const std::string name = canonical(one.first);
    if (name.starts_with(begun)) return true;
    return begun.starts_with(name) &&
           std::ranges::all_of(begun.substr(name.size()), [](char c) { return is_digit(c); });
  });
}

std::vector<const StandIns::Entry*> StandIns::pseudonyms(unsigned char first) const {
  std::lock_guard lock(mutex_);
  const auto found = pseudonyms_.find(first);
  return found == pseudonyms_.end() ? std::vector<const Entry*>() : found->second;
}

bool StandIns::has_pseudonyms() const {
  std::lock_guard lock(mutex_);
  return !pseudonyms_.empty();
}

bool StandIns::empty() const {
  std::lock_guard lock(mutex_);
  return entries_.empty();
}

std::vector<const StandIns::Entry*> StandIns::entries() const {
  std::lock_guard lock(mutex_);
  std::vector<const Entry*> all;
  all.reserve(entries_.size());
  for (const Entry& one : entries_) all.push_back(&one);
  return all;
}

}  // namespace causeway::pii
