#include "features/insight/traces/partition.h"

#include "features/insight/traces/bytes.h"

namespace causeway::traces {
namespace {

constexpr std::size_t kMostNames = 50'000;  // in memory

constexpr store::Migration kMigrations[] = {
    {1,
     "create table names("
     "  id integer primary key,"
     "  field integer not null,"
     "  text text not null,"
     "  uses integer not null default 0,"  // traces that it is a name of
     "  unique(field, text));"
     "create table heads(id integer primary key, head blob not null);"
     "create table bodies(id integer primary key, body blob not null);"
     "create table contents(id integer primary key, tenant text not null, sealed blob not null);"
     // A row for all traces of one commit that have the name: the newest, and how far the others
     // are from one another.
     "create table traces_of_name(name integer not null, last integer not null,"
     "  steps blob not null, primary key(name, last)) without rowid;"
     "create table traces_of_id(hash integer not null, trace integer not null,"
     "  primary key(hash, trace)) without rowid;"},
};

std::string key_of(Field field, std::string_view text) {
  std::string key(1, static_cast<char>(field));
  key += text;
  return key;
}

}  // namespace

std::int64_t hash_of(std::string_view id) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<std::int64_t>(hash);
}

Partition::Partition(std::filesystem::path path, std::unique_ptr<store::Database> database)
    : path_(std::move(path)), db_(std::move(database)) {}

Result<std::unique_ptr<Partition>> Partition::open(const std::filesystem::path& path) {
  auto db = store::Database::open(path, store::Database::Mode::Write);
  if (!db) return pass(std::move(db));
  // A trace may be lost with the machine's power, so no commit waits for the disk. Nothing is ever
  // deleted here but the file itself, and what people said is sealed.
  auto set = (*db)->script(
      "pragma synchronous = normal; pragma secure_delete = off; pragma cache_size = -16384;"
      "pragma wal_autocheckpoint = 4000; pragma journal_size_limit = 33554432;");
  if (!set) return pass(std::move(set));
  if (auto made = (*db)->migrate("traces", kMigrations); !made) return pass(std::move(made));
  return std::unique_ptr<Partition>(new Partition(path, std::move(*db)));
}

Result<std::int64_t> Partition::last_id() {
  std::int64_t last = 0;
  auto read = db_->query("select max(id) from heads", {}, [&last](const store::Row& row) {
    last = row.integer(0);
    return false;
  });
  if (!read) return pass(std::move(read));
  return last;
}

Result<void> Partition::begin() {
  if (names_.size() > kMostNames) {
    names_.clear();
    traces_of_name_.clear();
  }
  return db_->script("begin immediate");
}

Result<Partition::Name*> Partition::name(Field field, std::string_view text) {
  Name& name = names_[key_of(field, text)];
  if (name.id != 0) return &name;
  const auto number = static_cast<int>(field);
  auto read = db_->query("select id from names where field = ? and text = ?", {number, text},
                         [&name](const store::Row& row) {
                           name.id = static_cast<std::uint32_t>(row.integer(0));
                           return false;
                         });
  if (!read) return pass(std::move(read));
  if (name.id != 0) return &name;
  auto made = db_->run("insert into names(field, text) values(?, ?)", {number, text});
  if (!made) return pass(std::move(made));
  name.id = static_cast<std::uint32_t>(db_->last_insert_id());
  return &name;
}

Result<void> Partition::add(std::int64_t id, const Record& record, const Run& run,
                            std::string_view sealed) {
  Result<void> named;
  const NameId number = [&](Field field, std::string_view text) -> std::uint32_t {
    auto found = name(field, text);
    if (!found) {
      named = pass(std::move(found));
      return 0;
    }
    if (field != Field::Other) ++(*found)->new_uses;
    return (*found)->id;
  };
  Head head;
  const std::string body = encode(record, !sealed.empty(), run, number, head);
  if (named) number(Field::All, "");
  if (!named) return named;
  auto put = db_->run("insert into heads values(?, ?)", {id, store::Value::bytes(head.encoded())});
  if (!put) return pass(std::move(put));
  put = db_->run("insert into bodies values(?, ?)", {id, store::Value::bytes(body)});
  if (!put) return pass(std::move(put));
  if (!sealed.empty()) {
    put = db_->run("insert into contents values(?, ?, ?)",
                   {id, record.tenant.view(), store::Value::bytes(sealed)});
    if (!put) return pass(std::move(put));
  }
  for (const std::uint32_t one : head.names) traces_of_name_[one].push_back(id);
  const std::string_view trace_id(record.trace_id.data(), record.trace_id.size());
  for (const std::string_view known_by : {record.id.view(), trace_id}) {
    put = db_->run("insert or ignore into traces_of_id values(?, ?)", {hash_of(known_by), id});
    if (!put) return pass(std::move(put));
  }
  return {};
}

Result<void> Partition::write_index() {
  std::string steps;
  for (auto& [name, traces] : traces_of_name_) {
    if (traces.empty()) continue;
    steps.clear();
    ByteWriter to(steps);
    for (std::size_t i = traces.size() - 1; i > 0; --i) {
      to.put(static_cast<std::uint64_t>(traces[i] - traces[i - 1]));
    }
    auto put = db_->run("insert into traces_of_name values(?, ?, ?)",
                        {name, traces.back(), store::Value::bytes(steps)});
    if (!put) return pass(std::move(put));
    traces.clear();
  }
  return {};
}

Result<void> Partition::commit() {
  if (auto written = write_index(); !written) return written;
  for (auto& [key, name] : names_) {
    if (name.new_uses == 0) continue;
    auto counted =
        db_->run("update names set uses = uses + ? where id = ?", {name.new_uses, name.id});
    if (!counted) return pass(std::move(counted));
    name.new_uses = 0;
  }
  return db_->script("commit");
}

void Partition::roll_back() {
  names_.clear();
  traces_of_name_.clear();
  if (db_->in_transaction()) static_cast<void>(db_->script("rollback"));
}

}  // namespace causeway::traces
