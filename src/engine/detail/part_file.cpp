#include "engine/detail/part_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "platform/crypto/text.h"

namespace causeway::engine {

std::unexpected<Error> fetch_failed(std::string message) {
  return fail(ErrorKind::UpstreamFailed, Origin::Upstream, std::move(message), "fetch_failed");
}

PartFile::PartFile() : digest_(EVP_MD_CTX_new()) {}

PartFile::~PartFile() {
  EVP_MD_CTX_free(digest_);
  if (file_ >= 0) close(file_);
}

Result<bool> PartFile::open(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (file_ >= 0) close(file_);
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0) return fetch_failed("cannot write " + path + ": " + std::strerror(errno));
  if (flock(file_, LOCK_EX | LOCK_NB) != 0) return false;
  struct stat opened{}, named{};
  if (fstat(file_, &opened) != 0 || stat(path.c_str(), &named) != 0) return false;
  return opened.st_ino == named.st_ino;
}

bool PartFile::append(std::string_view bytes) {
  EVP_DigestUpdate(digest_, bytes.data(), bytes.size());
  size_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool PartFile::empty_again() {
  size_ = 0;
  return ftruncate(file_, 0) == 0 && lseek(file_, 0, SEEK_SET) == 0 &&
         EVP_DigestInit_ex(digest_, EVP_sha256(), nullptr) == 1;
}

bool PartFile::sync() { return fsync(file_) == 0; }

std::string PartFile::sha256() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  EVP_DigestFinal_ex(digest_, out.data(), &size);
  return crypto::to_hex({reinterpret_cast<const char*>(out.data()), size});
}

Result<void> PartFile::read_what_is_there() {
  EVP_DigestInit_ex(digest_, EVP_sha256(), nullptr);
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t got = read(file_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fetch_failed(std::string("cannot read the part: ") + std::strerror(errno));
    if (got == 0) return {};
    EVP_DigestUpdate(digest_, buffer.data(), static_cast<std::size_t>(got));
    size_ += static_cast<std::uint64_t>(got);
  }
}

}  // namespace causeway::engine
