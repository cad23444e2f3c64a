// The entries in the store: each change is a version of its own, the older ones stay. What is
// stored is in the table of all loops when a call returns. Texts are sealed under their tenant's
// data key.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "features/traffic/faq/import.h"
#include "features/traffic/faq/table.h"
#include "platform/base/clock.h"
#include "platform/store/sealed.h"
#include "platform/store/store.h"

namespace causeway::faq {

/// All calls but tables() wait for the disk: for workers.
class Entries {
 public:
  static constexpr std::int64_t kKeptVersions = 50;  // of one entry; the oldest goes

  Entries(store::Store& store, store::Sealed& sealed, const Clock& clock)
      : store_(store), sealed_(sealed), clock_(clock) {}
  /// Once, at start-up. What cannot be opened any more (its tenant was erased) is left out.
  Result<void> open();

  /// Called after each change, from the thread that made it. Once, before the first.
  void on_change(std::function<void()> tell) { tell_ = std::move(tell); }

  const Tables& tables() const { return tables_; }
  Seconds now() const;

  /// Errors: those of check(); Conflict "faq_exists" where an entry answers this question already,
  /// "too_many_faq_entries".
  Result<Entry> add(Draft draft, std::string_view actor);
  /// `edit` changes the newest version, which must be `version`: Conflict "faq_version" where it is
  /// not. NotFound "faq_not_found".
  Result<Entry> update(std::string_view id, std::int64_t version,
                       const std::function<Result<void>(Draft&)>& edit, std::string_view actor);
  /// With all versions. `version` as of update(), where it is given.
  Result<void> remove(std::string_view id, std::optional<std::int64_t> version);
  /// The newest first.
  Result<std::vector<Entry>> versions(std::string_view id);

  enum class Change : std::uint8_t { Added, Changed, Same };
  struct Imports {
    struct One {
      std::size_t line;
      Change change;
      EntryPtr entry;  // as it is then; without an id where it is to be added
    };
    std::vector<One> all;
    std::vector<ImportProblem> problems;  // where there is one, nothing was stored
  };
  /// An entry is that of the same id, else the one with the same tenant, language, models and first
  /// question. `dry`: only says what would be done. All or nothing.
  Result<Imports> import(ImportFile file, std::string_view actor, bool dry);

 private:
  struct Sealable {
    EntryPtr entry;
    std::string sealed;
  };
  Result<Sealable> seal(EntryPtr entry);
  Result<void> store_all(const std::vector<EntryPtr>& changed);
  Result<void> check_room(const std::vector<EntryPtr>& changed) const;
  void publish(const std::vector<EntryPtr>& changed, std::string_view removed);
  Result<EntryPtr> current(std::string_view id, std::optional<std::int64_t> version) const;
  Entry next_version(const Entry* before, Draft draft, std::string_view actor) const;

  store::Store& store_;
  store::Sealed& sealed_;
  const Clock& clock_;
  std::mutex changes_;  // one at a time, held across the disk
  Tables tables_;
  std::function<void()> tell_;
};

}  // namespace causeway::faq
