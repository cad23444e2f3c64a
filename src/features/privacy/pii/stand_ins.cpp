#include "features/privacy/pii/stand_ins.h"

#include <algorithm>
#include <cstring>

#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kMostReserved = 10'000;
constexpr std::size_t kMostKept = 64;  // that a thread keeps
constexpr std::size_t kReserve = 8;    // values that there is room for from the beginning

thread_local bool ended = false;  // conversations may end after what the thread has kept

struct Kept {
  std::vector<std::unique_ptr<std::byte[]>> free;
  ~Kept() { ended = true; }
};

Kept& kept() {
  thread_local Kept memory;
  return memory;
}

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
  const bool number = is_number(kind), words = is_words(kind);
  std::size_t size = out.size();
  out.resize(size + value.size());
  bool space = false;
  for (const char c : value) {
    if (number && static_cast<unsigned char>(c) < 0x80 && !is_alnum(c) && c != '+') continue;
    if (words && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      space = true;
      continue;
    }
    if (space) out[size++] = ' ';
    space = false;
    out[size++] = words || number ? to_lower(c) : c;
  }
  out.resize(size);
}

}  // namespace

FirstMemory::FirstMemory() {
  if (ended || kept().free.empty()) {
    bytes_.reset(new std::byte[kSize]);
  } else {
    bytes_ = std::move(kept().free.back());
    kept().free.pop_back();
  }
}

FirstMemory::~FirstMemory() {
  if (!ended && kept().free.size() < kMostKept) kept().free.push_back(std::move(bytes_));
}

std::string canonical(std::string_view inner) {
  std::string name;
  for (const char c : inner) {
    if (is_alnum(c)) name += to_upper(c);
  }
  return name;
}

std::string_view StandIns::key_of(Kind kind, std::string_view name, std::string_view value) {
  thread_local std::string key;
  key = name;
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
    for (const Entry* entry : entries_) {
      if (entry->key == key) return entry;
    }
    return nullptr;
  }
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : found->second;
}

const StandIns::Entry* StandIns::by_name(std::string_view name) const {
  if (keys_.empty()) {
    for (const Entry* entry : entries_) {
      if (!name.empty() && entry->name == name) return entry;
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

std::string_view StandIns::copied(std::string_view text) {
  if (text.empty()) return {};
  auto* bytes = static_cast<char*>(memory_.allocate(text.size(), 1));
  std::memcpy(bytes, text.data(), text.size());
  return {bytes, text.size()};
}

const StandIns::Entry& StandIns::copied(const Entry& entry) {
  static_assert(std::is_trivially_destructible_v<Entry>);
  return *new (memory_.allocate(sizeof(Entry), alignof(Entry)))
      Entry{entry.kind, copied(entry.value), copied(entry.stand_in), copied(entry.key),
            copied(entry.name)};
}

void StandIns::keep(const Entry& entry) {
  const std::size_t size = 2 * (entry.value.size() + entry.stand_in.size()) + 300;
  if (entries_.size() >= kMostValues || bytes_ + size > kMostBytes) return;
  bytes_ += size;
  if (total_) *total_ += size;
  if (entries_.empty()) entries_.reserve(kReserve);
  const Entry& kept = *entries_.emplace_back(&copied(entry));
  if (!keys_.empty()) {
    index(kept);
  } else if (entries_.size() > kFew) {
    for (const Entry* one : entries_) index(*one);
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
  const auto first_of = [](std::string_view s) { return s.substr(0, s.find(' ')); };
  const auto last_of = [](std::string_view s) { return s.substr(s.rfind(' ') + 1); };
  if (!entry.value.contains(' ') || !entry.stand_in.contains(' ')) return;
  const auto keep = [&](std::string_view value, std::string_view stand_in) {
    if (is_pseudonym(stand_in)) return;
    list_pseudonym(copied(Entry{Kind::Person, value, stand_in, {}, {}}));
  };
  keep(first_of(entry.value), first_of(entry.stand_in));
  keep(last_of(entry.value), last_of(entry.stand_in));
}

StandIns::Number& StandIns::number_of(std::string_view name) {
  const auto known = std::ranges::find(numbers_, name, &Number::name);
  if (known != numbers_.end()) return *known;
  if (numbers_.empty()) numbers_.reserve(kReserve);
  return numbers_.emplace_back(Number{copied(name), copied(canonical(name)), 0});
}

std::string StandIns::mask(Kind kind, std::string_view name, std::string_view value) {
  std::lock_guard lock(mutex_);
  const std::string_view key = key_of(kind, name, value);
  if (const Entry* known = by_key(key)) return std::string(known->stand_in);
  Number& number = number_of(name);
  std::string stand_in, called;
  do {
    stand_in = '[';
    stand_in += name;
    if (++number.last > 1) stand_in += '_' + std::to_string(number.last);
    stand_in += ']';
    called = canonical(stand_in);
  } while (reserved_.contains(called) || by_name(called));
  keep({kind, value, stand_in, key, called});
  return stand_in;
}

const StandIns::Entry* StandIns::find(std::string_view inner) const {
  const std::string name = canonical(inner);
  std::lock_guard lock(mutex_);
  return by_name(name);
}

bool StandIns::may_begin(std::string_view start) const {
  const std::string begun = canonical(start);
  std::lock_guard lock(mutex_);
  return std::ranges::any_of(numbers_, [&](const Number& one) {
    if (one.canonical.starts_with(begun)) return true;
    return begun.starts_with(one.canonical) &&
           std::ranges::all_of(std::string_view(begun).substr(one.canonical.size()), is_digit);
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
  return {entries_.begin(), entries_.end()};
}

}  // namespace causeway::pii
