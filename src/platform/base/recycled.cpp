#include "platform/base/recycled.h"

#include <array>
#include <cstdlib>
#include <new>
#include <utility>

namespace causeway::detail {
namespace {

constexpr std::size_t kClassBytes = 64;
constexpr std::size_t kClasses = 128;  // to 8 KiB; larger ones are malloc()'s
constexpr std::size_t kMostHeldBytes = std::size_t{1} << 20;  // by each thread

struct FreeBlock {
  FreeBlock* next;
};

struct Pool {
  std::array<FreeBlock*, kClasses> head{};
  std::size_t held = 0;
  ~Pool() {
    for (FreeBlock*& block : head) {
      while (block) std::free(std::exchange(block, block->next));
    }
    held = kMostHeldBytes;  // what is freed after the thread's end goes straight to free()
  }
};

#ifndef CAUSEWAY_SANITIZED
thread_local Pool pool;
#endif

constexpr std::size_t class_of(std::size_t bytes) {
  return bytes == 0 ? 0 : (bytes - 1) / kClassBytes;
}

}  // namespace

void* allocate_recycled(std::size_t bytes) {
#ifndef CAUSEWAY_SANITIZED
  const std::size_t index = class_of(bytes);
  if (index < kClasses) {
    bytes = (index + 1) * kClassBytes;
    if (FreeBlock* block = pool.head[index]) {
      pool.head[index] = block->next;
      pool.held -= bytes;
      return block;
    }
  }
#endif
  void* block = std::malloc(bytes);
  if (!block) throw std::bad_alloc();
  return block;
}

void free_recycled(void* block, std::size_t bytes) noexcept {
#ifndef CAUSEWAY_SANITIZED
  const std::size_t index = class_of(bytes);
  if (index < kClasses) {
    bytes = (index + 1) * kClassBytes;
    if (pool.held + bytes <= kMostHeldBytes) {
      auto* freed = static_cast<FreeBlock*>(block);
      freed->next = pool.head[index];
      pool.head[index] = freed;
      pool.held += bytes;
      return;
    }
  }
#else
  (void)bytes;
#endif
  std::free(block);
}

}  // namespace causeway::detail
