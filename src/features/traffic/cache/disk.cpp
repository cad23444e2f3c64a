#include "features/traffic/cache/disk.h"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <vector>

#include "platform/crypto/text.h"

namespace causeway::cache {
namespace {

constexpr const char* kFile = "cache.db";
constexpr store::Migration kMigrations[] = {
    {1,
     "create table answers("
     "  id integer primary key, key blob not null unique, tenant text not null,"
     "  model text not null, made integer not null, until integer not null,"
     "  size integer not null, sealed blob not null);"
     "create index answers_made on answers(made);"},
    // Without it each look for what is over would read the whole file.
    {2, "create index answers_until on answers(until);"},
};
constexpr std::uint32_t kPruneEvery = 64;  // writes
constexpr int kPrunedAtOnce = 256;
constexpr std::size_t kRowOverhead = 200;

std::int64_t seconds_of(Wall time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}
Wall wall_of(std::int64_t seconds) { return Wall(std::chrono::seconds(seconds)); }

std::string_view bytes_of(const Key& key) { return crypto::view(key); }
std::uint64_t beginning_of(std::string_view key) {
  std::uint64_t number = 0;
  std::memcpy(&number, key.data(), std::min(key.size(), sizeof number));
  return number;
}

}  // namespace

Result<std::unique_ptr<Disk>> Disk::open(const store::DataFolder& folder, store::Sealed& sealed,
                                         const Clock& clock, std::size_t most_bytes) {
  for (const bool again : {false, true}) {
    auto store = store::Store::open(folder, {.queued = 1024}, kFile);
    Result<void> opened = store ? (*store)->migrate("cache", kMigrations) : Result<void>();
    if (store && opened) {
      std::unique_ptr<Disk> disk(new Disk(std::move(*store), sealed, clock, most_bytes));
      opened = disk->load();
      if (opened) return disk;
    }
    if (again) return store ? pass(std::move(opened)) : pass(std::move(store));
    std::error_code ignored;
    for (const char* end : {"", "-wal", "-shm"}) {
      std::filesystem::remove(folder.file(std::string(kFile) + end), ignored);
    }
  }
  return nullptr;
}

Result<void> Disk::load() {
  // Keys are spread evenly: a write touches any page of their index, which should stay in memory.
  auto set = store_->write_and_wait(
      [](store::Database& db) { return db.script("pragma cache_size = -8192;"); });
  if (!set) return set;
  return store_->read([this](store::Database& db) {
    return db.query("select key, size from answers", {}, [this](const store::Row& row) {
      known_.insert(beginning_of(row.text(0)));
      bytes_.fetch_add(static_cast<std::size_t>(row.integer(1)), std::memory_order_relaxed);
      return true;
    });
  });
}

bool Disk::may_have(const Key& key) const {
  const std::lock_guard lock(mutex_);
  return known_.contains(beginning_of(bytes_of(key)));
}

std::shared_ptr<const Kept> Disk::read(const Key& key) {
  auto kept = std::make_shared<Kept>();
  std::string sealed;
  auto done = store_->read([&](store::Database& db) {
    return db.query("select tenant, model, made, until, sealed from answers where key = ?",
                    {store::Value::bytes(bytes_of(key))}, [&](const store::Row& row) {
                      kept->tenant = row.text(0);
                      kept->model = row.text(1);
                      kept->made = wall_of(row.integer(2));
                      kept->until = wall_of(row.integer(3));
                      sealed = row.text(4);
                      return false;
                    });
  });
  if (!done || sealed.empty() || kept->until <= clock_.wall()) return nullptr;
  const std::string record = crypto::to_hex(bytes_of(key));
  auto plain = sealed_.unseal({kept->tenant, "cache", record}, sealed);
  if (!plain || !read_written(*plain, *kept)) return nullptr;
  kept->on_disk = true;
  return kept;
}

bool Disk::put(const Key& key, std::shared_ptr<const Kept> kept) {
  if (most_bytes_.load(std::memory_order_relaxed) == 0) return true;
  const std::int64_t second = seconds_of(clock_.wall());
  if (second_.exchange(second, std::memory_order_relaxed) != second) {
    writes_in_second_.store(0, std::memory_order_relaxed);
  }
  if (writes_in_second_.fetch_add(1, std::memory_order_relaxed) >= kMostWrites) return false;
  auto queued = store_->write(
      [this, key, kept = std::move(kept)](store::Database& db) { return write(db, key, *kept); },
      [this](Result<void> done) {
        if (!done) dropped_.fetch_add(1, std::memory_order_relaxed);
      });
  return queued.has_value();
}

Result<void> Disk::write(store::Database& db, const Key& key, const Kept& kept) {
  const std::string record = crypto::to_hex(bytes_of(key));
  auto sealed = sealed_.seal({kept.tenant, "cache", record}, written(kept));
  if (!sealed) return pass(std::move(sealed));
  std::int64_t before = 0;
  if (may_have(key)) {
    auto looked = db.query("select size from answers where key = ?",
                           {store::Value::bytes(bytes_of(key))}, [&before](const store::Row& row) {
                             before = row.integer(0);
                             return false;
                           });
    if (!looked) return looked;
  }
  const std::size_t size = sealed->size() + kRowOverhead;
  auto put = db.run(
      "insert into answers(key, tenant, model, made, until, size, sealed) values(?, ?, ?, ?, ?, ?, "
      "?) on conflict(key) do update set made = excluded.made, until = excluded.until, "
      "size = excluded.size, sealed = excluded.sealed",
      {store::Value::bytes(bytes_of(key)), kept.tenant, kept.model, seconds_of(kept.made),
       seconds_of(kept.until), size, store::Value::bytes(*sealed)});
  if (!put) return pass(std::move(put));
  bytes_.fetch_add(size - static_cast<std::size_t>(before), std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    known_.insert(beginning_of(bytes_of(key)));
  }
  if (++writes_ % kPruneEvery != 0 && bytes_ <= most_bytes_) return {};
  return prune(db);
}

// In small steps: what is over goes first, then what was made first.
Result<void> Disk::prune(store::Database& db) {
  std::vector<std::int64_t> rows;
  const auto collect = [&rows](const store::Row& row) {
    rows.push_back(row.integer(0));
    return true;
  };
  auto over = db.query("select id from answers where until <= ? limit ?",
                       {seconds_of(clock_.wall()), kPrunedAtOnce}, collect);
  if (!over) return over;
  if (rows.empty() && bytes_ > most_bytes_) {
    auto first =
        db.query("select id from answers order by made, id limit ?", {kPrunedAtOnce}, collect);
    if (!first) return first;
  }
  for (const std::int64_t row : rows) {
    if (auto gone = forget(db, row); !gone) return gone;
  }
  return {};
}

Result<void> Disk::forget(store::Database& db, std::int64_t row) {
  std::uint64_t beginning = 0;
  std::int64_t size = 0;
  auto looked =
      db.query("select key, size from answers where id = ?", {row}, [&](const store::Row& one) {
        beginning = beginning_of(one.text(0));
        size = one.integer(1);
        return false;
      });
  if (!looked) return looked;
  auto gone = db.run("delete from answers where id = ?", {row});
  if (!gone) return pass(std::move(gone));
  bytes_.fetch_sub(static_cast<std::size_t>(size), std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  known_.erase(beginning);
  return {};
}

Result<std::size_t> Disk::clear(std::string_view tenant, std::string_view model, Wall made_by) {
  std::size_t cleared = 0;
  const auto filter = [](std::string_view name) {
    return name.empty() ? store::Value(nullptr) : store::Value(name);
  };
  // Some at a time, so that others' writes find their turn in between.
  for (std::size_t before = SIZE_MAX; cleared != before;) {
    before = cleared;
    auto done = store_->write_and_wait([&](store::Database& db) -> Result<void> {
      std::vector<std::int64_t> rows;
      auto found = db.query(
          "select id from answers where (?1 is null or tenant = ?1) and (?2 is null or model = ?2) "
          "and made <= ?3 limit ?4",
          {filter(tenant), filter(model), seconds_of(made_by), kPrunedAtOnce},
          [&rows](const store::Row& row) {
            rows.push_back(row.integer(0));
            return true;
          });
      if (!found) return found;
      for (const std::int64_t row : rows) {
        if (auto gone = forget(db, row); !gone) return gone;
      }
      cleared += rows.size();
      return {};
    });
    if (!done) return pass(std::move(done));
  }
  return cleared;
}

Disk::Stats Disk::stats() const {
  const std::lock_guard lock(mutex_);
  return {known_.size(), bytes_, most_bytes_, dropped_};
}

}  // namespace causeway::cache
