// Which of the supported shapes a C++ type is, and the type that its limits are about.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "platform/config/detail/type.h"
#include "platform/config/values.h"

namespace causeway::config::detail {

template <class T>
struct Shape {
  using Leaf = T;
};
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<Map<T>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_located = false;
template <class T>
inline constexpr bool is_located<Located<T>> = true;
template <class T>
inline constexpr bool is_duration = false;
template <class R, class P>
inline constexpr bool is_duration<std::chrono::duration<R, P>> = true;

template <class T>
struct Shape<std::vector<T>> : Shape<T> {};
template <class T>
struct Shape<Map<T>> : Shape<T> {};
template <class T>
struct Shape<std::optional<T>> : Shape<T> {};
template <class T>
struct Shape<Located<T>> : Shape<T> {};

template <class T>
using leaf_t = typename Shape<T>::Leaf;

/// A limit in the unit that detail::Type counts in.
template <class Leaf, class A>
std::int64_t limit(A value) {
  if constexpr (is_duration<Leaf>) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(value).count();
  } else if constexpr (std::is_same_v<Leaf, Money>) {
    return Money(value).micros;
  } else {
    static_assert(std::is_integral_v<Leaf> || std::is_same_v<Leaf, Bytes>,
                  "this kind of value has no range");
    return static_cast<std::int64_t>(value);
  }
}

template <class T>
TypePtr make_type(const Registry& registry, T& sample);

}  // namespace causeway::config::detail
