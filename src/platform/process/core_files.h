// Memory holds keys and people's words: a crash must not write it to a disk.
#pragma once

namespace causeway::process {

/// From here on this process, and what it starts, leaves no core file.
void leave_no_core_files() noexcept;

}  // namespace causeway::process
