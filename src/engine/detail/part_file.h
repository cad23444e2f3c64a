// The ".part" file of a download and the digest of what is in it. Only for download.cpp.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway::engine {

/// Something about fetching that went wrong, in the form that all of the download uses.
std::unexpected<Error> fetch_failed(std::string message);

class PartFile {
 public:
  PartFile();
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  /// True when the file is open, locked for us and still what stands under its name; false when
  /// another process is fetching it.
  Result<bool> open(const std::string& path);
  /// Reads what an earlier try left; the file's position is at its end afterwards.
  Result<void> read_what_is_there();
  std::uint64_t size() const { return size_; }
  bool append(std::string_view bytes);
  bool empty_again();
  bool sync();
  /// Of all that is in it, lower-case hex; nothing may be appended afterwards.
  std::string sha256();

 private:
  int file_ = -1;
  std::uint64_t size_ = 0;
  EVP_MD_CTX* digest_;
};

}  // namespace causeway::engine
