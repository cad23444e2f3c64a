// Another program's configuration as a tree of values with their lines, whatever it was written in.
// Every value remembers whether somebody has said what becomes of it: what is left at the end is
// what the importer does not know, and nothing is dropped in silence.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"
#include "platform/config/problems.h"

namespace causeway::app::importer {

struct Member;

struct Value {
  enum class Kind : std::uint8_t { Nothing, Scalar, List, Table };

  Kind kind = Kind::Nothing;
  config::Position at{};
  std::string text{};           // of a scalar: as it was written, numbers and switches too
  std::vector<Value> items;     // of a list
  std::vector<Member> members;  // of a table, in the order of the file
  mutable bool seen = false;    // of scalars and of what is empty

  bool is_scalar() const { return kind == Kind::Scalar; }
  bool is_list() const { return kind == Kind::List; }
  bool is_table() const { return kind == Kind::Table; }

  /// The member of that name, `_` and upper case aside (`overrideParams` is `override_params`).
  const Value* find(std::string_view name) const;
  /// This value and all below it have been dealt with.
  void see() const;
};

struct Member {
  std::string name{};
  std::uint32_t line = 0;
  Value value;
};

/// The scalar of that name, which thereby is dealt with; nothing where there is none or something
/// else stands there, which then is found by unseen().
std::optional<std::string> take_text(const Value& table, std::string_view name);
std::optional<double> take_number(const Value& table, std::string_view name);
/// true, True, yes, on and 1 are true.
std::optional<bool> take_switch(const Value& table, std::string_view name);

std::optional<double> number_in(const Value& value);
/// The texts of a list, or of the one scalar that stands in its place, which thereby are dealt
/// with.
std::vector<std::string> texts_of(const Value& value);

/// Calls `found(path, value)` for every scalar (and empty value) that nobody has seen.
void for_each_unseen(const Value& root,
                     const std::function<void(const std::string& path, const Value&)>& found);

inline constexpr std::size_t kMaxSourceBytes = 10'000'000;

/// InvalidRequest with `FILE:LINE:COLUMN: what is wrong` where the text is not of that form.
/// Bounds: kMaxSourceBytes, 32 levels, 100,000 values (each alias counted in full).
Result<Value> read_yaml(std::string_view text, const std::string& file);
/// JSON is YAML but for the way in which some characters are escaped.
Result<Value> read_json(std::string_view text, const std::string& file);
Result<Value> read_toml(std::string_view text, const std::string& file);

/// Fit for a message and for a comment of one line: no control characters, no more than `most`
/// bytes.
std::string printable(std::string_view text, std::size_t most = 120);

}  // namespace causeway::app::importer
