#include "features/traffic/anomalies/rows.h"

namespace causeway::anomalies::rows {
namespace {

// Times are milliseconds since 1970.
constexpr store::Migration kMigrations[] = {
    {1,
     "create table blocks("
     "  who text not null,"
     "  tenant text not null,"
     "  since integer not null,"
     "  until integer not null,"
     "  step integer not null,"
     "  reason text not null,"
     "  actor text not null,"
     "  primary key(who, tenant)) without rowid;"},
};

std::int64_t to_stored(Wall time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}
Wall from_stored(std::int64_t time) { return Wall(std::chrono::milliseconds(time)); }

}  // namespace

Result<void> migrate(store::Store& store) { return store.migrate("anomalies", kMigrations); }

Result<std::vector<Block>> load(store::Database& db) {
  std::vector<Block> blocks;
  auto read = db.query(
      "select who, tenant, since, until, step, reason, actor from blocks", {},
      [&](const store::Row& row) {
        // What this program cannot read blocks nobody.
        auto subject = parse_subject(row.text(0), row.text(1));
        if (!subject) return true;
        blocks.push_back({std::move(*subject), from_stored(row.integer(2)),
                          from_stored(row.integer(3)), static_cast<std::uint32_t>(row.integer(4)),
                          std::string(row.text(5)), std::string(row.text(6))});
        return true;
      });
  if (!read) return pass(std::move(read));
  return blocks;
}

Result<void> put(store::Database& db, const Block& block) {
  auto done = db.run(
      "insert or replace into blocks(who, tenant, since, until, step, reason, actor) "
      "values(?, ?, ?, ?, ?, ?, ?)",
      {block.subject.who, block.subject.tenant, to_stored(block.since), to_stored(block.until),
       block.step, block.reason, block.actor});
  return done ? Result<void>() : pass(std::move(done));
}

Result<void> erase(store::Database& db, const std::string& who, const std::string& tenant) {
  auto done = db.run("delete from blocks where who = ? and tenant = ?", {who, tenant});
  return done ? Result<void>() : pass(std::move(done));
}

}  // namespace causeway::anomalies::rows
