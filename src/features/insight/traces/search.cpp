#include "features/insight/traces/search.h"

#include <algorithm>
#include <unordered_map>

#include "features/insight/traces/bytes.h"
#include "features/insight/traces/partition.h"
#include "platform/text/ascii.h"
#include "platform/text/glob.h"

namespace causeway::traces {
namespace {

// What a head costs that an index leads to, in heads that a scan compares (scripts/bench --traces).
constexpr std::uint64_t kIndexCost = 40;
constexpr std::uint64_t kLookAtClock = 256;

}  // namespace

/// The texts of names, read when first asked for; views live as long as this.
struct PartitionReader::Names {
  store::Database& db;
  std::unordered_map<std::uint32_t, std::string> texts{};

  std::string_view text(std::uint32_t id) {
    if (id == 0) return {};
    const auto [at, made] = texts.try_emplace(id);
    if (made) {
      static_cast<void>(
          db.query("select text from names where id = ?", {id}, [at = at](const store::Row& row) {
            at->second = row.text(0);
            return false;
          }));
    }
    return at->second;
  }
};

/// One filter in this partition: a trace must have one of these names.
struct PartitionReader::Wanted {
  std::vector<std::uint32_t> names;  // sorted
  std::uint64_t uses = 0;
  bool exact = true;  // else the head says more than the names
};

struct PartitionReader::Plan {
  const Filter& filter;
  const store::Sealed& sealed;
  Budget& budget;
  Results& results;
  std::vector<Wanted> wanted;
  std::shared_ptr<Names> names;
  std::optional<WordSearch> words;

  bool fits(const HeadView& head) const {
    if (head.micros() < filter.min_micros || (filter.min_cost > 0 && head.cost() < filter.min_cost))
      return false;
    return std::ranges::all_of(
        wanted, [&](const Wanted& one) { return !one.exact || head.has_one_of(one.names); });
  }
  /// Whether to go on behind this trace.
  bool goes_on(std::int64_t id) {
    ++results.looked_at;
    bool stop = results.traces.size() >= filter.limit || budget.contents == 0;
    if (results.looked_at % kLookAtClock == 0) {
      stop = stop || std::chrono::steady_clock::now() > budget.until;
    }
    if (stop) results.stopped_at = id;
    return !stop;
  }
};

PartitionReader::~PartitionReader() = default;

Result<std::unique_ptr<PartitionReader>> PartitionReader::open(const std::filesystem::path& path) {
  auto db = store::Database::open(path, store::Database::Mode::Read);
  if (!db) return pass(std::move(db));
  auto set = (*db)->script("pragma mmap_size = 1073741824; pragma cache_size = -8192;");
  if (!set) return pass(std::move(set));
  return std::unique_ptr<PartitionReader>(new PartitionReader(std::move(*db)));
}

Result<PartitionReader::Wanted> PartitionReader::names_of(Field field, const std::string& pattern) {
  Wanted wanted;
  const auto note = [&](const store::Row& row) {
    wanted.names.push_back(static_cast<std::uint32_t>(row.integer(0)));
    wanted.uses += static_cast<std::uint64_t>(row.integer(1));
  };
  Result<void> read;
  if (text::is_glob(pattern)) {
    read = db_->query("select id, uses, text from names where field = ?", {static_cast<int>(field)},
                      [&](const store::Row& row) {
                        if (text::glob_match(pattern, row.text(2))) note(row);
                        return true;
                      });
  } else {
    read = db_->query("select id, uses from names where field = ? and text = ?",
                      {static_cast<int>(field), pattern}, [&](const store::Row& row) {
                        note(row);
                        return false;
                      });
  }
  if (!read) return pass(std::move(read));
  return wanted;
}

// The names of the classes from `least` on.
Result<PartitionReader::Wanted> PartitionReader::names_from(Field field, std::uint32_t least) {
  Wanted wanted;
  wanted.exact = false;
  auto read = db_->query("select id, uses, text from names where field = ?",
                         {static_cast<int>(field)}, [&](const store::Row& row) {
                           const auto number = text::parse_int<std::uint32_t>(row.text(2));
                           if (number && *number >= least) {
                             wanted.names.push_back(static_cast<std::uint32_t>(row.integer(0)));
                             wanted.uses += static_cast<std::uint64_t>(row.integer(1));
                           }
                           return true;
                         });
  if (!read) return pass(std::move(read));
  return wanted;
}

Result<void> PartitionReader::search(const Filter& filter, const store::Sealed& sealed,
                                     Budget& budget, Results& results) {
  Plan plan{filter, sealed, budget, results, {}, std::make_shared<Names>(*db_), {}};
  if (!filter.contains.empty()) plan.words.emplace(filter.contains);
  const auto want = [&](Result<Wanted> wanted) -> Result<bool> {
    if (!wanted) return pass(std::move(wanted));
    std::ranges::sort(wanted->names);
    plan.wanted.push_back(std::move(*wanted));
    return !plan.wanted.back().names.empty();
  };
  std::vector<Result<bool>> all;
  for (const auto& [field, pattern] : filter.names) all.push_back(want(names_of(field, pattern)));
  if (filter.min_micros > 0) {
    all.push_back(want(names_from(Field::Duration, class_of(filter.min_micros))));
  }
  if (filter.min_cost > 0) {
    const auto least = class_of(static_cast<std::uint64_t>(filter.min_cost));
    all.push_back(want(names_from(Field::Cost, least)));
  }
  if (plan.words) all.push_back(want(names_of(Field::Contents, "yes")));
  for (auto& one : all) {
    if (!one) return pass(std::move(one));
    if (!*one) return {};
  }
  if (!filter.id.empty()) return by_id(plan);
  auto total = names_of(Field::All, "");
  if (!total) return pass(std::move(total));
  std::ranges::sort(plan.wanted, {}, &Wanted::uses);
  const bool few = !plan.wanted.empty() && plan.wanted.front().uses * kIndexCost < total->uses;
  return few && !filter.oldest_first ? by_index(plan) : by_scan(plan);
}

Result<void> PartitionReader::by_id(Plan& plan) {
  std::vector<std::int64_t> ids;
  auto read = db_->query(
      "select trace from traces_of_id where hash = ? and trace between ? and ? order by trace desc",
      {hash_of(plan.filter.id), plan.filter.from, plan.filter.to}, [&](const store::Row& row) {
        ids.push_back(row.integer(0));
        return true;
      });
  if (!read) return read;
  for (const std::int64_t id : ids) {
    auto more = look(plan, id);
    if (!more) return pass(std::move(more));
    if (!*more) break;
  }
  return {};
}

Result<void> PartitionReader::by_index(Plan& plan) {
  std::vector<std::int64_t> ids;
  const auto& names = plan.wanted.front().names;
  const auto note = [&](std::int64_t id) {
    if (id >= plan.filter.from && id <= plan.filter.to) ids.push_back(id);
  };
  for (const std::uint32_t name : names) {
    // Rows do not overlap: of those that end behind `to`, the first may still begin before it.
    auto read = db_->query(
        "select last, steps from traces_of_name where name = ?1 and last >= ?2 and last <= "
        "coalesce((select min(last) from traces_of_name where name = ?1 and last >= ?3), ?3) "
        "order by last desc",
        {name, plan.filter.from, plan.filter.to}, [&](const store::Row& row) {
          std::int64_t id = row.integer(0);
          note(id);
          ByteReader steps(row.text(1));
          while (!steps.at_end()) note(id -= static_cast<std::int64_t>(steps.number()));
          return true;
        });
    if (!read) return read;
  }
  if (names.size() > 1) {
    std::ranges::sort(ids, std::ranges::greater());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }
  for (const std::int64_t id : ids) {
    auto more = look(plan, id);
    if (!more) return pass(std::move(more));
    if (!*more) break;
  }
  return {};
}

Result<void> PartitionReader::by_scan(Plan& plan) {
  Result<void> looked;
  const auto each = [&](const store::Row& row) {
    const std::int64_t id = row.integer(0);
    if (plan.fits(HeadView(row.text(1)))) {
      auto taken = look_inside(plan, id);
      if (!taken) {
        looked = std::move(taken);
        return false;
      }
    }
    return plan.goes_on(id);
  };
  const store::Values range{plan.filter.from, plan.filter.to};
  auto read =
      plan.filter.oldest_first
          ? db_->query("select id, head from heads where id between ? and ? order by id", range,
                       each)
          : db_->query("select id, head from heads where id between ? and ? order by id desc",
                       range, each);
  return looked ? read : looked;
}

// One trace that an index led to.
Result<bool> PartitionReader::look(Plan& plan, std::int64_t id) {
  bool fits = false;
  auto read = db_->query("select head from heads where id = ?", {id}, [&](const store::Row& row) {
    fits = plan.fits(HeadView(row.text(0)));
    return false;
  });
  if (!read) return pass(std::move(read));
  if (fits) {
    if (auto taken = look_inside(plan, id); !taken) return pass(std::move(taken));
  }
  return plan.goes_on(id);
}

Result<void> PartitionReader::look_inside(Plan& plan, std::int64_t id) {
  if (!plan.words) return take(plan, id);
  --plan.budget.contents;
  ++plan.results.opened;
  auto said = contents(id, plan.sealed);
  // Of a tenant whose data was erased, or damaged: nothing is found in it.
  if (!said || !plan.words->found_in(*said)) return {};
  return take(plan, id);
}

Result<void> PartitionReader::take(Plan& plan, std::int64_t id) {
  const NameText text = [&](std::uint32_t name) { return plan.names->text(name); };
  return db_->query("select body from bodies where id = ?", {id}, [&](const store::Row& row) {
    auto trace = Trace::decode(id, row.text(0), text);
    if (!trace) {
      ++plan.results.unreadable;
    } else if (plan.filter.id.empty() || trace->request_id == plan.filter.id ||
               trace->trace_id == plan.filter.id) {
      plan.results.traces.push_back({plan.names, std::move(*trace)});
    }
    return false;
  });
}

Result<Contents> PartitionReader::contents(std::int64_t id, const store::Sealed& sealed) {
  Result<Contents> said = fail(ErrorKind::NotFound, Origin::Client,
                               "Of this exchange no contents are kept.", "no_contents");
  const std::string record = std::to_string(id);
  auto read = db_->query("select tenant, sealed from contents where id = ?", {id},
                         [&](const store::Row& row) {
                           auto plain = sealed.unseal({row.text(0), kTable, record}, row.text(1));
                           said = plain ? Contents::decode(*plain) : pass(std::move(plain));
                           return false;
                         });
  if (!read) return pass(std::move(read));
  return said;
}

}  // namespace causeway::traces
