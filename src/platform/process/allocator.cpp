#include "platform/process/allocator.h"

#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>

namespace causeway::process {

void keep_freed_blocks_at_hand([[maybe_unused]] char** argv) noexcept {
#if defined(__GLIBC__) && !defined(CAUSEWAY_SANITIZED)
  constexpr const char* kVariable = "GLIBC_TUNABLES";
  if (std::getenv(kVariable)) return;
  std::array<char, PATH_MAX> self{};  // by its own name, which ps and killall go by
  if (readlink("/proc/self/exe", self.data(), self.size() - 1) <= 0) return;
  if (setenv(kVariable, "glibc.malloc.tcache_count=200", 1) != 0) return;
  execv(self.data(), argv);
#endif
}

}  // namespace causeway::process
