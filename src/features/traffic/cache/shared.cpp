#include "features/traffic/cache/shared.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <utility>
#include <vector>

#include "features/traffic/cache/clears.h"
#include "features/traffic/cache/shared_seal.h"
#include "platform/net/loop.h"
#include "platform/redis/client.h"
#include "platform/redis/script.h"

namespace causeway::cache {
namespace {

using Counter = std::atomic<std::uint64_t>;
using Kind = redis::Reply::Kind;
using Steady = std::chrono::steady_clock;
using Words = std::vector<std::string_view>;

constexpr std::size_t kReadAtOnce = 100;  // clears
constexpr std::string_view kScanned = "1000";
// A clear of the time when this replica was not there: its clock may differ from Redis's by so
// much.
constexpr std::chrono::seconds kSkew{5};
constexpr std::uint64_t kLatest = 9'000'000'000'000;  // ms; a Wall ends in the year 2262

// How much of its memory Redis has used; 0 of 0 where it has no bound, or does not tell.
constexpr const char* kRoom = R"(
local info = redis.pcall('INFO', 'memory')
if type(info) ~= 'string' then return {0, 0} end
return {tonumber(string.match(info, 'used_memory:(%d+)') or '0'),
        tonumber(string.match(info, 'maxmemory:(%d+)') or '0')})";

void count(Counter& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

std::unexpected<Error> not_done(std::string what) {
  auto failed = fail(ErrorKind::Unavailable, Origin::Upstream,
                     "the shared state does not do what it should", "shared_state_lost");
  failed.error().detail = std::move(what);
  return failed;
}

}  // namespace

// The coroutines hold it, so that it outlives the feature until they have ended.
struct Shared::State : std::enable_shared_from_this<State> {
  // What one loop has.
  struct Lane {
    net::Loop* loop = nullptr;
    redis::Client* client = nullptr;
    std::optional<SharedSeal> seal;
    std::size_t finds = 0, puts = 0, put_bytes = 0;  // on their way
  };
  State(const Secret& with, Memory& in, const Clock& by, Forget how,
        std::chrono::milliseconds every)
      : seal(with), memory(in), clock(by), forget(std::move(how)), hears_every(every) {}

  const SharedSeal seal;  // each loop has a copy
  Memory& memory;
  const Clock& clock;
  Forget forget;
  const std::chrono::milliseconds hears_every;
  Clears clears;
  std::vector<Lane> lanes;    // complete before the threads begin
  redis::Script room{kRoom};  // this and what follows: the first loop's
  std::map<std::pair<std::string, std::string>, Wall> to_forget;
  bool heard_before = false;
  std::size_t first_heard = 0;  // clears, of the first look
  Wall oldest = Wall::max();    // of these
  bool ended = false;

  const Steady::time_point began = Steady::now();
  std::atomic<bool> caught_up{false};

  std::atomic<Steady::rep> heard_at{0};  // when the stream was last read; 0 = never
  std::atomic<bool> full{false};
  Counter hits{0}, misses{0}, puts{0}, dropped{0}, too_large{0}, errors{0}, unreadable{0},
      cleared{0}, heard{0};

  Lane* lane_of(int index) {
    const auto place = static_cast<std::size_t>(index);
    return place < lanes.size() ? &lanes[place] : nullptr;
  }
  bool hears() const {
    const auto at = heard_at.load(std::memory_order_relaxed);
    return at != 0 && Steady::now() - Steady::time_point(Steady::duration(at)) < kDeaf;
  }
  std::shared_ptr<const Kept> opened(const Lane& lane, const redis::Reply& reply, const Key& key,
                                     std::string_view tenant, std::string_view model);
  static Task<void> send(std::shared_ptr<State> state, Lane& lane, std::string name,
                         std::string sealed, std::string ms);
  static Task<void> beat(std::shared_ptr<State> state);
  static Task<void> look_for_room(std::shared_ptr<State> state);
  static Task<Result<void>> listen(std::shared_ptr<State> state);
  std::size_t take(const redis::Reply& reply);
  void take_one(const Mark& at, const redis::Reply& fields);
  void forget_cleared();
  static Task<void> clear(std::shared_ptr<State> state, std::string tenant, std::string model,
                          Done done);
  static Task<Cleared> remove(std::shared_ptr<State> state, std::string pattern);
};

Shared::Shared(const Secret& key, Memory& memory, const Clock& clock, Forget forget,
               std::chrono::milliseconds hears_every)
    : state_(std::make_shared<State>(key, memory, clock, std::move(forget), hears_every)) {}

Shared::~Shared() { state_->ended = true; }

void Shared::attach(int, net::Loop& loop, redis::Client& client) {
  const bool first = state_->lanes.empty();
  state_->lanes.push_back({&loop, &client, state_->seal});
  if (!first) return;
  const auto beat = [weak = std::weak_ptr(state_)] {
    if (auto state = weak.lock(); state && !state->ended) spawn(State::beat(std::move(state)));
  };
  loop.post(beat);  // what was cleared while this replica was not there
  loop.every(state_->hears_every, beat);
}

Task<std::shared_ptr<const Kept>> Shared::find(int loop, Key key, std::string tenant,
                                               std::string model) {
  const std::shared_ptr<State> state = state_;
  State::Lane* const lane = state->lane_of(loop);
  if (!lane || !lane->client->answers() || !state->hears() || lane->finds >= kMostFinds) {
    count(state->misses);
    co_return nullptr;
  }
  const std::string name = lane->seal->name(tenant, model, key);
  const std::array<std::string_view, 2> words{"GET", name};
  ++lane->finds;
  const auto reply = co_await lane->client->command(words);
  --lane->finds;
  if (state->ended) co_return nullptr;
  std::shared_ptr<const Kept> kept;
  if (reply) {
    kept = state->opened(*lane, *reply, key, tenant, model);
  } else {
    count(state->errors);
  }
  count(kept ? state->hits : state->misses);
  co_return kept;
}

std::shared_ptr<const Kept> Shared::State::opened(const Lane& lane, const redis::Reply& reply,
                                                  const Key& key, std::string_view tenant,
                                                  std::string_view model) {
  if (reply.kind == Kind::Nil) return nullptr;
  std::optional<SharedSeal::Opened> found;
  if (reply.kind == Kind::Text) found = lane.seal->open(tenant, model, key, reply.text);
  if (!found) {
    count(unreadable);
    return nullptr;
  }
  if (found->kept->until <= clock.wall()) return nullptr;
  const bool valid =
      clears.unless_cleared(found->heard, tenant, model, [&] { memory.put(key, found->kept); });
  if (valid) return found->kept;
  count(cleared);
  return nullptr;
}

void Shared::put(int loop, const Key& key, const Kept& kept) {
  State& state = *state_;
  State::Lane* const lane = state.lane_of(loop);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(kept.until - kept.made);
  if (!lane || ms.count() <= 0) return;
  // First of all, and only then is it known to be worth sealing.
  const bool fits = kept.bytes().size() <= SharedSeal::kMostBytes;
  if (fits && (!lane->client->answers() || state.full.load(std::memory_order_relaxed) ||
               lane->puts >= kMostPuts || lane->put_bytes + kept.bytes().size() > kMostPutBytes)) {
    return count(state.dropped);
  }
  std::string sealed;
  if (fits) sealed = lane->seal->seal(key, kept, state.clears.heard());
  if (sealed.empty()) return count(state.too_large);
  spawn(State::send(state_, *lane, lane->seal->name(kept.tenant, kept.model, key),
                    std::move(sealed), std::to_string(ms.count())));
}

Task<void> Shared::State::send(std::shared_ptr<State> state, Lane& lane, std::string name,
                               std::string sealed, std::string ms) {
  const std::array<std::string_view, 5> words{"SET", name, sealed, "PX", ms};
  ++lane.puts;
  lane.put_bytes += sealed.size();
  const auto reply = co_await lane.client->command(words);
  --lane.puts;
  lane.put_bytes -= sealed.size();
  count(reply && !reply->is_error() ? state->puts : state->errors);
}

Task<void> Shared::State::beat(std::shared_ptr<State> state) {
  if (state->lanes.front().client->answers()) {
    auto room = look_for_room(state);
    co_await std::move(room);
    auto listening = listen(state);
    (void)co_await std::move(listening);
  }
  if (!state->ended) state->forget_cleared();
  if (state->heard_before && state->to_forget.empty()) state->caught_up = true;
}

bool Shared::caught_up() const {
  return state_->caught_up.load(std::memory_order_relaxed) ||
         Steady::now() - state_->began >= kCatchesUp;
}

// Limits are counted in the same Redis: the last fifth of its memory is theirs.
Task<void> Shared::State::look_for_room(std::shared_ptr<State> state) {
  const auto reply = co_await state->room.run(*state->lanes.front().client, {}, {});
  if (!reply || reply->items.size() != 2) co_return;
  const std::int64_t used = reply->items[0].integer, most = reply->items[1].integer;
  state->full = most > 0 && used > most - most / 5;
}

// Reads what was cleared since it was read last.
Task<Result<void>> Shared::State::listen(std::shared_ptr<State> state) {
  const std::string at_once = std::to_string(kReadAtOnce);
  std::size_t got = kReadAtOnce;
  while (got == kReadAtOnce) {
    const std::string from = state->clears.heard().text();
    const std::array<std::string_view, 6> words{
        "XREAD", "COUNT", at_once, "STREAMS", SharedSeal::kClears, from};
    const auto asked = Steady::now();
    const auto reply = co_await state->lanes.front().client->command(words);
    if (!reply) co_return std::unexpected(reply.error());
    if (reply->is_error()) co_return not_done(reply->text);
    if (state->ended) co_return Result<void>();
    got = state->take(*reply);
    if (got < kReadAtOnce) state->heard_at = asked.time_since_epoch().count();
  }
  // Redis keeps so many: there may have been others before them, of anybody.
  if (!state->heard_before && state->first_heard >= Clears::kMost) {
    state->to_forget[{}] = state->oldest;
  }
  state->heard_before = true;
  co_return Result<void>();
}

// [[stream, [[id, [field, value]], ...]]], or nil.
std::size_t Shared::State::take(const redis::Reply& reply) {
  if (reply.items.size() != 1 || reply.items[0].items.size() != 2) return 0;
  const auto& entries = reply.items[0].items[1].items;
  for (const redis::Reply& entry : entries) {
    if (entry.items.size() != 2) continue;
    if (const auto at = read_mark(entry.items[0].text)) take_one(*at, entry.items[1]);
  }
  return entries.size();
}

void Shared::State::take_one(const Mark& at, const redis::Reply& fields) {
  std::optional<std::pair<std::string, std::string>> names;
  if (fields.items.size() == 2) names = seal.open_clear(fields.items[1].text);
  if (!names) return clears.pass_by(at);
  if (!clears.hear({at, names->first, names->second})) return;
  count(heard);
  // What was kept while this replica was not there, or has come to hear: by its time. Else all that
  // there is is older than the clear.
  Wall made_by = Wall::max();
  if (!heard_before) {
    made_by = Wall(std::chrono::milliseconds(std::min(at.ms, kLatest))) + kSkew;
    oldest = std::min(oldest, made_by);
    ++first_heard;
  }
  if (to_forget.size() >= Clears::kMost) {
    *names = {};
    made_by = Wall::max();
  }
  to_forget[std::move(*names)] = made_by;
}

void Shared::State::forget_cleared() {
  std::erase_if(to_forget, [this](const auto& one) {
    return forget(one.first.first, one.first.second, one.second);
  });
}

void Shared::clear(std::string tenant, std::string model, Done done) {
  if (state_->lanes.empty()) return done(not_done("there is no client"));
  state_->lanes.front().loop->post([state = state_, tenant = std::move(tenant),
                                    model = std::move(model), done = std::move(done)]() mutable {
    spawn(State::clear(std::move(state), std::move(tenant), std::move(model), std::move(done)));
  });
}

// Told first: whoever hears of it gives nothing older, whether it was taken out or not.
Task<void> Shared::State::clear(std::shared_ptr<State> state, std::string tenant, std::string model,
                                Done done) {
  const std::string sealed = state->seal.seal_clear(tenant, model);
  const std::string most = std::to_string(Clears::kMost);
  const std::array<std::string_view, 8> words{
      "XADD", SharedSeal::kClears, "MAXLEN", "~", most, "*", "clear", sealed};
  const auto told = co_await state->lanes.front().client->command(words);
  if (!told || told->is_error()) {
    Result<Cleared> failed = not_done(told ? told->text : std::string());
    if (!told) failed = std::unexpected(told.error());
    done(std::move(failed));
    co_return;
  }
  // A number that is not above all that were heard, as of a Redis whose clock was ahead before it
  // lost its data, is passed over by everybody.
  const auto mark = read_mark(told->text);
  if (!mark || *mark <= state->clears.heard()) {
    done(not_done("it numbers clears below those before: restart the replicas"));
    co_return;
  }
  auto listening = listen(state);
  (void)co_await std::move(listening);  // else a second later
  if (!state->ended) state->forget_cleared();
  auto removing = remove(state, state->seal.pattern(tenant, model));
  Cleared cleared = co_await std::move(removing);
  done(cleared);
}

Task<Shared::Cleared> Shared::State::remove(std::shared_ptr<State> state, std::string pattern) {
  Cleared cleared;
  const auto until = Steady::now() + kClearing;
  redis::Client& client = *state->lanes.front().client;
  std::string cursor = "0";
  bool more = true;
  while (more) {
    const std::array<std::string_view, 6> scan{"SCAN", cursor, "MATCH", pattern, "COUNT", kScanned};
    const auto found = co_await client.command(scan);
    cleared.all = found && found->items.size() == 2 && Steady::now() < until && !state->ended;
    if (!cleared.all) break;
    cursor = found->items[0].text;
    more = cursor != "0";
    const auto& names = found->items[1].items;
    if (names.empty()) continue;
    Words unlink{"UNLINK"};
    for (const redis::Reply& name : names) unlink.push_back(name.text);
    const auto gone = co_await client.command(unlink);
    cleared.all = gone && gone->kind == Kind::Integer;
    if (!cleared.all) break;
    cleared.removed += static_cast<std::size_t>(gone->integer);
  }
  co_return cleared;
}

Shared::Stats Shared::stats() const {
  const State& state = *state_;
  const auto read = [](const Counter& counter) { return counter.load(std::memory_order_relaxed); };
  Stats stats;
  stats.answers = state.hears() && std::ranges::all_of(state.lanes, [](const auto& lane) {
                    return lane.client->answers();
                  });
  stats.hits = read(state.hits);
  stats.misses = read(state.misses);
  stats.puts = read(state.puts);
  stats.dropped = read(state.dropped);
  stats.too_large = read(state.too_large);
  stats.errors = read(state.errors);
  stats.unreadable = read(state.unreadable);
  stats.cleared = read(state.cleared);
  stats.heard = read(state.heard);
  stats.full = state.full.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace causeway::cache
