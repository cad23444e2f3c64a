// The keys of the program and what administrators do with them. Every change is on the disk first,
// then in a new table on all loops, and only then confirmed: a revoked key is refused by the time
// revoke() returns. The calls wait for the disk and for the loops: from a worker, never from a
// loop.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "features/access/keys/key.h"
#include "features/access/keys/rows.h"
#include "features/access/keys/table.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/store/folder.h"
#include "platform/store/store.h"

namespace causeway::keys {

using TablePtr = std::shared_ptr<const KeyTable>;
/// Brings a table to every loop (LoopKeys::adopt), then calls `everywhere`, from any thread.
using Publish = std::function<void(TablePtr table, std::move_only_function<void()> everywhere)>;

struct CreatedKey {
  std::shared_ptr<const KeyRecord> record;
  Secret text;  // the only time that it is known
};

class KeyRing {
 public:
  /// Reads keys and pepper; the pepper is made at the first start. Refuses when there are keys but
  /// their pepper is gone (code "kept_secret_missing"): every key would be unknown.
  static Result<std::unique_ptr<KeyRing>> open(store::Store& store, const store::DataFolder& folder,
                                               const Clock& clock);

  /// Set once, before the loops serve; until then a change is in effect as soon as it is stored.
  void set_publish(Publish publish);
  /// For a loop that starts.
  std::unique_ptr<LoopKeys> make_loop_keys() const;

  /// At most 100,000 keys; Conflict for the name of another live key.
  Result<CreatedKey> create(const NewKey& key);
  /// A new secret for the same key. The old one is valid for `grace` more (0 = not at all).
  Result<CreatedKey> rotate(std::string_view id, std::chrono::seconds grace);
  Result<void> revoke(std::string_view id);
  /// nullopt = never.
  Result<void> set_expiry(std::string_view id, std::optional<Wall> expires);
  std::vector<std::shared_ptr<const KeyRecord>> list() const;
  /// By id, or by a name that one live key has.
  Result<std::shared_ptr<const KeyRecord>> get(std::string_view id_or_name) const;

  /// Writes down when keys were last used, as far as that is news. What was not written before the
  /// process is killed is lost.
  Result<void> keep_uses();

  /// The keys of the config, instead of those that were set before. InvalidRequest names the key at
  /// fault; then nothing changes.
  Result<void> set_config_keys(const std::vector<ConfigKey>& keys);
  /// Whether the last change is everywhere. Waits for nobody.
  bool is_everywhere() const;
  /// Only the check, for a config that is not applied yet.
  static Result<void> check_config_keys(const std::vector<ConfigKey>& keys);

  /// At a first start: an application key where there never was one, an admin key likewise. Empty
  /// when both are there.
  Result<std::vector<CreatedKey>> make_first_keys();

 private:
  KeyRing(store::Store& store, const Clock& clock, crypto::Hmac hmac)
      : store_(store), clock_(clock), hmac_(std::move(hmac)) {}
  using Record = std::shared_ptr<const KeyRecord>;
  Result<CreatedKey> create_locked(const NewKey& key);
  Result<void> change(std::string_view id, const std::function<void(KeyRecord&)>& edit);
  Result<void> publish_locked();
  std::unexpected<Error> no_key(std::string_view id_or_name) const;
  Result<Record> get_locked(std::string_view id_or_name) const;
  TablePtr make_table() const;
  KeySecret make_secret(std::string_view text) const;
  void recall_use(KeyRecord& record) const;

  store::Store& store_;
  const Clock& clock_;
  const crypto::Hmac hmac_;  // copied for each loop; used here under mutex_

  mutable std::mutex mutex_;  // one change at a time, held until it is everywhere
  std::vector<Record> stored_;
  std::vector<Record> configured_;
  rows::Uses kept_uses_;  // what is on the disk
  Publish publish_;

  mutable std::mutex table_mutex_;  // for who starts while a change is on its way
  TablePtr table_;
  std::shared_ptr<std::atomic<bool>> everywhere_;  // the last that was published; null = none was
};

}  // namespace causeway::keys
