// Memory for what is made and dropped all the time in many sizes above a kilobyte, such as kept
// answers: malloc() is quick for small blocks only, and sorts and merges its free list for others.
// Blocks that one thread frees serve what it allocates next, by classes of size.
#pragma once

#include <cstddef>
#include <string>

namespace causeway {
namespace detail {
void* allocate_recycled(std::size_t bytes);
void free_recycled(void* block, std::size_t bytes) noexcept;
}  // namespace detail

/// An allocator for the standard library's containers. What a thread holds to use again is bounded;
/// a block may be freed on another thread than it was allocated on.
template <class T>
struct Recycled {
  using value_type = T;
  Recycled() = default;
  template <class U>
  Recycled(const Recycled<U>&) {}  // NOLINT: allocators convert
  T* allocate(std::size_t count) {
    return static_cast<T*>(detail::allocate_recycled(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    detail::free_recycled(block, count * sizeof(T));
  }
  friend bool operator==(const Recycled&, const Recycled&) { return true; }
};

using RecycledString = std::basic_string<char, std::char_traits<char>, Recycled<char>>;

}  // namespace causeway
