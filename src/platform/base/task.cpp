#include "platform/base/task.h"

#include <array>
#include <cstdlib>
#include <new>

namespace causeway {
namespace detail {
namespace {

constexpr std::size_t kClassBytes = 128;
constexpr std::size_t kClasses = 32;
constexpr std::size_t kKeptPerClass = 1024;

struct FreeFrame {
  FreeFrame* next;
};

struct FramePool {
  std::array<FreeFrame*, kClasses> head{};
  std::array<std::size_t, kClasses> count{};
  ~FramePool() {
    for (FreeFrame* frame : head) {
      while (frame) std::free(std::exchange(frame, frame->next));
    }
    count.fill(kKeptPerClass);  // frames freed after the thread's end go straight to free()
    head.fill(nullptr);
  }
};

#ifndef CAUSEWAY_SANITIZED
thread_local FramePool pool;
#endif

}  // namespace

void* allocate_frame(std::size_t bytes) {
#ifndef CAUSEWAY_SANITIZED
  const std::size_t index = (bytes - 1) / kClassBytes;
  if (index < kClasses) {
    if (FreeFrame* frame = pool.head[index]) {
      pool.head[index] = frame->next;
      --pool.count[index];
      return frame;
    }
    bytes = (index + 1) * kClassBytes;
  }
#endif
  void* frame = std::malloc(bytes);
  if (!frame) throw std::bad_alloc();
  return frame;
}

void free_frame(void* frame, std::size_t bytes) noexcept {
#ifndef CAUSEWAY_SANITIZED
  const std::size_t index = (bytes - 1) / kClassBytes;
  if (index < kClasses && pool.count[index] < kKeptPerClass) {
    auto* freed = static_cast<FreeFrame*>(frame);
    freed->next = pool.head[index];
    pool.head[index] = freed;
    ++pool.count[index];
    return;
  }
#else
  (void)bytes;
#endif
  std::free(frame);
}

}  // namespace detail

namespace {
detail::Detached run_detached(Task<void> task) { co_await std::move(task); }
}  // namespace

void spawn(Task<void> task) { run_detached(std::move(task)); }

}  // namespace causeway
