#include "features/access/keys/rows.h"

#include <chrono>
#include <map>

namespace causeway::keys::rows {
namespace {

// Lists are kept as lines (values have no control characters), attributes as name=value. Times are
// milliseconds since 1970, null for never.
constexpr store::Migration kMigrations[] = {
    {1,
     "create table keys("
     "  id text primary key,"
     "  name text not null,"
     "  tenant text not null,"
     "  user text not null,"
     "  roles text not null,"
     "  attributes text not null,"
     "  models text not null,"
     "  kind text not null,"
     "  created integer not null,"
     "  expires integer,"
     "  revoked integer);"
     "create table key_secrets("
     "  hmac blob primary key,"
     "  key_id text not null references keys(id) on delete cascade,"
     "  last4 text not null,"
     "  created integer not null,"
     "  ends integer) without rowid;"
     "create index key_secrets_key on key_secrets(key_id);"},
    {2,
     // Of keys of the config too, which are not in the table above.
     "create table key_uses("
     "  key_id text primary key,"
     "  last_used integer not null) without rowid;"},
};

std::int64_t to_stored(Wall time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}
std::optional<std::int64_t> to_stored(const std::optional<Wall>& time) {
  if (!time) return std::nullopt;
  return to_stored(*time);
}
std::optional<Wall> from_stored(const store::Row& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return Wall(std::chrono::milliseconds(row.integer(column)));
}

template <class Each>
void for_lines(std::string_view text, Each each) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    each(line);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
}

std::string join(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& entry : list) out += entry + '\n';
  return out;
}
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  for_lines(text, [&out](std::string_view line) { out.emplace_back(line); });
  return out;
}

Result<void> insert_secret(store::Database& db, const std::string& id, const KeySecret& secret) {
  auto done = db.run(
      "insert into key_secrets(hmac, key_id, last4, created, ends) "
      "values(?, ?, ?, ?, ?)",
      {store::Value::bytes(crypto::view(secret.hmac)), id, secret.last4, to_stored(secret.created),
       to_stored(secret.ends)});
  return done ? Result<void>() : pass(std::move(done));
}

}  // namespace

Result<void> migrate(store::Store& store) { return store.migrate("keys", kMigrations); }

Result<std::vector<std::shared_ptr<KeyRecord>>> load(store::Database& db) {
  std::vector<std::shared_ptr<KeyRecord>> records;
  std::map<std::string, KeyRecord*, std::less<>> by_id;
  auto read = db.query(
      "select id, name, tenant, user, roles, attributes, models, kind, created, expires, revoked "
      "from keys order by created, id",
      {}, [&](const store::Row& row) {
        auto record = std::make_shared<KeyRecord>();
        Principal& who = record->principal;
        who.key_id = row.text(0);
        who.key_name = row.text(1);
        who.tenant = row.text(2);
        who.user = row.text(3);
        who.roles = split(row.text(4));
        for_lines(row.text(5), [&who](std::string_view line) {
          const auto equals = line.find('=');
          who.attributes.emplace(line.substr(0, equals), line.substr(equals + 1));
        });
        who.models = split(row.text(6));
        // A kind that is not known gives the least that a key can be.
        record->kind = kind_from_text(row.text(7)).value_or(KeyKind::Application);
        record->created = *from_stored(row, 8);
        record->expires = from_stored(row, 9);
        record->revoked = from_stored(row, 10);
        by_id[who.key_id] = record.get();
        records.push_back(std::move(record));
        return true;
      });
  if (!read) return pass(std::move(read));
  read = db.query(
      "select hmac, key_id, last4, created, ends from key_secrets "
      "order by created desc, ends is not null",
      {}, [&](const store::Row& row) {
        const auto owner = by_id.find(row.text(1));
        const std::string_view hmac = row.text(0);
        KeySecret secret;
        if (owner == by_id.end() || hmac.size() != secret.hmac.size()) return true;
        std::ranges::copy(hmac, secret.hmac.begin());
        secret.last4 = row.text(2);
        secret.created = *from_stored(row, 3);
        secret.ends = from_stored(row, 4);
        owner->second->secrets.push_back(std::move(secret));
        return true;
      });
  if (!read) return pass(std::move(read));
  return records;
}

Result<void> insert(store::Database& db, const KeyRecord& record) {
  const Principal& who = record.principal;
  std::string attributes;
  for (const auto& [name, value] : who.attributes) attributes += name + '=' + value + '\n';
  auto done = db.run(
      "insert into keys(id, name, tenant, user, roles, attributes, models, kind, created, expires, "
      "revoked) values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {who.key_id, who.key_name, who.tenant, who.user, join(who.roles), attributes,
       join(who.models), to_text(record.kind), to_stored(record.created), to_stored(record.expires),
       to_stored(record.revoked)});
  if (!done) return pass(std::move(done));
  for (const KeySecret& secret : record.secrets) {
    if (auto put = insert_secret(db, who.key_id, secret); !put) return put;
  }
  return {};
}

Result<void> update(store::Database& db, const KeyRecord& record) {
  const std::string& id = record.principal.key_id;
  auto done = db.run("update keys set expires = ?, revoked = ? where id = ?",
                     {to_stored(record.expires), to_stored(record.revoked), id});
  if (done) done = db.run("delete from key_secrets where key_id = ?", {id});
  if (!done) return pass(std::move(done));
  for (const KeySecret& secret : record.secrets) {
    if (auto put = insert_secret(db, id, secret); !put) return put;
  }
  return {};
}

Result<Uses> load_uses(store::Database& db) {
  Uses uses;
  auto read = db.query("select key_id, last_used from key_uses", {}, [&](const store::Row& row) {
    uses.emplace(row.text(0), *from_stored(row, 1));
    return true;
  });
  if (!read) return pass(std::move(read));
  return uses;
}

Result<void> store_uses(store::Database& db, const Uses& uses) {
  for (const auto& [id, time] : uses) {
    auto done = db.run("insert or replace into key_uses(key_id, last_used) values(?, ?)",
                       {id, to_stored(time)});
    if (!done) return pass(std::move(done));
  }
  return {};
}

}  // namespace causeway::keys::rows
