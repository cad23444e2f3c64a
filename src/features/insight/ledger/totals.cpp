#include "features/insight/ledger/totals.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <numeric>

namespace causeway::ledger {
namespace {

constexpr std::int64_t kDayMicroseconds = 86'400'000'000;

constexpr store::Migration kMigrations[] = {
    {1,
     "create table usage_totals("
     "  day integer not null,"
     "  key text not null, tenant text not null, model text not null,"
     "  provider text not null, upstream text not null, source integer not null,"
     "  requests integer not null, failed integer not null, streamed integer not null,"
     "  cut integer not null,"
     "  input_uncached integer not null, cache_read integer not null, cache_write integer not null,"
     "  output_visible integer not null, reasoning integer not null,"
     "  audio_in integer not null, audio_out integer not null,"
     "  cost integer not null, priced integer not null, unpriced integer not null,"
     "  duration_us integer not null, to_first_us integer not null, with_first integer not null,"
     "  last_us integer not null,"
     "  primary key(day, key, tenant, model, provider, upstream, source)) without rowid;"
     "create table ledger_rings("
     "  ring integer primary key,"
     "  folded integer not null);"},
    {2,
     "create table hosted_totals("
     "  day integer not null, provider text not null,"
     "  busy_us integer not null, idle_us integer not null,"
     "  busy_cost integer not null, idle_cost integer not null,"
     "  primary key(day, provider)) without rowid;"},
    {3, "alter table usage_totals add column tokens_saved integer not null default 0;"},
    {4,
     "alter table usage_totals add column lost_attempts integer not null default 0;"
     "alter table usage_totals add column lost_tokens integer not null default 0;"},
};

// A group's key in memory: day, source, lengths, names; the names as they stand in the record.
struct GroupHead {
  std::int32_t day;
  std::uint8_t source;
  std::array<std::uint8_t, kNames> lengths;
};

std::int32_t day_of_microseconds(std::int64_t time) {
  return static_cast<std::int32_t>(time / kDayMicroseconds - (time % kDayMicroseconds < 0 ? 1 : 0));
}

Totals totals_from(const store::Row& row, int column) {
  Totals totals;
  std::int64_t* const fields[] = {
      &totals.requests,    &totals.failed,       &totals.streamed,     &totals.cut_by_client,
      &totals.tokens[0],   &totals.tokens[1],    &totals.tokens[2],    &totals.tokens[3],
      &totals.tokens[4],   &totals.tokens[5],    &totals.tokens[6],    &totals.cost,
      &totals.priced,      &totals.unpriced,     &totals.duration_us,  &totals.to_first_us,
      &totals.with_first,  &totals.last_us,      &totals.tokens_saved, &totals.lost_attempts,
      &totals.lost_tokens, &totals.estimated,    &totals.stored,       &totals.stored_tokens,
      &totals.stored_cost, &totals.stored_priced};
  for (std::int64_t* field : fields) *field = row.integer(column++);
  return totals;
}

}  // namespace

void Totals::add(const Record& record) {
  const bool known = (record.flags & Record::kCostKnown) != 0;
  const bool lost = (record.flags & Record::kLost) != 0;
  requests += !lost;
  lost_attempts += lost;
  // Those of audio are a part of the others.
  if (lost) lost_tokens += std::accumulate(record.tokens.begin(), record.tokens.begin() + 5, 0LL);
  failed += (record.flags & Record::kFailed) != 0;
  streamed += (record.flags & Record::kStreamed) != 0;
  cut_by_client += (record.flags & Record::kCutByClient) != 0;
  for (std::size_t i = 0; i < kTokenKinds; ++i) tokens[i] += record.tokens[i];
  if (known) cost += record.cost;
  priced += known;
  estimated += !lost && record.source == static_cast<std::uint8_t>(UsageSource::Estimated);
  unpriced += !known && (record.source == static_cast<std::uint8_t>(UsageSource::Reported) ||
                         record.source == static_cast<std::uint8_t>(UsageSource::Estimated));
  duration_us += record.duration_us;
  to_first_us += record.to_first_us;
  with_first += record.to_first_us != 0;
  last_us = std::max(last_us, record.time_us);
  tokens_saved += record.tokens_saved();
}

void Fold::add(const Record& record) {
  GroupHead head{};
  head.day = day_of_microseconds(record.time_us);
  head.source = record.source;
  head.lengths = record.lengths;
  std::size_t names = 0;
  for (const std::uint8_t length : record.lengths) names += length;
  buffer_.resize(sizeof head + names);
  std::memcpy(buffer_.data(), &head, sizeof head);
  std::memcpy(buffer_.data() + sizeof head, record.names.data(), names);
  auto found = sums_.find(std::string_view(buffer_));
  if (found == sums_.end()) found = sums_.emplace(buffer_, Totals{}).first;
  found->second.add(record);
}

Result<void> Fold::store(store::Database& db) const {
  for (const auto& [key, sum] : sums_) {
    GroupHead head;
    std::memcpy(&head, key.data(), sizeof head);
    std::array<std::string_view, kNames> names;
    std::size_t at = sizeof head;
    for (std::size_t i = 0; i < kNames; ++i) {
      names[i] = std::string_view(key).substr(at, head.lengths[i]);
      at += head.lengths[i];
    }
    auto done = db.run(
        "insert into usage_totals values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set "
        "requests = requests + excluded.requests, failed = failed + excluded.failed, "
        "streamed = streamed + excluded.streamed, cut = cut + excluded.cut, "
        "input_uncached = input_uncached + excluded.input_uncached, "
        "cache_read = cache_read + excluded.cache_read, "
        "cache_write = cache_write + excluded.cache_write, "
        "output_visible = output_visible + excluded.output_visible, "
        "reasoning = reasoning + excluded.reasoning, audio_in = audio_in + excluded.audio_in, "
        "audio_out = audio_out + excluded.audio_out, cost = cost + excluded.cost, "
        "priced = priced + excluded.priced, unpriced = unpriced + excluded.unpriced, "
        "duration_us = duration_us + excluded.duration_us, "
        "to_first_us = to_first_us + excluded.to_first_us, "
        "with_first = with_first + excluded.with_first, "
        "last_us = max(last_us, excluded.last_us), "
        "tokens_saved = tokens_saved + excluded.tokens_saved, "
        "lost_attempts = lost_attempts + excluded.lost_attempts, "
        "lost_tokens = lost_tokens + excluded.lost_tokens",
        {head.day,          names[0],          names[1],        names[2],       names[3],
         names[4],          head.source,       sum.requests,    sum.failed,     sum.streamed,
         sum.cut_by_client, sum.tokens[0],     sum.tokens[1],   sum.tokens[2],  sum.tokens[3],
         sum.tokens[4],     sum.tokens[5],     sum.tokens[6],   sum.cost,       sum.priced,
         sum.unpriced,      sum.duration_us,   sum.to_first_us, sum.with_first, sum.last_us,
         sum.tokens_saved,  sum.lost_attempts, sum.lost_tokens});
    if (!done) return pass(std::move(done));
  }
  return {};
}

Result<void> migrate_totals(store::Store& store) { return store.migrate("ledger", kMigrations); }

Result<std::uint64_t> folded_up_to(store::Store& store, std::uint64_t ring) {
  std::uint64_t folded = 0;
  auto read = store.read([&](store::Database& db) {
    return db.query("select folded from ledger_rings where ring = ?", {ring},
                    [&folded](const store::Row& row) {
                      folded = static_cast<std::uint64_t>(row.integer(0));
                      return false;
                    });
  });
  if (!read) return pass(std::move(read));
  return folded;
}

Result<void> store_progress(store::Database& db, const Progress& progress) {
  auto known =
      db.run("insert into ledger_rings values(?, 0) on conflict do nothing", {progress.ring});
  if (!known) return pass(std::move(known));
  auto moved = db.run("update ledger_rings set folded = ? where ring = ? and folded = ?",
                      {progress.to, progress.ring, progress.from});
  if (!moved) return pass(std::move(moved));
  if (*moved == 1) return {};
  return fail(ErrorKind::Internal, Origin::Us, "a part of the journal was folded already",
              "journal_out_of_step");
}

Result<void> forget_ring(store::Database& db, std::uint64_t ring) {
  auto gone = db.run("delete from ledger_rings where ring = ?", {ring});
  return gone ? Result<void>() : pass(std::move(gone));
}

Result<std::vector<UsageRow>> read_usage(store::Database& db, const UsageQuery& query) {
  std::vector<UsageRow> rows;
  const auto filter = [](const std::string& name) {
    return name.empty() ? store::Value(nullptr) : store::Value(name);
  };
  auto read = db.query(
      "select case when ?1 then day end, case when ?2 then key else '' end, "
      "case when ?3 then tenant else '' end, case when ?4 then model else '' end, "
      "case when ?5 then provider else '' end, case when ?6 then upstream else '' end, "
      "case when ?7 then source end, "
      "sum(requests), sum(failed), sum(streamed), sum(cut), sum(input_uncached * used), "
      "sum(cache_read * used), sum(cache_write * used), sum(output_visible * used), "
      "sum(reasoning * used), sum(audio_in * used), sum(audio_out * used), "
      "sum(cost * used), sum(priced * used), sum(unpriced), sum(duration_us), sum(to_first_us), "
      "sum(with_first), max(last_us), sum(tokens_saved), "
      "sum(lost_attempts), sum(lost_tokens), "
      "sum(case when source = 2 then requests else 0 end), sum(requests * (1 - used)), "
      "sum((input_uncached + cache_read + cache_write + output_visible + reasoning) * (1 - used)), "
      "sum(cost * (1 - used)), sum(priced * (1 - used)) "
      "from (select *, source <> 3 as used from usage_totals) where (?8 is null or key = ?8) and "
      "(?9 is null or tenant = ?9) and "
      "(?10 is null or model = ?10) and (?11 is null or provider = ?11) and "
      "(?12 is null or day >= ?12) and (?13 is null or day <= ?13) "
      "group by 1, 2, 3, 4, 5, 6, 7 order by 1 desc, 2, 3, 4, 5, 6, 7 limit ?14",
      {query.by_day, query.by_key, query.by_tenant, query.by_model, query.by_provider,
       query.by_upstream, query.by_source, filter(query.key), filter(query.tenant),
       filter(query.model), filter(query.provider), query.from_day, query.to_day, query.limit},
      [&rows](const store::Row& row) {
        UsageRow out;
        if (!row.is_null(0)) out.day = static_cast<std::int32_t>(row.integer(0));
        out.key = row.text(1);
        out.tenant = row.text(2);
        out.model = row.text(3);
        out.provider = row.text(4);
        out.upstream = row.text(5);
        if (!row.is_null(6)) out.source = static_cast<UsageSource>(row.integer(6));
        out.totals = totals_from(row, 7);
        rows.push_back(std::move(out));
        return true;
      });
  if (!read) return pass(std::move(read));
  return rows;
}

std::int32_t day_of(Wall time) {
  return day_of_microseconds(
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count());
}

std::string to_date(std::int32_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

std::optional<std::int32_t> day_from_date(std::string_view date) {
  if (date.size() != 10 || date[4] != '-' || date[7] != '-') return std::nullopt;
  unsigned parts[3] = {};
  const std::pair<int, int> spans[3] = {{0, 4}, {5, 2}, {8, 2}};
  for (int i = 0; i < 3; ++i) {
    const char* begin = date.data() + spans[i].first;
    const char* end = begin + spans[i].second;
    if (std::from_chars(begin, end, parts[i]).ptr != end) return std::nullopt;
  }
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(parts[0])),
                                        std::chrono::month(parts[1]), std::chrono::day(parts[2])};
  if (!day.ok()) return std::nullopt;
  return static_cast<std::int32_t>(std::chrono::sys_days(day).time_since_epoch().count());
}

}  // namespace causeway::ledger
