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
  if (by_name(name) || reserved_.size() >= kMostReserved) return;
  reserved_.insert(std::move(name));
}

const StandIns::Entry* StandIns::by_key(std::string_view key) const {
  if (keys_.empty()) {
    for (const auto& entry : entries_) {
      if (entry->key == key) return entry.get();
    }
    return nullptr;
  }
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : found->second;
}

const StandIns::Entry* StandIns::by_name(std::string_view name) const {
  if (keys_.empty()) {
    for (const auto& entry : entries_) {
      if (!name.empty() && entry->name == name) return entry.get();
    }
    return nullptr;
  }
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : found->second;
}

void StandIns::index(const Entry& entry) {
  keys_.emplace(entry.key, &entry);
  if (!entry.name.empty()) names_.emplace(entry.name, &entry);
}

void StandIns::keep(Entry entry) {
  const std::size_t size = 2 * (entry.value.size() + entry.stand_in.size()) + 300;
  if (entries_.size() >= kMostValues || bytes_ + size > kMostBytes) return;
  bytes_ += size;
  if (total_) *total_ += size;
  const Entry& kept = *entries_.emplace_back(std::make_unique<Entry>(std::move(entry)));
  if (!keys_.empty()) {
    index(kept);
  } else if (entries_.size() > kFew) {
    for (const auto& one : entries_) index(*one);
  }
  if (!kept.name.empty()) return;
  list_pseudonym(kept);
  keep_parts(kept);
}

void StandIns::list_pseudonym(const Entry& entry) {
  auto& all = pseudonyms_[static_cast<unsigned char>(to_lower(entry.stand_in.front()))];
  const auto at = std::ranges::find_if(
      all, [&](const Entry* other) { return other->stand_in.size() <= entry.stand_in.size(); });
  all.insert(at, &entry);
}

bool StandIns::is_pseudonym(std::string_view text) const {
  const auto found = pseudonyms_.find(static_cast<unsigned char>(to_lower(text.front())));
  return found != pseudonyms_.end() && std::ranges::any_of(found->second, [&](const Entry* entry) {
           return entry->stand_in == text;
         });
}

// A person is also called by the first or the last name alone.
void StandIns::keep_parts(const Entry& entry) {
  if (entry.kind != Kind::Person) return;
  const auto first_of = [](const std::string& s) { return s.substr(0, s.find(' ')); };
  const auto last_of = [](const std::string& s) { return s.substr(s.rfind(' ') + 1); };
  if (entry.value.find(' ') == entry.value.npos ||
      entry.stand_in.find(' ') == entry.stand_in.npos) {
    return;
  }
  const auto keep = [&](std::string value, std::string stand_in) {
    if (is_pseudonym(stand_in)) return;
    parts_.push_back(std::make_unique<Entry>(
        Entry{Kind::Person, std::move(value), std::move(stand_in), {}, {}}));
    list_pseudonym(*parts_.back());
  };
  keep(first_of(entry.value), first_of(entry.stand_in));
  keep(last_of(entry.value), last_of(entry.stand_in));
}

std::string StandIns::mask(Kind kind, std::string_view name, std::string_view value) {
  std::lock_guard lock(mutex_);
  std::string key = key_of(kind, name, value);
  if (const Entry* known = by_key(key)) return known->stand_in;
  auto next = std::ranges::find(next_, name, &std::pair<std::string, std::uint32_t>::first);
  if (next == next_.end()) next = next_.emplace(next_.end(), name, 0);
  std::string stand_in, called;
  do {
    stand_in = '[';
    stand_in += name;
    if (++next->second > 1) stand_in += '_' + std::to_string(next->second);
    stand_in += ']';
    called = canonical(stand_in);
  } while (reserved_.contains(called) || by_name(called));
  keep({kind, std::string(value), stand_in, std::move(key), std::move(called)});
  return stand_in;
}

bool StandIns::find(std::string_view inner, std::string& value) const {
  const std::string name = canonical(inner);
  std::lock_guard lock(mutex_);
  const Entry* entry = by_name(name);
  if (entry) value = entry->value;
  return entry != nullptr;
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
  for (const auto& one : entries_) all.push_back(one.get());
  return all;
}

}  // namespace causeway::pii
