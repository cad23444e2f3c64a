#include "features/insight/ledger/journal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "platform/crypto/hash.h"
#include "platform/store/folder.h"

namespace causeway::ledger {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::array<char, 8> kMagic = {'C', 'W', 'J', 'R', 'N', 'L', '0', '1'};
constexpr std::uint64_t kMostCapacity = 1 << 22;  // 1 GiB
// Records made ready ahead of the writer at each sync, at least.
constexpr std::uint64_t kLeastReady = 256;
// After so many syncs with nothing to do, two seconds at the ledger's pace, memory is given back.
constexpr std::uint64_t kIdleSyncs = 40;

struct Header {
  std::array<char, 8> magic;
  std::uint32_t record_bytes;
  std::uint32_t unused;
  std::uint64_t capacity;
  std::uint64_t id;
};

std::size_t file_bytes(std::uint64_t capacity) { return kPage + capacity * sizeof(Record); }

Error damaged(const std::filesystem::path& path) {
  Error error;
  error.code = "journal_damaged";
  error.message = "the journal " + path.string() + " is not one that this program can read";
  return error;
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

// Written zeros and not fallocate(), in steps of 64 KiB: the size of the kernel's cache folios
// follows the writes. Measured on ext4 (6.18), making a page writable and syncing it costs 3.4 us
// this way, 8.7 with steps of 1 MiB, 4.6 with 4 KiB, and 7 after fallocate(); 16 records share a
// page.
Result<void> fill(int fd, const std::filesystem::path& path, std::size_t bytes) {
  const std::string zeros(64 << 10, '\0');
  for (std::size_t at = 0; at < bytes;) {
    const std::size_t part = std::min(zeros.size(), bytes - at);
    const ssize_t written = ::pwrite(fd, zeros.data(), part, static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(store::file_error("cannot write", path, errno));
    at += static_cast<std::size_t>(written);
  }
  return {};
}

Result<Header> make_file(int fd, const std::filesystem::path& path, std::uint64_t capacity) {
  capacity = std::clamp<std::uint64_t>(capacity, 16, kMostCapacity) / 16 * 16;  // whole pages
  Header header{kMagic, sizeof(Record), 0, capacity, 0};
  std::memcpy(&header.id, crypto::random_bytes(sizeof header.id).data(), sizeof header.id);
  if (auto filled = fill(fd, path, file_bytes(capacity)); !filled) {
    ::unlink(path.c_str());
    return pass(std::move(filled));
  }
  // The header comes last: a file without it was never used.
  if (::pwrite(fd, &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header)) {
    return std::unexpected(store::file_error("cannot write", path, errno));
  }
  return header;
}

Result<Header> read_header(int fd, const std::filesystem::path& path, std::uint64_t capacity) {
  struct stat status;
  if (::fstat(fd, &status) != 0)
    return std::unexpected(store::file_error("cannot read", path, errno));
  Header header{};
  const ssize_t read = ::pread(fd, &header, sizeof header, 0);
  const Header empty{};
  if (read <= 0 || std::memcmp(&header, &empty, sizeof header) == 0) {
    return make_file(fd, path, capacity);
  }
  if (read != static_cast<ssize_t>(sizeof header) || header.magic != kMagic ||
      header.record_bytes != sizeof(Record) || header.capacity == 0 ||
      header.capacity > kMostCapacity ||
      static_cast<std::size_t>(status.st_size) < file_bytes(header.capacity)) {
    return std::unexpected(damaged(path));
  }
  return header;
}

}  // namespace

Result<std::unique_ptr<JournalRing>> JournalRing::open(const std::filesystem::path& path,
                                                       std::uint64_t capacity) {
  const Descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (file.fd < 0) return std::unexpected(store::file_error("cannot open", path, errno));
  auto header = read_header(file.fd, path, capacity);
  if (!header) return pass(std::move(header));
  const std::size_t bytes = file_bytes(header->capacity);
  void* map = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
  if (map == MAP_FAILED) return std::unexpected(store::file_error("cannot map", path, errno));
  return std::unique_ptr<JournalRing>(
      new JournalRing(path, static_cast<std::byte*>(map), bytes, header->capacity, header->id));
}

JournalRing::JournalRing(std::filesystem::path path, std::byte* map, std::size_t bytes,
                         std::uint64_t capacity, std::uint64_t id)
    : path_(std::move(path)), map_(map), bytes_(bytes), capacity_(capacity), id_(id) {}

JournalRing::~JournalRing() {
  (void)sync();
  ::munmap(map_, bytes_);
}

Record* JournalRing::slot(std::uint64_t sequence) const {
  return reinterpret_cast<Record*>(map_ + kPage) + (sequence - 1) % capacity_;
}

const Record* JournalRing::at(std::uint64_t sequence) const {
  const Record* record = slot(sequence);
  return record->sequence == sequence && sound(*record) ? record : nullptr;
}

// Pages reach the disk in any order, so after a power loss a later record may be there without an
// earlier one: every slot is looked at, not only up to the first gap.
JournalRing::Recovery JournalRing::recover(std::uint64_t folded) {
  Recovery found;
  std::uint64_t last = folded;
  std::uint64_t torn_last = 0;
  for (std::uint64_t i = 1; i <= capacity_; ++i) {
    const Record& record = *slot(i);
    const bool ours = record.sequence > folded && record.sequence <= folded + capacity_ &&
                      (record.sequence - 1) % capacity_ == i - 1;
    if (!ours) continue;
    if (sound(record)) {
      ++found.records;
      last = std::max(last, record.sequence);
    } else {
      ++found.torn;
      torn_last = std::max(torn_last, record.sequence);
    }
  }
  last = std::max(last, torn_last);
  found.lost = last - folded - found.records - found.torn;
  next_ = last + 1;
  head_.store(next_ - 1, std::memory_order_release);
  folded_.store(folded, std::memory_order_release);
  synced_ = next_ - 1;
  release_memory();
  return found;
}

bool JournalRing::append(const Record& record) noexcept {
  const std::uint64_t sequence = next_;
  if (sequence - folded_.load(std::memory_order_acquire) > capacity_) return false;
  Record* to = slot(sequence);
  *to = record;
  to->sequence = sequence;
  to->checksum = checksum_of(*to);
  next_ = sequence + 1;
  head_.store(sequence, std::memory_order_release);
  return true;
}

// Whole pages that hold `count` records from `first` on; to the end of the file at most.
std::span<std::byte> JournalRing::pages(std::uint64_t first, std::uint64_t count) const {
  const std::size_t index = (first - 1) % capacity_;
  count = std::min<std::uint64_t>(count, capacity_ - index);
  const std::size_t begin = (kPage + index * sizeof(Record)) / kPage * kPage;
  const std::size_t end = kPage + (index + count) * sizeof(Record);
  return {map_ + begin, (end - begin + kPage - 1) / kPage * kPage};
}

// A first write to a page of a shared file costs microseconds in the kernel: done here, ahead of
// the loop. An older kernel answers an error, which costs the loop those faults.
void JournalRing::make_ready(std::uint64_t records) {
#ifdef MADV_POPULATE_WRITE
  const auto range = pages(head() + 1, records);
  (void)::madvise(range.data(), range.size(), MADV_POPULATE_WRITE);
#else
  (void)records;
#endif
}

// The pages stay in the kernel's cache and the file; only our share of memory goes down.
void JournalRing::release_memory() {
  (void)::madvise(map_, bytes_, MADV_DONTNEED);
  make_ready(kLeastReady);
}

// Without its header, records that reached the disk would be taken for those of a file never used.
// Once, by the syncing thread and not at the start: the zeros of a new file take their time.
Result<void> JournalRing::sync_file() {
  if (::msync(map_, bytes_, MS_SYNC) != 0) {
    return std::unexpected(store::file_error("cannot sync", path_, errno));
  }
  const Descriptor folder{::open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.fd < 0 || ::fsync(folder.fd) != 0) {
    return std::unexpected(store::file_error("cannot sync", path_.parent_path(), errno));
  }
  on_disk_ = true;
  return {};
}

Result<void> JournalRing::sync() {
  if (!on_disk_) {
    if (auto synced = sync_file(); !synced) return synced;
  }
  const std::uint64_t head = this->head();
  const std::uint64_t written = std::min(head - synced_, capacity_);
  if (written == 0) {
    if (++idle_ == kIdleSyncs && unfolded() == 0) release_memory();
    return {};
  }
  idle_ = 0;
  for (std::uint64_t at = head - written + 1; at <= head;) {
    const std::uint64_t part = std::min(head - at + 1, capacity_ - (at - 1) % capacity_);
    const auto range = pages(at, part);
    if (::msync(range.data(), range.size(), MS_SYNC) != 0) {
      return std::unexpected(store::file_error("cannot sync", path_, errno));
    }
    at += part;
  }
  synced_ = head;
  make_ready(std::max(kLeastReady, written * 2));
  return {};
}

}  // namespace causeway::ledger
