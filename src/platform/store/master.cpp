#include "platform/store/master.h"

#include <algorithm>
#include <utility>

#include "platform/crypto/aead.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"
#include "platform/store/folder.h"

namespace causeway::store {
namespace {

constexpr std::size_t kLeastSecret = 32;
constexpr std::size_t kLineCharacters = 64;  // 32 bytes in hex

MasterRing::Master make_master(std::string_view secret, std::string_view line) {
  MasterRing::Master master;
  master.id = crypto::to_hex(crypto::hkdf(secret, "", "causeway master key id", 8));
  master.key = Secret(crypto::hkdf(secret, "", "causeway master key", crypto::kAeadKeyBytes));
  master.line = Secret(std::string(line));
  return master;
}

MasterRing::Master fresh_master() {
  const Secret line(crypto::to_hex(crypto::random_bytes(32)));
  return make_master(line.reveal(), line.reveal());
}

}  // namespace

Result<MasterRing> MasterRing::load(std::filesystem::path file, MasterKeys keys, bool needed) {
  MasterRing ring(std::move(file));
  if (!keys.current.empty()) {
    keys.previous.insert(keys.previous.begin(), std::move(keys.current));
    for (const Secret& secret : keys.previous) {
      if (secret.reveal().size() < kLeastSecret) {
        return fail(ErrorKind::InvalidRequest, Origin::Us,
                    "a master key from the config needs at least 32 characters", "master_key_weak");
      }
      ring.masters_.push_back(make_master(secret.reveal(), {}));
    }
  }
  if (auto read = ring.read_file(); !read) return pass(std::move(read));
  if (!ring.masters_.empty()) return ring;
  if (needed) {
    return fail(ErrorKind::Internal, Origin::Us,
                "the master key file " + ring.file_.string() +
                    " is missing, but there is sealed data; restore the file from a backup",
                "master_key_missing");
  }
  ring.masters_.push_back(fresh_master());
  if (auto written = ring.write_file(); !written) return pass(std::move(written));
  return ring;
}

// One key a line, the current one first. More than one only between the steps of a rotation, or
// after a crash there.
Result<void> MasterRing::read_file() {
  auto content = read_private(file_);
  if (!content) {
    if (content.error().kind == ErrorKind::NotFound) return {};
    return pass(std::move(content));
  }
  const Secret text(std::move(*content));
  std::string_view rest = text.reveal();
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    if (line.size() != kLineCharacters || !crypto::from_hex(line)) {
      return fail(ErrorKind::Internal, Origin::Us,
                  "the master key file " + file_.string() + " is damaged; restore it from a backup",
                  "master_key_wrong");
    }
    masters_.push_back(make_master(line, line));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  return {};
}

Result<void> MasterRing::write_file() const {
  std::string text;
  for (const Master& master : masters_) {
    if (master.line.empty()) continue;
    text += master.line.reveal();
    text += '\n';
  }
  const Secret guard(std::move(text));
  return write_private(file_, guard.reveal());
}

const MasterRing::Master* MasterRing::find(std::string_view id) const {
  const auto found = std::ranges::find(masters_, id, &Master::id);
  return found == masters_.end() ? nullptr : &*found;
}

Result<void> MasterRing::begin_rotation() {
  if (from_config()) {
    return fail(ErrorKind::Conflict, Origin::Client,
                "the master key comes from server.master_key: set the new one there, and put the "
                "old one under server.previous_master_keys",
                "master_key_in_config");
  }
  masters_.insert(masters_.begin(), fresh_master());
  auto written = write_file();
  if (!written) masters_.erase(masters_.begin());
  return written;
}

Result<void> MasterRing::end_rotation() {
  if (masters_.size() == 1) return {};
  const bool file =
      std::ranges::any_of(masters_, [](const Master& master) { return !master.line.empty(); });
  masters_.erase(masters_.begin() + 1, masters_.end());
  // With a key from the config the file is emptied: what it wrapped is wrapped by that key now.
  return file ? write_file() : Result<void>();
}

}  // namespace causeway::store
