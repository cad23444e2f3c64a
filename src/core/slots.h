// Private state of a stage in an exchange, without a map and without an allocation: at start-up
// each stage reserves its slot in the layout, and every exchange carries one block of that size.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

namespace causeway {

template <class T>
class Slot;

class SlotLayout {
 public:
  /// At start-up only, before the first exchange.
  template <class T>
  Slot<T> add();

  std::size_t bytes() const { return bytes_; }

 private:
  friend class SlotMemory;
  struct Entry {
    std::size_t offset;
    void (*construct)(void*);  // nullptr: all-zero bytes are the initial state
    void (*destroy)(void*);    // nullptr: nothing to do
  };
  std::size_t bytes_ = 0;
  std::vector<Entry> entries_;
};

/// The block of one exchange. Reusable: clear() brings every slot back to its initial state.
class SlotMemory {
 public:
  SlotMemory() = default;
  explicit SlotMemory(const SlotLayout& layout)
      : layout_(&layout), block_(std::make_unique<std::byte[]>(layout.bytes())) {
    construct();
  }
  ~SlotMemory() { destroy(); }
  SlotMemory(const SlotMemory&) = delete;
  SlotMemory& operator=(const SlotMemory&) = delete;

  void clear() {
    destroy();
    construct();
  }
  std::byte* data() { return block_.get(); }

 private:
  void construct() {
    if (!layout_) return;
    std::memset(block_.get(), 0, layout_->bytes());
    for (const auto& entry : layout_->entries_) {
      if (entry.construct) entry.construct(block_.get() + entry.offset);
    }
  }
  void destroy() {
    if (!layout_) return;
    for (const auto& entry : layout_->entries_) {
      if (entry.destroy) entry.destroy(block_.get() + entry.offset);
    }
  }

  const SlotLayout* layout_ = nullptr;
  std::unique_ptr<std::byte[]> block_;
};

template <class T>
class Slot {
 public:
  Slot() = default;
  T& in(SlotMemory& memory) const {
    return *std::launder(reinterpret_cast<T*>(memory.data() + offset_));
  }

 private:
  friend class SlotLayout;
  explicit Slot(std::size_t offset) : offset_(offset) {}
  std::size_t offset_ = 0;
};

template <class T>
Slot<T> SlotLayout::add() {
  static_assert(alignof(T) <= alignof(std::max_align_t));
  bytes_ = (bytes_ + alignof(T) - 1) / alignof(T) * alignof(T);
  Entry entry{bytes_, nullptr, nullptr};
  if constexpr (!std::is_trivially_default_constructible_v<T>) {
    entry.construct = [](void* at) { new (at) T(); };
  }
  if constexpr (!std::is_trivially_destructible_v<T>) {
    entry.destroy = [](void* at) { static_cast<T*>(at)->~T(); };
  }
  if (entry.construct || entry.destroy) entries_.push_back(entry);
  Slot<T> slot(bytes_);
  bytes_ += sizeof(T);
  return slot;
}

}  // namespace causeway
