#include "features/traffic/limits/budget_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <span>

#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"
#include "platform/store/folder.h"

namespace causeway::limits {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::array<char, 8> kMagic = {'C', 'W', 'B', 'U', 'D', 'G', '0', '1'};
constexpr std::size_t kProbes = 64;
constexpr std::int64_t kMostSpent = std::int64_t{1} << 62;

struct Header {
  std::array<char, 8> magic;
  std::uint64_t entries;
  std::uint64_t replica;  // 0 in files of before it was kept
};

std::uint64_t new_replica() {
  std::uint64_t id = 0;
  const std::string bytes = crypto::random_bytes(sizeof id);
  std::memcpy(&id, bytes.data(), sizeof id);
  return id | 1;
}

std::int64_t seconds_of(Wall time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

Result<std::unique_ptr<BudgetFile>> BudgetFile::open(const std::filesystem::path& path,
                                                     std::string& told) {
  constexpr std::size_t bytes = kPage + kEntries * sizeof(Entry);
  const auto wrong = [&path](const char* what) {
    return std::unexpected(store::file_error(what, path, errno));
  };
  for (const bool again : {false, true}) {
    const Descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (file.fd < 0) return wrong("cannot open");
    struct stat status{};
    if (::fstat(file.fd, &status) != 0) return wrong("cannot look at");
    const bool fresh = status.st_size == 0;
    if (fresh && ::ftruncate(file.fd, static_cast<off_t>(bytes)) != 0) return wrong("cannot grow");
    Header header{kMagic, kEntries, 0};
    if (!fresh) {
      const bool whole =
          ::pread(file.fd, &header, sizeof header, 0) == static_cast<ssize_t>(sizeof header);
      if (!whole || header.magic != kMagic || header.entries != kEntries ||
          status.st_size != static_cast<off_t>(bytes)) {
        if (again) return wrong("cannot replace");
        const auto aside = path.string() + ".broken";
        std::error_code failed;
        std::filesystem::rename(path, aside, failed);
        if (failed) return wrong("cannot put aside");
        told = "budgets: " + path.string() + " cannot be read and is now " + aside +
               "; days and months begin at nothing";
        continue;
      }
    }
    void* map = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
    if (map == MAP_FAILED) return wrong("cannot map");
    if (header.replica == 0) header.replica = new_replica();
    std::memcpy(map, &header, sizeof header);
    return std::unique_ptr<BudgetFile>(new BudgetFile(map, bytes, header.replica));
  }
  return wrong("cannot open");
}

BudgetFile::BudgetFile(void* map, std::size_t bytes, std::uint64_t replica)
    : map_(map),
      bytes_(bytes),
      replica_(crypto::to_hex({reinterpret_cast<const char*>(&replica), sizeof replica})) {}

BudgetFile::~BudgetFile() {
  sync();
  ::munmap(map_, bytes_);
}

BudgetFile::Entry* BudgetFile::entries() const {
  return reinterpret_cast<Entry*>(static_cast<char*>(map_) + kPage);
}

BudgetFile::Entry* BudgetFile::find(const SubjectKey& key) const {
  for (std::size_t probe = 0; probe < kProbes; ++probe) {
    Entry& entry = entries()[(key.low + probe) % kEntries];
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

std::int64_t BudgetFile::read(const SubjectKey& key, Wall end) const {
  const std::lock_guard lock(mutex_);
  const Entry* entry = find(key);
  if (!entry || entry->end_seconds != seconds_of(end)) return 0;
  return entry->spent >= 0 && entry->spent < kMostSpent ? entry->spent : 0;
}

bool BudgetFile::write(const SubjectKey& key, Wall end, std::int64_t spent, Wall now) {
  const std::lock_guard lock(mutex_);
  Entry* entry = find(key);
  for (std::size_t probe = 0; !entry && probe < kProbes; ++probe) {
    Entry& place = entries()[(key.low + probe) % kEntries];
    if (place.end_seconds <= seconds_of(now)) entry = &place;  // free, or over
  }
  if (!entry) {
    ++dropped_;
    return false;
  }
  // Whoever is killed in between leaves a place that is over, never another's amount.
  if (entry->key != key || entry->end_seconds != seconds_of(end)) {
    entry->end_seconds = 0;
    entry->key = key;
    entry->spent = 0;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  entry->spent = spent;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  entry->end_seconds = seconds_of(end);
  return true;
}

std::vector<BudgetFile::Spent> BudgetFile::running(Wall now) const {
  std::vector<Spent> all;
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : std::span(entries(), kEntries)) {
    if (entry.end_seconds <= seconds_of(now) || entry.spent <= 0 || entry.spent >= kMostSpent) {
      continue;
    }
    all.push_back({entry.key, entry.end_seconds, entry.spent});
  }
  return all;
}

void BudgetFile::sync() { (void)::msync(map_, bytes_, MS_SYNC); }

}  // namespace causeway::limits
