#include "platform/process/core_files.h"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace causeway::process {

// One byte, not none: where core files are piped to a program (systemd-coredump, apport), the
// kernel heeds no other limit than this one, by which it knows the crash of such a program.
void leave_no_core_files() noexcept {
  const rlimit nothing{1, 1};
  if (setrlimit(RLIMIT_CORE, &nothing) == 0) return;
  prctl(PR_SET_DUMPABLE, 0);  // the limit is 0 and we may not raise it; this ends with an exec
}

}  // namespace causeway::process
