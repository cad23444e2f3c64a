// A folder for Unix sockets that only our user can enter. Its path is short enough for a socket
// address, and what an earlier process left behind is cleared away.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway::process {

/// Longest path of a Unix socket (sun_path holds 108 bytes, the last is the terminating zero).
inline constexpr std::size_t kMaxSocketPath = 107;

/// Mode 0700, owned by us, locked while this object lives, removed with its content at the end.
class PrivateFolder {
 public:
  /// Makes "<base>/causeway-XXXXXX" in the first base that can hold it: $XDG_RUNTIME_DIR,
  /// `data_folder` (may be empty), $TMPDIR, /tmp. Folders there that carry our name, belong to our
  /// user and are locked by nobody are removed: their process was killed. `room` is the longest
  /// file name that will be needed inside. Errors: Unavailable.
  static Result<PrivateFolder> make(const std::string& data_folder, std::size_t room = 40);

  PrivateFolder(PrivateFolder&& other) noexcept;
  PrivateFolder& operator=(PrivateFolder&& other) noexcept;
  ~PrivateFolder();

  const std::string& path() const { return path_; }

 private:
  PrivateFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;  // empty: moved from
  int lock_ = -1;
};

}  // namespace causeway::process
