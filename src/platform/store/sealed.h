// Text of people on the disk: sealed with AES-256-GCM under a data key of its tenant, which is
// itself sealed under the master key. The record's header names the data key; table and record id
// are bound in, so a record moved elsewhere does not open. Destroying a tenant's data keys makes
// all that it stored unreadable, in every copy.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "platform/base/error.h"
#include "platform/base/secret.h"
#include "platform/store/folder.h"
#include "platform/store/master.h"
#include "platform/store/store.h"

namespace causeway::store {

/// What sealed bytes begin with.
struct SealedHeader {
  std::uint8_t version = 0;
  std::uint32_t key_id = 0;
};
Result<SealedHeader> sealed_header(std::string_view sealed);

class Sealed {
 public:
  struct Place {
    std::string_view tenant;
    std::string_view table;
    std::string_view record;  // its id
  };

  /// Refuses to start, rather than to write what cannot be read later, when data keys exist that
  /// the master key does not open (codes "master_key_wrong", "master_key_missing").
  static Result<std::unique_ptr<Sealed>> open(Store& store, const DataFolder& folder,
                                              MasterKeys keys = {});

  /// From any thread but a loop: the first record of a tenant waits for its data key to be stored.
  Result<std::string> seal(const Place& place, std::string_view plain);
  /// Error "unreadable" for bytes that are not what seal() gave for this place, "erased" (NotFound)
  /// when the data key was destroyed. Never another text. From any thread.
  Result<std::string> unseal(const Place& place, std::string_view sealed) const;

  /// A new master key (file form only), every data key wrapped by it and read back, and a new data
  /// key for each tenant's next records; old records stay readable. A crash at any point leaves
  /// every key readable. Waits for the disk. Gives the number of data keys wrapped anew.
  Result<std::size_t> rotate();

  /// Destroys the tenant's data keys for ever. Returns when they are gone from the disk.
  Result<void> erase(std::string_view tenant);

 private:
  struct DataKey {
    std::uint32_t id = 0;
    std::string tenant;
    Secret key;  // empty = destroyed
  };

  Sealed(Store& store, MasterRing masters) : store_(store), masters_(std::move(masters)) {}
  Result<void> load_data_keys();
  Result<std::size_t> wrap_anew();
  Result<DataKey> current_key(std::string_view tenant);
  Result<DataKey> make_data_key(std::string_view tenant);

  Store& store_;
  std::mutex changes_;  // one rotation, erasure or new key at a time; held across the disk
  MasterRing masters_;  // under changes_

  mutable std::shared_mutex mutex_;  // the two maps; held for a look-up only
  std::map<std::uint32_t, DataKey> by_id_;
  std::map<std::string, std::uint32_t, std::less<>> current_;  // tenant -> data key for new records
};

}  // namespace causeway::store
