// The data folder: private to the user that runs Causeway (0700, files 0600) and used by one
// process at a time. The lock is the kernel's and goes with the process, however that ends.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway::store {

class DataFolder {
 public:
  /// Makes the folder where it is missing, takes away other users' access, and locks it. Conflict
  /// when another process has it: the message names its pid.
  static Result<DataFolder> open(std::filesystem::path path);
  DataFolder(DataFolder&& other) noexcept;
  DataFolder& operator=(DataFolder&& other) noexcept;
  ~DataFolder();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(std::string_view name) const { return path_ / name; }

 private:
  DataFolder(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::filesystem::path path_;
  int lock_ = -1;
};

/// The whole of a file of at most 1 MiB; NotFound where there is none.
Result<std::string> read_private(const std::filesystem::path& path);

/// Replaces a file as one step, 0600, on the disk when it returns: after a crash there is the old
/// content or the new one. Whoever creates a file anew finds no half of it.
Result<void> write_private(const std::filesystem::path& path, std::string_view content);

/// Makes a folder with 0700 where it is missing.
Result<void> make_private_folder(const std::filesystem::path& path);

/// An error from errno: Unavailable; code "store_full" for a full disk or quota, "store_read_only"
/// where writing is not allowed, else "store_failed".
Error file_error(std::string what, const std::filesystem::path& path, int error_number);

}  // namespace causeway::store
