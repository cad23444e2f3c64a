// What a described C++ type looks like once the templates of describe.h are done with it: one plain
// tree, which the reader, the JSON Schema and the reference page all walk. Numbers are stored by
// size, so that only the containers and the structs need code of their own type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <vector>

#include "platform/config/problems.h"

namespace causeway::config {
class Registry;
}

namespace causeway::config::detail {

enum class Kind : std::uint8_t {
  Bool,
  Integer,
  Real,
  Text,
  Duration,
  Bytes,
  Money,
  Secret,
  Enum,
  Optional,  // inner, may be absent
  Located,   // inner, with its position
  List,
  Map,
  Struct,
  Variant,
};

struct Type;
using TypePtr = std::shared_ptr<Type>;

struct Choice {
  std::string name;
  std::int64_t value = 0;
};

/// A key of a struct.
struct FieldEntry {
  std::string name;
  std::string doc;
  std::size_t offset = 0;  // from the start of the struct
  TypePtr type;
  bool required = false;
  bool alone = false;                            // a list that may stand instead of the struct
  std::optional<std::string> default_text;       // as a user would write it
  std::string default_json;                      // the same as a JSON value
  std::function<void(void* object)> in_mapping;  // sets what it is in a mapping without the key
};

/// A word that may stand instead of the whole mapping, or list: `pii: off`.
struct Word {
  std::string name;
  std::string doc;
  std::function<void(void* object)> apply;
};

/// A kind of a Variant, or a section of a Sections.
struct Part {
  std::string name;
  std::string doc;
  TypePtr type;
  std::function<std::shared_ptr<void>()> make;
  std::type_index index{typeid(void)};
};

struct Type {
  Kind kind = Kind::Struct;

  // Integer, Enum, Duration: how the number lies in memory.
  std::uint8_t size = 0;
  bool is_signed = true;
  std::int64_t tick = 1;  // Duration: nanoseconds in one
  // Limits, both included: Integer, Bytes, Money (millionths), Duration (nanoseconds); Real.
  std::optional<std::int64_t> min, max;
  std::optional<double> real_min, real_max;
  std::vector<Choice> choices;  // Enum; Text, where only some words are valid
  // What is wrong with the value that was read, empty when nothing is; and a pattern that tells
  // editors nearly the same.
  std::function<std::string(const void* value)> check;
  std::string pattern;
  bool confidential = false;  // may hold a credential, though it is no Secret

  // Optional, Located, List, Map.
  TypePtr inner;
  std::size_t position_offset = 0;                     // Located
  bool or_single = false;                              // List: one value instead of a list
  void* (*open)(void* object) = nullptr;               // Optional, Located: the inner object, made
  const void* (*peek)(const void* object) = nullptr;   // the same, null when there is none
  void (*clear)(void* object) = nullptr;               // List, Map; Optional: made absent
  std::size_t (*count)(const void* object) = nullptr;  // List, Map
  const void* (*element)(const void* object, std::size_t index) = nullptr;  // List
  void* (*append)(void* object, std::string name, Position at) = nullptr;   // List, Map
  std::function<std::string(const std::string& name)> check_name;           // Map

  // Struct.
  std::vector<std::unique_ptr<FieldEntry>> fields;
  std::vector<Word> words;  // List, too
  std::optional<std::size_t> own_position;
  std::optional<std::size_t> sections;
  std::vector<std::function<void(const void* object, Position at, Problems&)>> checks;

  // Variant: the kinds; Struct: the sections.
  std::string group;
  std::vector<Part> parts;
};

/// The list that may stand instead of the struct, if there is one.
inline const FieldEntry* alone(const Type& type) {
  for (const auto& field : type.fields) {
    if (field->alone) return field.get();
  }
  return nullptr;
}

/// The type that limits and checks belong to: through Optional, Located, List and Map.
inline Type& leaf(Type& type) {
  Type* at = &type;
  while (at->inner) at = at->inner.get();
  return *at;
}

/// The value of a scalar as a user would write it; nothing for what has no such form.
std::optional<std::string> print_value(const Type& type, const void* value);
/// The same as JSON; empty for what has no such form.
std::string print_json(const Type& type, const void* value);
std::string quote_json(std::string_view text);

/// Writes a number into an integer or enum object of `size` bytes.
void store_integer(void* object, std::uint8_t size, std::int64_t value);
std::int64_t load_integer(const void* object, std::uint8_t size, bool is_signed);

}  // namespace causeway::config::detail
