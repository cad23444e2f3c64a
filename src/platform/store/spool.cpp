#include "platform/store/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "platform/crypto/aead.h"
#include "platform/crypto/hash.h"
#include "platform/store/folder.h"

namespace causeway::store {
namespace {

std::unexpected<Error> failed(const char* what, const std::filesystem::path& folder, int error) {
  return std::unexpected(file_error(what, folder, error));
}

// Some file systems have no files that are born without a name.
int open_and_unlink(const std::filesystem::path& folder) {
  std::string name = (folder / "spool-XXXXXX").string();
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file >= 0) ::unlink(name.c_str());
  return file;
}

// A piece that changed its place is not opened.
std::string place(std::size_t piece) { return "spool " + std::to_string(piece); }

}  // namespace

Spool::Spool(std::filesystem::path folder, int file)
    : folder_(std::move(folder)), file_(file), key_(crypto::random_bytes(crypto::kAeadKeyBytes)) {}

Result<Spool> Spool::make(const std::filesystem::path& folder) {
  int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) file = open_and_unlink(folder);
  if (file < 0) return failed("cannot make a file in", folder, errno);
  return Spool(folder, file);
}

Spool::Spool(Spool&& other) noexcept
    : folder_(std::move(other.folder_)),
      file_(std::exchange(other.file_, -1)),
      key_(std::move(other.key_)),
      ends_(std::move(other.ends_)) {}

Spool& Spool::operator=(Spool&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(file_, other.file_);
  std::swap(key_, other.key_);
  std::swap(ends_, other.ends_);
  return *this;
}

Spool::~Spool() {
  if (file_ >= 0) ::close(file_);
}

Result<void> Spool::append(std::string_view piece) {
  const std::string sealed = crypto::aead_seal(key_, place(ends_.size()), piece);
  std::uint64_t at = ends_.empty() ? 0 : ends_.back();
  for (std::string_view rest = sealed; !rest.empty();) {
    const ssize_t put = ::pwrite(file_, rest.data(), rest.size(), static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed("cannot write to a file in", folder_, errno);
    at += static_cast<std::uint64_t>(put);
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  ends_.push_back(at);
  return {};
}

Result<std::string> Spool::read(std::size_t piece) const {
  std::uint64_t at = piece == 0 ? 0 : ends_.at(piece - 1);
  std::string sealed(ends_.at(piece) - at, '\0');
  for (std::size_t filled = 0; filled < sealed.size();) {
    const ssize_t got =
        ::pread(file_, sealed.data() + filled, sealed.size() - filled, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return failed("cannot read a file in", folder_, got < 0 ? errno : EIO);
    at += static_cast<std::uint64_t>(got);
    filled += static_cast<std::size_t>(got);
  }
  return crypto::aead_open(key_, place(piece), sealed);
}

}  // namespace causeway::store
