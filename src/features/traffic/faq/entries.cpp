#include "features/traffic/faq/entries.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <unordered_set>

#include "features/traffic/faq/json.h"
#include "features/traffic/faq/normal.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"

namespace causeway::faq {
namespace {

namespace bj = boost::json;

constexpr store::Migration kMigrations[] = {
    {1,
     "create table faq_versions("
     "  id text not null,"
     "  version integer not null,"
     "  tenant text not null,"
     "  changed_by text not null,"
     "  changed_at integer not null,"
     "  contents blob not null,"
     "  primary key(id, version)"
     ");"},
};

std::string record_of(const Entry& entry) { return entry.id + "/" + std::to_string(entry.version); }

std::unexpected<Error> not_found() {
  return fail(ErrorKind::NotFound, Origin::Client, "No FAQ entry has this id.", "faq_not_found");
}

std::unexpected<Error> exists(const std::string& id) {
  return fail(ErrorKind::Conflict, Origin::Client,
              "The entry " + id +
                  " has this question already, for the same tenant, language and models. Change "
                  "it (PATCH /api/faq/" +
                  id + ", or `causeway faq import` of a file with this id), or remove it first " +
                  "(`causeway faq remove " + id + "`).",
              "faq_exists");
}

Entry read_row(const store::Row& row) {
  Entry entry;
  entry.id = row.text(0);
  entry.version = row.integer(1);
  entry.tenant = row.text(2);
  entry.changed_by = row.text(3);
  entry.changed_at = row.integer(4);
  entry.answer = row.text(5);  // all of it, still sealed
  return entry;
}

// False: it cannot be opened any more.
bool open_row(const store::Sealed& sealed, Entry& entry) {
  const std::string record = record_of(entry);
  const auto plain = sealed.unseal({entry.tenant, "faq", record}, std::exchange(entry.answer, {}));
  if (!plain) return false;
  const auto value = parse_body(*plain);
  return value && read_draft(value->as_object(), entry).has_value();
}

// By which an imported entry finds the one that it is.
std::string identity(const Draft& draft) {
  std::string key = draft.tenant + '\0' + draft.language + '\0';
  auto models = draft.models;
  std::ranges::sort(models);
  for (const auto& model : models) key += model + '\0';
  return key + '\0' + normal_form(draft.questions.front());
}

std::string at_line(std::size_t line, std::string_view what) {
  return "Line " + std::to_string(line) + ": " + std::string(what);
}

}  // namespace

Seconds Entries::now() const {
  return std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
}

Result<void> Entries::open() {
  if (auto made = store_.migrate("faq", kMigrations); !made) return made;
  std::vector<EntryPtr> all;
  auto read = store_.read([&](store::Database& db) {
    return db.query(
        "select id, version, tenant, changed_by, changed_at, contents from faq_versions v "
        "where version = (select max(version) from faq_versions where id = v.id) "
        "order by changed_at desc, id",
        {}, [&](const store::Row& row) {
          auto entry = std::make_shared<Entry>(read_row(row));
          if (open_row(sealed_, *entry)) all.push_back(std::move(entry));
          return true;
        });
  });
  if (!read) return read;
  tables_.set(std::make_shared<const FaqTable>(std::move(all)));
  return {};
}

Result<Entries::Sealable> Entries::seal(EntryPtr entry) {
  std::string contents;
  text::JsonWriter json(contents);
  json.begin_object();
  write_draft(json, *entry);
  json.end_object();
  const std::string record = record_of(*entry);
  auto sealed = sealed_.seal({entry->tenant, "faq", record}, contents);
  if (!sealed) return pass(std::move(sealed));
  return Sealable{std::move(entry), std::move(*sealed)};
}

Result<void> Entries::check_room(const std::vector<EntryPtr>& changed) const {
  const auto table = tables_.get();
  std::size_t count = table->entries().size(), bytes = 0;
  for (const auto& entry : table->entries()) bytes += entry->bytes();
  for (const auto& entry : changed) {
    count += entry->version == 1;
    bytes += entry->bytes();
  }
  if (count > FaqTable::kMostEntries || bytes > FaqTable::kMostBytes) {
    return fail(ErrorKind::Conflict, Origin::Client,
                "There is room for 10,000 FAQ entries with 64 MiB of text; remove some first.",
                "too_many_faq_entries");
  }
  return {};
}

Result<void> Entries::store_all(const std::vector<EntryPtr>& changed) {
  if (auto room = check_room(changed); !room) return room;
  std::vector<Sealable> rows;
  for (const auto& entry : changed) {
    auto row = seal(entry);
    if (!row) return pass(std::move(row));
    rows.push_back(std::move(*row));
  }
  return store_.write_and_wait([&](store::Database& db) -> Result<void> {
    for (const auto& [entry, sealed] : rows) {
      auto added = db.run("insert into faq_versions values(?, ?, ?, ?, ?, ?)",
                          {entry->id, entry->version, entry->tenant, entry->changed_by,
                           entry->changed_at, store::Value::bytes(sealed)});
      if (!added) return pass(std::move(added));
      auto older = db.run("delete from faq_versions where id = ? and version <= ?",
                          {entry->id, entry->version - kKeptVersions});
      if (!older) return pass(std::move(older));
    }
    return {};
  });
}

void Entries::publish(const std::vector<EntryPtr>& changed, std::string_view removed) {
  std::unordered_set<std::string_view> gone{removed};
  for (const auto& entry : changed) gone.insert(entry->id);
  std::vector<EntryPtr> all(changed);  // the newest first
  const auto table = tables_.get();
  for (const auto& entry : table->entries()) {
    if (!gone.contains(entry->id)) all.push_back(entry);
  }
  tables_.set(std::make_shared<const FaqTable>(std::move(all)));
  if (tell_) tell_();
}

Entry Entries::next_version(const Entry* before, Draft draft, std::string_view actor) const {
  Entry entry;
  static_cast<Draft&>(entry) = std::move(draft);
  entry.id = before ? before->id : "faq_" + crypto::to_hex(crypto::random_bytes(10));
  entry.version = before ? before->version + 1 : 1;
  entry.changed_by = actor;
  entry.changed_at = now();
  return entry;
}

Result<EntryPtr> Entries::current(std::string_view id, std::optional<std::int64_t> version) const {
  const auto table = tables_.get();
  const auto found =
      std::ranges::find_if(table->entries(), [&](const auto& entry) { return entry->id == id; });
  if (found == table->entries().end()) return not_found();
  if (version && (*found)->version != *version) {
    return fail(ErrorKind::Conflict, Origin::Client,
                "The entry was changed meanwhile: it is at version " +
                    std::to_string((*found)->version) + "; look at it again.",
                "faq_version");
  }
  return *found;
}

Result<Entry> Entries::add(Draft draft, std::string_view actor) {
  if (auto checked = check(draft); !checked) return pass(std::move(checked));
  const std::lock_guard lock(changes_);
  if (const Entry* there = tables_.get()->rival_of(draft)) return exists(there->id);
  const auto entry = std::make_shared<const Entry>(next_version(nullptr, std::move(draft), actor));
  if (auto stored = store_all({entry}); !stored) return pass(std::move(stored));
  publish({entry}, {});
  return *entry;
}

Result<Entry> Entries::update(std::string_view id, std::int64_t version,
                              const std::function<Result<void>(Draft&)>& edit,
                              std::string_view actor) {
  const std::lock_guard lock(changes_);
  auto before = current(id, version);
  if (!before) return pass(std::move(before));
  Draft draft = **before;
  if (auto edited = edit(draft); !edited) return pass(std::move(edited));
  if (auto checked = check(draft); !checked) return pass(std::move(checked));
  const auto entry =
      std::make_shared<const Entry>(next_version(before->get(), std::move(draft), actor));
  if (auto stored = store_all({entry}); !stored) return pass(std::move(stored));
  publish({entry}, {});
  return *entry;
}

Result<void> Entries::remove(std::string_view id, std::optional<std::int64_t> version) {
  const std::lock_guard lock(changes_);
  auto entry = current(id, version);
  if (!entry) return pass(std::move(entry));
  auto gone = store_.write_and_wait([&](store::Database& db) -> Result<void> {
    auto deleted = db.run("delete from faq_versions where id = ?", {id});
    if (!deleted) return pass(std::move(deleted));
    return {};
  });
  if (!gone) return gone;
  publish({}, id);
  return {};
}

Result<std::vector<Entry>> Entries::versions(std::string_view id) {
  std::vector<Entry> all;
  auto read = store_.read([&](store::Database& db) {
    return db.query(
        "select id, version, tenant, changed_by, changed_at, contents from faq_versions "
        "where id = ? order by version desc",
        {id}, [&](const store::Row& row) {
          Entry entry = read_row(row);
          if (open_row(sealed_, entry)) all.push_back(std::move(entry));
          return true;
        });
  });
  if (!read) return pass(std::move(read));
  if (all.empty()) return not_found();
  return all;
}

Result<Entries::Imports> Entries::import(ImportFile file, std::string_view actor, bool dry) {
  const std::lock_guard lock(changes_);
  Imports imports;
  imports.problems = std::move(file.problems);
  const auto table = tables_.get();
  std::map<std::string, const Entry*> known;
  for (const auto& entry : table->entries()) known.emplace(identity(*entry), entry.get());
  std::map<std::string, std::size_t> seen;  // ids and identities, with their lines
  std::vector<EntryPtr> changed;
  for (Imported& one : file.entries) {
    const std::string key = identity(one.draft);
    const Entry* before = one.id.empty() ? nullptr : table->by_id(one.id);
    if (const auto same = known.find(key); !before && same != known.end()) before = same->second;
    const auto [first, fresh] = seen.emplace(before ? before->id : key, one.line);
    if (!fresh) {
      imports.problems.push_back(
          {one.line, at_line(one.line, "this entry stands in line " +
                                           std::to_string(first->second) + " already.")});
      continue;
    }
    const Draft* old = before;
    if (old && *old == one.draft) {
      imports.all.push_back({one.line, Change::Same, std::make_shared<const Entry>(*before)});
      continue;
    }
    auto entry = std::make_shared<const Entry>(next_version(before, std::move(one.draft), actor));
    imports.all.push_back({one.line, before ? Change::Changed : Change::Added, entry});
    changed.push_back(std::move(entry));
  }
  if (!imports.problems.empty()) return imports;
  if (auto room = check_room(changed); !room) return pass(std::move(room));
  if (dry || changed.empty()) return imports;
  if (auto stored = store_all(changed); !stored) return pass(std::move(stored));
  publish(changed, {});
  return imports;
}

}  // namespace causeway::faq
