#include "platform/store/sealed.h"

#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "platform/crypto/aead.h"
#include "platform/crypto/hash.h"

namespace causeway::store {
namespace {

constexpr std::string_view kMagic = "CWS";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 8;  // magic, version, key id in big-endian

// `master` is the id of the master key that wraps the data key. Tenants are few: all keys are held.
constexpr Migration kMigrations[] = {
    {1,
     "create table data_keys("
     "  id integer primary key autoincrement,"
     "  tenant text not null,"
     "  master text not null,"
     "  wrapped blob not null,"
     "  destroyed integer not null default 0);"
     "create index data_keys_tenant on data_keys(tenant);"},
};

std::string make_header(std::uint32_t key_id) {
  std::string out(kMagic);
  out += static_cast<char>(kVersion);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(key_id >> shift & 0xff);
  return out;
}

// Lengths in front of the parts: "a" + "bc" is not "ab" + "c".
std::string bind_place(std::string_view header, const Sealed::Place& place) {
  std::string out(header);
  for (std::string_view part : {place.tenant, place.table, place.record}) {
    out += std::to_string(part.size());
    out += ':';
    out += part;
  }
  return out;
}

std::string bind_wrapping(std::string_view tenant, std::int64_t id) {
  return "data-key:" + std::to_string(id) + ":" + std::string(tenant);
}

std::unexpected<Error> unreadable(std::string_view why) {
  auto error = fail(ErrorKind::Internal, Origin::Us,
                    "a sealed record cannot be read: it was changed, moved or sealed with another "
                    "key",
                    "unreadable");
  error.error().detail = why;
  return error;
}

std::unexpected<Error> wrong_master(std::int64_t id, std::string_view tenant) {
  return fail(ErrorKind::Internal, Origin::Us,
              "the master key does not open data key " + std::to_string(id) + " of tenant '" +
                  std::string(tenant) +
                  "': it is not the one that sealed the data; restore the right one",
              "master_key_wrong");
}

}  // namespace

Result<SealedHeader> sealed_header(std::string_view sealed) {
  if (sealed.size() < kHeaderBytes + crypto::kAeadOverhead || !sealed.starts_with(kMagic)) {
    return unreadable("no header");
  }
  SealedHeader out;
  out.version = static_cast<std::uint8_t>(sealed[kMagic.size()]);
  for (std::size_t i = kMagic.size() + 1; i < kHeaderBytes; ++i) {
    out.key_id = out.key_id << 8 | static_cast<std::uint8_t>(sealed[i]);
  }
  if (out.version != kVersion) return unreadable("unknown version");
  return out;
}

Result<std::unique_ptr<Sealed>> Sealed::open(Store& store, const DataFolder& folder,
                                             MasterKeys keys) {
  if (auto done = store.migrate("sealed", kMigrations); !done) return pass(std::move(done));
  bool needed = false;
  auto read = store.read([&needed](Database& db) {
    return db.query("select 1 from data_keys where destroyed = 0 limit 1", {},
                    [&needed](const Row&) {
                      needed = true;
                      return false;
                    });
  });
  if (!read) return pass(std::move(read));
  auto masters = MasterRing::load(folder.file("master.key"), std::move(keys), needed);
  if (!masters) return pass(std::move(masters));
  std::unique_ptr<Sealed> sealed(new Sealed(store, std::move(*masters)));
  // Finishes a rotation that a crash broke off, and takes over a new key from the config.
  auto wrapped = sealed->wrap_anew();
  if (!wrapped) return pass(std::move(wrapped));
  if (auto ended = sealed->masters_.end_rotation(); !ended) return pass(std::move(ended));
  if (auto loaded = sealed->load_data_keys(); !loaded) return pass(std::move(loaded));
  return sealed;
}

Result<void> Sealed::load_data_keys() {
  std::unique_lock lock(mutex_);
  Result<void> opened;
  auto read = store_.read([&](Database& db) {
    return db.query(
        "select id, tenant, wrapped, destroyed from data_keys order by id", {},
        [&](const Row& row) {
          DataKey key{static_cast<std::uint32_t>(row.integer(0)), std::string(row.text(1)), {}};
          if (row.integer(3) == 0) {
            auto plain = crypto::aead_open(masters_.current().key,
                                           bind_wrapping(key.tenant, row.integer(0)), row.text(2));
            if (!plain) {
              opened = wrong_master(row.integer(0), key.tenant);
              return false;
            }
            key.key = Secret(std::move(*plain));
            current_[key.tenant] = key.id;
          }
          by_id_[key.id] = std::move(key);
          return true;
        });
  });
  return opened ? read : opened;
}

// Wraps by the current master key what another one wraps, in one transaction; reads each back
// before the commit.
Result<std::size_t> Sealed::wrap_anew() {
  std::size_t count = 0;
  auto job = [this, &count](Database& db) -> Result<void> {
    struct Found {
      std::int64_t id;
      std::string tenant, master, wrapped;
    };
    const auto& now = masters_.current();
    std::vector<Found> found;
    auto read = db.query(
        "select id, tenant, master, wrapped from data_keys where destroyed = 0 and master <> ?",
        {now.id}, [&found](const Row& row) {
          found.push_back({row.integer(0), std::string(row.text(1)), std::string(row.text(2)),
                           std::string(row.text(3))});
          return true;
        });
    if (!read) return read;
    for (const Found& key : found) {
      const auto* before = masters_.find(key.master);
      const std::string bound = bind_wrapping(key.tenant, key.id);
      if (!before) return wrong_master(key.id, key.tenant);
      auto plain = crypto::aead_open(before->key, bound, key.wrapped);
      if (!plain) return wrong_master(key.id, key.tenant);
      const Secret secret(std::move(*plain));
      const std::string wrapped = crypto::aead_seal(now.key, bound, secret.reveal());
      auto changed = db.run("update data_keys set master = ?, wrapped = ? where id = ?",
                            {now.id, Value::bytes(wrapped), key.id});
      if (!changed) return pass(std::move(changed));
      bool same = false;
      read = db.query("select wrapped from data_keys where id = ?", {key.id}, [&](const Row& row) {
        auto again = crypto::aead_open(now.key, bound, row.text(0));
        same = again && secret.equals(*again);
        return false;
      });
      if (!read) return read;
      if (!same) return fail(ErrorKind::Internal, Origin::Us, "a data key did not read back");
      ++count;
    }
    return {};
  };
  if (auto done = store_.write_and_wait(job); !done) return pass(std::move(done));
  return count;
}

Result<Sealed::DataKey> Sealed::make_data_key(std::string_view tenant) {
  DataKey key{0, std::string(tenant), Secret(crypto::random_bytes(crypto::kAeadKeyBytes))};
  auto stored = store_.write_and_wait([this, &key](Database& db) -> Result<void> {
    const auto& master = masters_.current();
    auto made = db.run("insert into data_keys(tenant, master, wrapped) values(?, ?, x'')",
                       {key.tenant, master.id});
    if (!made) return pass(std::move(made));
    const std::int64_t id = db.last_insert_id();
    key.id = static_cast<std::uint32_t>(id);
    const auto wrapped =
        crypto::aead_seal(master.key, bind_wrapping(key.tenant, id), key.key.reveal());
    auto set = db.run("update data_keys set wrapped = ? where id = ?", {Value::bytes(wrapped), id});
    return set ? Result<void>() : pass(std::move(set));
  });
  if (!stored) return pass(std::move(stored));
  std::unique_lock lock(mutex_);
  by_id_[key.id] = key;
  current_[key.tenant] = key.id;
  return key;
}

Result<Sealed::DataKey> Sealed::current_key(std::string_view tenant) {
  const auto look = [this, tenant]() -> std::optional<DataKey> {
    std::shared_lock lock(mutex_);
    const auto found = current_.find(tenant);
    if (found == current_.end()) return std::nullopt;
    return by_id_.at(found->second);
  };
  if (auto key = look()) return std::move(*key);
  std::lock_guard one(changes_);
  if (auto key = look()) return std::move(*key);
  return make_data_key(tenant);
}

Result<std::string> Sealed::seal(const Place& place, std::string_view plain) {
  auto key = current_key(place.tenant);
  if (!key) return pass(std::move(key));
  std::string out = make_header(key->id);
  out += crypto::aead_seal(key->key, bind_place(out, place), plain);
  return out;
}

Result<std::string> Sealed::unseal(const Place& place, std::string_view sealed) const {
  auto header = sealed_header(sealed);
  if (!header) return pass(std::move(header));
  Secret key;
  {
    std::shared_lock lock(mutex_);
    const auto found = by_id_.find(header->key_id);
    if (found == by_id_.end()) return unreadable("unknown data key");
    if (found->second.tenant != place.tenant) return unreadable("another tenant's data key");
    if (found->second.key.empty()) {
      return fail(ErrorKind::NotFound, Origin::Us, "the data of this tenant was erased", "erased");
    }
    key = found->second.key;
  }
  return crypto::aead_open(key, bind_place(sealed.substr(0, kHeaderBytes), place),
                           sealed.substr(kHeaderBytes));
}

Result<std::size_t> Sealed::rotate() {
  std::lock_guard one(changes_);
  if (auto begun = masters_.begin_rotation(); !begun) return pass(std::move(begun));
  auto count = wrap_anew();
  if (!count) return count;  // both master keys stay: everything is readable; try again later
  if (auto ended = masters_.end_rotation(); !ended) return pass(std::move(ended));
  std::vector<std::string> tenants;
  {
    std::shared_lock lock(mutex_);
    for (const auto& [tenant, id] : current_) tenants.push_back(tenant);
  }
  for (const std::string& tenant : tenants) {
    if (auto made = make_data_key(tenant); !made) return pass(std::move(made));
  }
  return count;
}

Result<void> Sealed::erase(std::string_view tenant) {
  std::lock_guard one(changes_);
  // secure_delete overwrites the old key in the file; emptying the log removes its other copies.
  auto gone = store_.write_and_wait([tenant](Database& db) -> Result<void> {
    auto changed =
        db.run("update data_keys set wrapped = x'', master = '', destroyed = 1 where tenant = ?",
               {tenant});
    return changed ? Result<void>() : pass(std::move(changed));
  });
  if (!gone) return gone;
  {
    std::unique_lock lock(mutex_);
    for (auto& [id, key] : by_id_) {
      if (key.tenant == tenant) key.key = Secret();
    }
    if (const auto found = current_.find(tenant); found != current_.end()) current_.erase(found);
  }
  return store_.compact_log();
}

}  // namespace causeway::store
