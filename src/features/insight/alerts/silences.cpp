#include "features/insight/alerts/silences.h"

#include <algorithm>

#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"
#include "platform/text/glob.h"

namespace causeway::alerts {
namespace {

constexpr store::Migration kMigrations[] = {{1,
                                             "create table alert_silences("
                                             "  id text primary key,"
                                             "  rule text not null,"
                                             "  about text not null,"
                                             "  until integer not null,"
                                             "  made_by text not null,"
                                             "  note text not null"
                                             ") without rowid;"}};

std::int64_t millis(Wall time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

Result<void> Silences::load(Wall now) {
  if (auto made = store_.migrate("alert_silences", kMigrations); !made) return made;
  return store_.read([&](store::Database& db) {
    return db.query(
        "select id, rule, about, until, made_by, note from alert_silences "
        "where until > ? order by until",
        {millis(now)}, [this](const store::Row& row) {
          silences_.push_back({std::string(row.text(0)), std::string(row.text(1)),
                               std::string(row.text(2)),
                               Wall(std::chrono::milliseconds(row.integer(3))),
                               std::string(row.text(4)), std::string(row.text(5))});
          return true;
        });
  });
}

Result<Silence> Silences::keep(Silence silence, Wall now) {
  silence.id = "si_" + crypto::to_base32(crypto::random_bytes(10));
  auto kept = store_.write_and_wait([&](store::Database& db) -> Result<void> {
    auto done = db.run("delete from alert_silences where until <= ?", {millis(now)});
    if (done) {
      done = db.run(
          "insert into alert_silences(id, rule, about, until, made_by, note) "
          "values(?, ?, ?, ?, ?, ?)",
          {silence.id, silence.rule, silence.group, millis(silence.until), silence.by,
           silence.note});
    }
    if (!done) return pass(std::move(done));
    return {};
  });
  if (!kept) return pass(std::move(kept));
  return silence;
}

Result<std::string> Silences::forget(const std::string& id) {
  auto kept = store_.write_and_wait([&](store::Database& db) -> Result<void> {
    auto done = db.run("delete from alert_silences where id = ?", {id});
    if (!done) return pass(std::move(done));
    return {};
  });
  if (!kept) return pass(std::move(kept));
  return id;
}

void Silences::removed(const std::string& id) {
  std::erase_if(silences_, [&](const Silence& silence) { return silence.id == id; });
}

bool Silences::has(const std::string& id) const {
  return std::ranges::any_of(silences_, [&](const Silence& s) { return s.id == id; });
}

std::optional<Wall> Silences::until(const Alert& alert, Wall now) const {
  std::optional<Wall> last;
  for (const Silence& silence : silences_) {
    const bool fits = text::glob_match(silence.rule, alert.rule) &&
                      (silence.group.empty() || silence.group == alert.group);
    if (fits && silence.until > now) last = std::max(last.value_or(silence.until), silence.until);
  }
  return last;
}

std::vector<Silence> Silences::current(Wall now) const {
  std::vector<Silence> out;
  for (const Silence& silence : silences_) {
    if (silence.until > now) out.push_back(silence);
  }
  return out;
}

}  // namespace causeway::alerts
