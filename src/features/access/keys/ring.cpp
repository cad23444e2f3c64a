#include "features/access/keys/ring.h"

#include <algorithm>
#include <future>
#include <set>
#include <utility>

#include "core/verb_output.h"
#include "platform/crypto/text.h"
#include "platform/store/kept_secret.h"

namespace causeway::keys {
namespace {

constexpr std::size_t kMostKeys = 100'000;
constexpr std::size_t kMostSecrets = 4;  // of one key: rotations within each other's grace time
// A loop that takes longer than this to run a callback is stuck, and its requests with it.
constexpr auto kPublishDeadline = std::chrono::seconds(10);

KeyRecord make_record(std::string id, const NewKey& key, Wall now) {
  KeyRecord record;
  record.principal.key_id = std::move(id);
  record.principal.key_name = key.name;
  record.principal.tenant = key.tenant;
  record.principal.user = key.user;
  record.principal.roles = key.roles;
  record.principal.attributes = key.attributes;
  record.principal.models = key.models;
  record.kind = key.kind;
  record.created = now;
  record.expires = key.expires;
  return record;
}

bool live(const KeyRecord& record, Wall now) {
  return !record.revoked && !(record.expires && *record.expires <= now);
}

}  // namespace

Result<std::unique_ptr<KeyRing>> KeyRing::open(store::Store& store, const store::DataFolder& folder,
                                               const Clock& clock) {
  if (auto done = rows::migrate(store); !done) return pass(std::move(done));
  std::vector<std::shared_ptr<KeyRecord>> records;
  rows::Uses uses;
  auto read = store.read([&](store::Database& db) -> Result<void> {
    auto loaded = rows::load(db);
    if (!loaded) return pass(std::move(loaded));
    records = std::move(*loaded);
    auto loaded_uses = rows::load_uses(db);
    if (!loaded_uses) return pass(std::move(loaded_uses));
    uses = std::move(*loaded_uses);
    return {};
  });
  if (!read) return pass(std::move(read));
  const auto pepper = store::kept_secret(folder, "key-pepper", !records.empty());
  if (!pepper) return std::unexpected(pepper.error());
  std::unique_ptr<KeyRing> ring(new KeyRing(store, clock, crypto::Hmac(pepper->reveal())));
  ring->kept_uses_ = std::move(uses);
  for (const auto& record : records) ring->recall_use(*record);
  ring->stored_.assign(records.begin(), records.end());
  ring->table_ = ring->make_table();
  return ring;
}

void KeyRing::set_publish(Publish publish) {
  std::lock_guard lock(mutex_);
  publish_ = std::move(publish);
}

std::unique_ptr<LoopKeys> KeyRing::make_loop_keys() const {
  std::lock_guard lock(table_mutex_);
  return std::make_unique<LoopKeys>(hmac_, table_);
}

TablePtr KeyRing::make_table() const {
  auto all = configured_;
  all.insert(all.end(), stored_.begin(), stored_.end());
  return std::make_shared<const KeyTable>(std::move(all));
}

KeySecret KeyRing::make_secret(std::string_view text) const {
  return {hmac_(text), last_four(text), clock_.wall(), std::nullopt};
}

Result<void> KeyRing::publish_locked() {
  auto table = make_table();
  {
    std::lock_guard lock(table_mutex_);
    table_ = table;
  }
  if (!publish_) return {};
  // Shared, because a loop may still call it after the deadline.
  auto promise = std::make_shared<std::promise<void>>();
  auto everywhere = promise->get_future();
  auto done = std::make_shared<std::atomic<bool>>(false);
  {
    std::lock_guard lock(table_mutex_);
    everywhere_ = done;
  }
  publish_(std::move(table), [promise, done] {
    *done = true;
    promise->set_value();
  });
  if (everywhere.wait_for(kPublishDeadline) == std::future_status::ready) return {};
  return fail(ErrorKind::Timeout, Origin::Us,
              "the change is stored, but a part of the program has not taken it over yet",
              "key_change_pending");
}

bool KeyRing::is_everywhere() const {
  std::lock_guard lock(table_mutex_);
  return !everywhere_ || *everywhere_;
}

Result<CreatedKey> KeyRing::create(const NewKey& key) {
  std::lock_guard lock(mutex_);
  return create_locked(key);
}

Result<CreatedKey> KeyRing::create_locked(const NewKey& key) {
  if (auto fine = check(key); !fine) return pass(std::move(fine));
  if (stored_.size() >= kMostKeys) {
    return fail(ErrorKind::QuotaExhausted, Origin::Us, "there are 100000 keys already",
                "too_many_keys");
  }
  const Wall now = clock_.wall();
  for (const auto* list : {&stored_, &configured_}) {
    for (const Record& other : *list) {
      if (other->principal.key_name == key.name && live(*other, now)) {
        return fail(ErrorKind::Conflict, Origin::Client,
                    "another key is named '" + key.name + "'; revoke it first or take another name",
                    "key_name_taken");
      }
    }
  }
  auto record = std::make_shared<KeyRecord>(make_record(make_key_id(), key, now));
  Secret text = make_key_text(record->principal.key_id);
  record->secrets.push_back(make_secret(text.reveal()));
  auto written =
      store_.write_and_wait([&record](store::Database& db) { return rows::insert(db, *record); });
  if (!written) return pass(std::move(written));
  stored_.push_back(record);
  if (auto done = publish_locked(); !done) return pass(std::move(done));
  return CreatedKey{std::move(record), std::move(text)};
}

std::unexpected<Error> KeyRing::no_key(std::string_view id_or_name) const {
  const Wall now = clock_.wall();
  std::vector<std::string> names;
  for (const auto* list : {&stored_, &configured_}) {
    for (const Record& record : *list) {
      const std::string& name = record->principal.key_name;
      if (live(*record, now) && !is_own_key(name)) names.push_back(name);
    }
  }
  const std::string near = did_you_mean(id_or_name, names);
  return fail(ErrorKind::NotFound, Origin::Client,
              "there is no live key \"" + std::string(id_or_name.substr(0, 100)) + '"' +
                  (near.empty() ? ";" : near) + " `causeway keys list` shows the keys",
              "key_not_found");
}

Result<KeyRing::Record> KeyRing::get_locked(std::string_view id_or_name) const {
  const Wall now = clock_.wall();
  Record by_name;
  for (const auto* list : {&stored_, &configured_}) {
    for (const Record& record : *list) {
      if (record->principal.key_id == id_or_name) return record;
      if (record->principal.key_name == id_or_name && live(*record, now)) by_name = record;
    }
  }
  if (by_name) return by_name;
  return no_key(id_or_name);
}

Result<KeyRing::Record> KeyRing::get(std::string_view id_or_name) const {
  std::lock_guard lock(mutex_);
  return get_locked(id_or_name);
}

std::vector<KeyRing::Record> KeyRing::list() const {
  std::lock_guard lock(mutex_);
  auto all = configured_;
  all.insert(all.end(), stored_.begin(), stored_.end());
  return all;
}

Result<void> KeyRing::change(std::string_view id, const std::function<void(KeyRecord&)>& edit) {
  auto found = get_locked(id);
  if (!found) return pass(std::move(found));
  if ((*found)->from_config) {
    return fail(ErrorKind::Conflict, Origin::Client,
                "this key is defined in the config; change it there", "key_in_config");
  }
  if ((*found)->revoked) {
    return fail(ErrorKind::Conflict, Origin::Client, "this key is revoked", "key_revoked");
  }
  auto changed = std::make_shared<KeyRecord>(**found);
  edit(*changed);
  auto written =
      store_.write_and_wait([&changed](store::Database& db) { return rows::update(db, *changed); });
  if (!written) return written;
  *std::ranges::find(stored_, *found) = changed;
  return publish_locked();
}

Result<CreatedKey> KeyRing::rotate(std::string_view id, std::chrono::seconds grace) {
  std::lock_guard lock(mutex_);
  auto found = get_locked(id);
  if (!found) return pass(std::move(found));
  const std::string key_id = (*found)->principal.key_id;
  Secret text = make_key_text(key_id);
  const Wall now = clock_.wall();
  const Wall ends = now + std::max(grace, std::chrono::seconds(0));
  auto done = change(key_id, [&](KeyRecord& record) {
    std::erase_if(record.secrets,
                  [now](const KeySecret& secret) { return secret.ends && *secret.ends <= now; });
    for (KeySecret& secret : record.secrets) {
      secret.ends = secret.ends ? std::min(*secret.ends, ends) : ends;
    }
    record.secrets.insert(record.secrets.begin(), make_secret(text.reveal()));
    if (record.secrets.size() > kMostSecrets) record.secrets.resize(kMostSecrets);
  });
  if (!done) return pass(std::move(done));
  return CreatedKey{*get_locked(key_id), std::move(text)};
}

Result<void> KeyRing::revoke(std::string_view id) {
  std::lock_guard lock(mutex_);
  return change(id, [now = clock_.wall()](KeyRecord& record) { record.revoked = now; });
}

Result<void> KeyRing::set_expiry(std::string_view id, std::optional<Wall> expires) {
  std::lock_guard lock(mutex_);
  return change(id, [expires](KeyRecord& record) { record.expires = expires; });
}

Result<void> KeyRing::check_config_keys(const std::vector<ConfigKey>& keys) {
  std::set<std::string_view> names;
  std::set<std::string_view> secrets;
  for (const ConfigKey& entry : keys) {
    const std::string who = "key '" + entry.key.name + "': ";
    if (auto fine = check(entry.key); !fine) {
      fine.error().message = who + fine.error().message;
      return fine;
    }
    std::string wrong;
    if (entry.secret.reveal().size() < kLeastSecretCharacters) {
      wrong = "secret needs at least 16 characters";
    } else if (!names.insert(entry.key.name).second) {
      wrong = "another key has the same name";
    } else if (!secrets.insert(entry.secret.reveal()).second) {
      wrong = "another key has the same secret";
    }
    if (!wrong.empty()) {
      return fail(ErrorKind::InvalidRequest, Origin::Us, who + wrong, "invalid_key");
    }
  }
  return {};
}

Result<void> KeyRing::set_config_keys(const std::vector<ConfigKey>& keys) {
  if (auto fine = check_config_keys(keys); !fine) return fine;
  std::lock_guard lock(mutex_);
  std::vector<Record> fresh;
  for (const ConfigKey& entry : keys) {
    auto record = std::make_shared<KeyRecord>(
        make_record("config:" + entry.key.name, entry.key, clock_.wall()));
    record->from_config = true;
    record->secrets.push_back(make_secret(entry.secret.reveal()));
    recall_use(*record);
    fresh.push_back(std::move(record));
  }
  configured_ = std::move(fresh);
  return publish_locked();
}

Result<std::vector<CreatedKey>> KeyRing::make_first_keys() {
  std::lock_guard lock(mutex_);
  std::vector<CreatedKey> made;
  for (const KeyKind kind : {KeyKind::Application, KeyKind::Admin}) {
    const auto same = [kind](const Record& record) { return record->kind == kind; };
    if (std::ranges::any_of(stored_, same) || std::ranges::any_of(configured_, same)) continue;
    NewKey key;
    key.name = kind == KeyKind::Admin ? "first-admin" : "first";
    key.kind = kind;
    auto created = create_locked(key);
    if (!created) return pass(std::move(created));
    made.push_back(std::move(*created));
  }
  return made;
}

}  // namespace causeway::keys
