// How many files and sockets this process may have open.
#pragma once

#include <cstddef>

namespace causeway::process {

/// Raises the soft limit to the hard one, which what it starts inherits; gives what then holds. A
/// soft limit is low (1,024 as a rule) for the sake of programs that use select().
std::size_t raise_open_files() noexcept;

}  // namespace causeway::process
