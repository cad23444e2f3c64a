// A file of the user's is replaced as a whole: after a crash there is the old content or the new
// one, and it stays whose it was.
#pragma once

#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway::app {

/// Why replace_file() would not work, as the end of a sentence; empty when nothing is known to be
/// in its way.
std::string why_not_replaced(const std::string& path);

/// Writes `content` beside the file and puts it in its place, on the disk when it returns; follows
/// a link. What was there stays as `PATH.bak`. Errors: Unavailable; then the file is as it was.
Result<void> replace_file(const std::string& path, std::string_view content);

}  // namespace causeway::app
