// How a struct tells the configuration reader what it holds. Beside a plain struct stands one
// function, found by its argument:
//
//   void describe(config::Fields& f, ServerConfig& c) {
//     f.field("listen", c.listen, "Where applications connect: address:port.");
//     f.field("drain", c.drain, "How long running requests may go on.").range(0s, 1h);
//   }
//
// Only declare it in a header that others include; its body belongs into the .cpp. Defaults are
// those of a default-constructed object. Types that a field may have: bool, integers, double,
// std::string, std::chrono durations, Bytes, Money, Secret, enums (with names_of()), described
// structs, Variant, and of these std::optional, std::vector, Map and Located.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/config/detail/type.h"
#include "platform/config/detail/type_traits.h"
#include "platform/config/problems.h"
#include "platform/config/values.h"

namespace causeway::config {

/// Beside an enum: `inline config::Names<Zone> names_of(Zone) { return {{"internal",
/// Zone::Internal}, …}; }`
template <class E>
using Names = std::vector<std::pair<std::string, E>>;

/// What Fields::field() returns: refinements of the field, valid until the end of the statement.
/// On a list, mapping or optional they are about the values inside.
template <class T>
class Field {
 public:
  using Leaf = detail::leaf_t<T>;
  Field(detail::FieldEntry& entry, const Registry& registry)
      : entry_(entry), leaf_(detail::leaf(*entry.type)), registry_(registry) {}

  /// The key must be there.
  Field& required() {
    entry_.required = true;
    entry_.default_text.reset();
    entry_.default_json.clear();
    return *this;
  }
  /// What it is in a mapping that does not name it, where a section that is not there has another:
  /// a switch that is off, and on in a section that says anything.
  Field& in_mapping(const T& value) {
    entry_.in_mapping = [value, where = entry_.offset](void* object) {
      *reinterpret_cast<T*>(static_cast<char*>(object) + where) = value;
    };
    entry_.default_text = detail::print_value(*entry_.type, &value);
    entry_.default_json = detail::print_json(*entry_.type, &value);
    return *this;
  }
  /// Both limits are included. `range(1, 64)`, `range(1s, 1h)`, `range(0.0, 1.0)`.
  template <class A, class B>
  Field& range(A low, B high) {
    return at_least(low).at_most(high);
  }
  template <class A>
  Field& at_least(A low) {
    if constexpr (std::is_floating_point_v<Leaf>) {
      leaf_.real_min = low;
    } else {
      leaf_.min = detail::limit<Leaf>(low);
    }
    return *this;
  }
  template <class A>
  Field& at_most(A high) {
    if constexpr (std::is_floating_point_v<Leaf>) {
      leaf_.real_max = high;
    } else {
      leaf_.max = detail::limit<Leaf>(high);
    }
    return *this;
  }
  /// A text that is one of these.
  Field& one_of(std::initializer_list<std::string_view> words) {
    static_assert(std::is_same_v<Leaf, std::string>);
    for (const std::string_view word : words) leaf_.choices.push_back({std::string(word), 0});
    return *this;
  }
  /// `what_is_wrong` returns the end of a sentence ("must be address:port"), or nothing when the
  /// value is right. It must not repeat the value, which may come from the environment. `pattern`
  /// (ECMA-262) tells editors nearly the same. checks.h has the usual ones.
  Field& check(std::function<std::string(const Leaf&)> what_is_wrong, std::string pattern = {}) {
    leaf_.check = [f = std::move(what_is_wrong)](const void* value) {
      return f(*static_cast<const Leaf*>(value));
    };
    leaf_.pattern = std::move(pattern);
    return *this;
  }
  /// May hold a credential though it is no Secret: not shown where the file is.
  Field& confidential() {
    leaf_.confidential = true;
    return *this;
  }
  /// One value may stand where a list is expected: `models: fast`.
  Field& or_single() {
    static_assert(detail::is_vector<T>);
    entry_.type->or_single = true;
    return *this;
  }
  /// A list of a struct whose other keys are other ways to say the same: it may stand there without
  /// the mapping around it, `replicas: [a, b]`.
  Field& alone() {
    static_assert(detail::is_vector<T>);
    entry_.alone = true;
    return *this;
  }
  /// What is wrong with a name in a mapping, as in check().
  Field& names(std::function<std::string(const std::string&)> what_is_wrong) {
    static_assert(detail::is_map<T>);
    entry_.type->check_name = std::move(what_is_wrong);
    return *this;
  }
  /// Which kinds a Variant may have: those of this group in the Registry.
  Field& of(std::string_view group);

 private:
  detail::FieldEntry& entry_;
  detail::Type& leaf_;
  const Registry& registry_;
};

/// What a describe() function writes into.
class Fields {
 public:
  Fields(detail::Type& type, const void* sample, std::size_t size, const Registry& registry)
      : type_(type), sample_(sample), size_(size), registry_(registry) {}

  /// A key of the mapping. `value` must be a part of the object being described.
  template <class T>
  Field<T> field(std::string_view name, T& value, std::string_view doc) {
    return {add(name, doc, offset(&value), detail::make_type(registry_, value), &value), registry_};
  }
  /// A word that may stand instead of the mapping: `f.word("off", c.mode, Mode::Off, "Nothing.")`.
  template <class T>
  void word(std::string_view name, T& member, std::type_identity_t<T> value, std::string_view doc) {
    const std::size_t where = offset(&member);
    type_.words.push_back({std::string(name), std::string(doc), [where, value](void* object) {
                             *reinterpret_cast<T*>(static_cast<char*>(object) + where) = value;
                           }});
  }
  /// Where the struct itself stood is stored there.
  void position(Position& at) { type_.own_position = offset(&at); }
  /// Further keys belong to others: those registered as sections of this group.
  void sections(Sections& value, std::string_view group);
  /// Looks at several fields together; called when each of them by itself was right.
  template <class T>
  void check(T& /*self*/, std::function<void(const T&, Position, Problems&)> look) {
    type_.checks.push_back([look = std::move(look)](const void* object, Position at, Problems& p) {
      look(*static_cast<const T*>(object), at, p);
    });
  }

 private:
  std::size_t offset(const void* member) const;
  detail::FieldEntry& add(std::string_view name, std::string_view doc, std::size_t offset,
                          detail::TypePtr type, const void* value);

  detail::Type& type_;
  const void* sample_;
  std::size_t size_;
  const Registry& registry_;
};

/// The kinds and sections that are registered at start-up by those who own them. Registering a name
/// twice in one group throws std::logic_error.
class Registry {
 public:
  /// `registry.kind<OpenAiConfig>("provider", "openai", "Any OpenAI-compatible server.")`
  template <class T>
  void kind(std::string_view group, std::string_view name, std::string_view doc) {
    add(group, name, doc, make_part<T>({}));
  }
  /// `registry.section("policy", kPii, "What is done about personal data.")`
  template <class T>
  void section(std::string_view group, Section<T> key, std::string_view doc) {
    add(group, key.name, doc, make_part<T>(key.none));
  }
  /// In the order of registering; used while a Schema is built.
  std::vector<detail::Part> parts(std::string_view group) const;

 private:
  using MakePart = std::function<detail::Part(const Registry&)>;
  template <class T>
  static MakePart make_part(std::string_view none) {
    return [none](const Registry& registry) {
      T sample{};
      auto type = detail::make_type(registry, sample);
      if (!none.empty()) type->words.push_back({std::string(none), {}, type->clear});
      return detail::Part{{},
                          {},
                          std::move(type),
                          [] { return std::static_pointer_cast<void>(std::make_shared<T>()); },
                          typeid(T)};
    };
  }
  void add(std::string_view group, std::string_view name, std::string_view doc, MakePart make);

  struct Entry {
    std::string group, name, doc;
    MakePart make;
  };
  std::vector<Entry> entries_;
};

template <class T>
Field<T>& Field<T>::of(std::string_view group) {
  static_assert(std::is_same_v<Leaf, Variant>);
  leaf_.group = group;
  leaf_.parts = registry_.parts(group);
  return *this;
}

}  // namespace causeway::config

#include "platform/config/detail/make_type.h"
