// A file without a name in the data folder: what does not fit into memory for as long as it is
// needed. It is gone with the object, and with the process, however that ends; and since disks keep
// what is gone, its pieces are sealed with a key that is nowhere but in this object. All calls wait
// for the disk: not for a loop.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"
#include "platform/base/secret.h"

namespace causeway::store {

class Spool {
 public:
  /// Errors: as of file_error().
  static Result<Spool> make(const std::filesystem::path& folder);
  Spool(Spool&& other) noexcept;
  Spool& operator=(Spool&& other) noexcept;
  ~Spool();

  /// Pieces of at most 1 GiB; to be read as they were put.
  Result<void> append(std::string_view piece);
  Result<std::string> read(std::size_t piece) const;

 private:
  Spool(std::filesystem::path folder, int file);

  std::filesystem::path folder_;  // for errors
  int file_ = -1;
  Secret key_;
  std::vector<std::uint64_t> ends_;  // of the pieces in the file
};

}  // namespace causeway::store
