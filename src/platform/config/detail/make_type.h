// From a C++ type to detail::Type. Included at the end of describe.h, and by nobody else.
#pragma once

#include "platform/base/secret.h"
#include "platform/config/describe.h"

namespace causeway::config::detail {

template <class T>
concept Described = requires(Fields& f, T& value) { describe(f, value); };
template <class T>
concept Named = std::is_enum_v<T> && requires(T value) { names_of(value); };
template <class T>
inline constexpr bool kNotSupported = false;

template <class T>
void make_list(Type& type) {
  using V = std::vector<T>;
  static_assert(!std::is_same_v<T, bool>, "a list of bool cannot be read");
  type.kind = Kind::List;
  type.clear = [](void* object) { static_cast<V*>(object)->clear(); };
  type.count = [](const void* object) { return static_cast<const V*>(object)->size(); };
  type.element = [](const void* object, std::size_t i) -> const void* {
    return &(*static_cast<const V*>(object))[i];
  };
  type.append = [](void* object, std::string, Position) -> void* {
    return &static_cast<V*>(object)->emplace_back();
  };
}

template <class T>
void make_map(Type& type) {
  type.kind = Kind::Map;
  type.clear = [](void* object) { static_cast<Map<T>*>(object)->clear(); };
  type.count = [](const void* object) { return static_cast<const Map<T>*>(object)->size(); };
  type.append = [](void* object, std::string name, Position at) -> void* {
    return &static_cast<Map<T>*>(object)->add(std::move(name), at);
  };
}

template <class T>
void make_optional(Type& type) {
  using O = std::optional<T>;
  type.kind = Kind::Optional;
  type.open = [](void* object) -> void* { return &static_cast<O*>(object)->emplace(); };
  type.clear = [](void* object) { static_cast<O*>(object)->reset(); };
  type.peek = [](const void* object) -> const void* {
    const O& value = *static_cast<const O*>(object);
    return value ? &*value : nullptr;
  };
}

template <class T>
void make_located(Type& type, const Located<T>& sample) {
  type.kind = Kind::Located;
  type.open = [](void* object) -> void* { return &static_cast<Located<T>*>(object)->value; };
  type.peek = [](const void* object) -> const void* {
    return &static_cast<const Located<T>*>(object)->value;
  };
  type.position_offset = static_cast<std::size_t>(reinterpret_cast<const char*>(&sample.at) -
                                                  reinterpret_cast<const char*>(&sample));
}

template <class T>
void make_number(Type& type) {
  type.size = sizeof(T);
  type.is_signed = std::is_signed_v<T>;
  if constexpr (sizeof(T) < 8) {
    type.min = std::numeric_limits<T>::min();
    type.max = static_cast<std::int64_t>(std::numeric_limits<T>::max());
  } else if constexpr (!std::is_signed_v<T>) {
    type.min = 0;
  }
}

template <class T>
void make_scalar(Type& type) {
  if constexpr (std::is_same_v<T, bool>) {
    type.kind = Kind::Bool;
  } else if constexpr (std::is_integral_v<T>) {
    type.kind = Kind::Integer;
    make_number<T>(type);
  } else if constexpr (std::is_same_v<T, double>) {
    type.kind = Kind::Real;
  } else if constexpr (std::is_same_v<T, std::string>) {
    type.kind = Kind::Text;
  } else if constexpr (std::is_same_v<T, Secret>) {
    type.kind = Kind::Secret;
  } else if constexpr (std::is_same_v<T, Bytes>) {
    type.kind = Kind::Bytes;
  } else if constexpr (std::is_same_v<T, Money>) {
    type.kind = Kind::Money;
    type.min = 0;
  } else if constexpr (is_duration<T>) {
    static_assert(std::is_integral_v<typename T::rep>);
    type.kind = Kind::Duration;
    type.size = sizeof(typename T::rep);
    type.tick = std::chrono::duration_cast<std::chrono::nanoseconds>(T(1)).count();
  } else if constexpr (Named<T>) {
    type.kind = Kind::Enum;
    type.size = sizeof(T);
    type.is_signed = std::is_signed_v<std::underlying_type_t<T>>;
    for (const auto& [name, value] : names_of(T{})) {
      type.choices.push_back({name, static_cast<std::int64_t>(value)});
    }
  } else {
    static_assert(kNotSupported<T>,
                  "a struct needs describe(config::Fields&, T&) in its namespace, an enum "
                  "needs names_of(T); both before the first use");
  }
}

template <class T>
TypePtr make_type(const Registry& registry, T& sample) {
  auto type = std::make_shared<Type>();
  if constexpr (is_vector<T>) {
    make_list<typename T::value_type>(*type);
    typename T::value_type element{};
    type->inner = make_type(registry, element);
  } else if constexpr (is_map<T>) {
    using Value = decltype(T::Entry::value);
    make_map<Value>(*type);
    Value element{};
    type->inner = make_type(registry, element);
  } else if constexpr (is_optional<T>) {
    make_optional<typename T::value_type>(*type);
    typename T::value_type element{};
    type->inner = make_type(registry, element);
  } else if constexpr (is_located<T>) {
    make_located(*type, sample);
    type->inner = make_type(registry, sample.value);
  } else if constexpr (std::is_same_v<T, Variant>) {
    type->kind = Kind::Variant;
  } else if constexpr (Described<T>) {
    type->kind = Kind::Struct;
    Fields fields(*type, &sample, sizeof(T), registry);
    describe(fields, sample);
  } else {
    make_scalar<T>(*type);
  }
  return type;
}

}  // namespace causeway::config::detail
