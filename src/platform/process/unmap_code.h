// Gives back the memory of code that only the start needed.
#pragma once

namespace causeway::process {

/// The pages of this program's and its libraries' code and constants are no longer counted as its
/// own until they are used again; then the kernel maps them from the files, without reading these
/// where they are cached. At any time, from any thread.
void unmap_code();

}  // namespace causeway::process
