// The types that a configuration struct is made of, beyond those of the language: sizes, money,
// values that know where they stood in the file, mappings in the order of the file, and the parts
// that are owned by somebody else (a kind of provider, a feature's section).
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

#include "platform/config/problems.h"

namespace causeway::config {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;

/// A number of bytes, written with its unit: `32MiB`, `16KiB`, `64KB` (64,000), `512B`.
struct Bytes {
  std::uint64_t value = 0;
  constexpr operator std::uint64_t() const { return value; }
};

/// An amount of money in millionths of the unit, exact: `0.15` is 150,000. Never a double.
struct Money {
  std::int64_t micros = 0;
  friend auto operator<=>(const Money&, const Money&) = default;
};

/// `1h30m`, `250ms`, `2d`; units us, ms, s, m, h, d, largest first. Nothing when it is not one.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);
std::string print_duration(std::chrono::nanoseconds value);
std::optional<Bytes> parse_bytes(std::string_view text);
std::string print_bytes(Bytes value);
/// Digits with at most six after the point; no exponent, no sign but `-`.
std::optional<Money> parse_money(std::string_view text);
std::string print_money(Money value);

/// A value and where it stood, for checks that come after reading. Line 0 when it is a default.
template <class T>
struct Located {
  T value{};
  Position at{};
  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};

/// A mapping of freely chosen names to values, in the order of the file.
template <class T>
class Map {
 public:
  struct Entry {
    std::string name;
    Position at;  // of the name
    T value{};
  };

  Map() = default;
  Map(std::initializer_list<Entry> entries) : entries_(entries) {}

  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  auto begin() { return entries_.begin(); }
  auto end() { return entries_.end(); }
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  void clear() { entries_.clear(); }
  const T* find(std::string_view name) const {
    for (const Entry& entry : entries_) {
      if (entry.name == name) return &entry.value;
    }
    return nullptr;
  }
  /// The names, as nearest() wants them.
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const Entry& entry : entries_) out.push_back(entry.name);
    return out;
  }
  /// Does not look for an entry of the same name: the reader has refused duplicates before.
  T& add(std::string name, Position at = {}) {
    return entries_.emplace_back(Entry{std::move(name), at, T{}}).value;
  }

 private:
  std::vector<Entry> entries_;
};

/// One of several structs, told apart by its key `kind:`; which ones there are stands in the
/// Registry. `if (auto* openai = provider.as<OpenAiConfig>()) …`
class Variant {
 public:
  Variant() : type_(typeid(void)) {}
  Variant(std::string kind, Position at, std::shared_ptr<const void> value, std::type_index type)
      : kind_(std::move(kind)), at_(at), value_(std::move(value)), type_(type) {}

  /// Empty when the file had no valid kind (then there is an error as well).
  const std::string& kind() const { return kind_; }
  Position at() const { return at_; }
  template <class T>
  const T* as() const {
    return type_ == typeid(T) ? static_cast<const T*>(value_.get()) : nullptr;
  }

 private:
  std::string kind_;
  Position at_;
  std::shared_ptr<const void> value_;
  std::type_index type_;
};

/// The name of a section and the type that it is read into:
/// `inline constexpr config::Section<PiiConfig> kPii{"pii"};`
template <class T>
struct Section {
  std::string_view name;
  std::string_view none = {};  // of a list: the word that stands for an empty one
};

/// The keys of a struct that belong to others. `if (const PiiConfig* pii = policy.parts.get(kPii))`
class Sections {
 public:
  /// Null when the file does not have the section, so "not said" and "said: off" stay apart.
  template <class T>
  const T* get(Section<T> key) const {
    const Entry* entry = find(key.name);
    return entry && entry->type == typeid(T) ? static_cast<const T*>(entry->value.get()) : nullptr;
  }
  /// Where the section's name stands; line 0 when it does not.
  template <class T>
  Position at(Section<T> key) const {
    const Entry* entry = find(key.name);
    return entry ? entry->at : Position{};
  }
  /// For code and tests that build a configuration without a file.
  template <class T>
  void set(Section<T> key, T value, Position at = {}) {
    put({std::string(key.name), at, std::make_shared<const T>(std::move(value)), typeid(T)});
  }

  struct Entry {
    std::string name;
    Position at;
    std::shared_ptr<const void> value;
    std::type_index type;
  };
  const Entry* find(std::string_view name) const;
  void put(Entry entry);

 private:
  std::vector<Entry> entries_;
};

}  // namespace causeway::config
