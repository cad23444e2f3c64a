#include "features/traffic/limits/shared_counters.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>

#include "features/traffic/limits/shared_scripts.h"
#include "platform/crypto/hash.h"
#include "platform/net/loop.h"
#include "platform/redis/client.h"
#include "platform/redis/script.h"
#include "platform/text/ascii.h"

namespace causeway::limits {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kLargest = std::int64_t{1} << 53;
constexpr std::size_t kMostPending = 16 * 1024;
constexpr std::size_t kAgainAtOnce = 128;
constexpr std::size_t kAtOnce = 50;  // totals that one call tells
constexpr auto kTick = 250ms;
constexpr std::chrono::milliseconds kEachBeat{2000};  // a new replica is soon known

std::string letter(SharedKind kind) {
  return kind == SharedKind::Window ? "w" : kind == SharedKind::Period ? "p" : "c";
}

std::string new_holder() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : crypto::random_bytes(8)) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

bool countable(const SharedAmount& one) {
  if (one.key.empty() || one.key.size() > 256) return false;
  if (one.most < 0 || one.most > kLargest || one.amount < 0 || one.amount > kLargest) return false;
  if (one.kind == SharedKind::Window)
    return one.window_ms >= 1000 && one.window_ms < kLargest / 1000 && one.owed >= 0 &&
           one.owed <= kLargest && one.burst >= 0 && one.burst <= kLargest;
  if (one.kind == SharedKind::Period) {
    return one.ends > 0 && one.ends < kLargest / 1'000'000 && one.spent >= 0 &&
           one.spent <= kLargest;
  }
  return true;
}

std::unexpected<Error> misunderstood(std::string what) {
  auto failed = fail(ErrorKind::Unavailable, Origin::Upstream,
                     "the shared state does not count as it should", "shared_state_lost");
  failed.error().detail = std::move(what);
  return failed;
}

Result<SharedVerdict> verdict_of(const redis::Reply& reply, std::span<const SharedAmount> wanted) {
  using Kind = redis::Reply::Kind;
  if (reply.kind != Kind::Array || reply.items.size() != 2 + 2 * wanted.size()) {
    return misunderstood(reply.is_error() ? reply.text : "not the answer of the script");
  }
  SharedVerdict verdict;
  verdict.granted = reply.items[0].integer == 1;
  if (!verdict.granted) verdict.which = static_cast<std::size_t>(reply.items[1].integer - 1);
  if (verdict.which >= wanted.size()) return misunderstood("refused by none");
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto* item = &reply.items[2 + 2 * i];
    verdict.standings.push_back({item[0].integer, item[1].integer});
    if (verdict.granted) {
      verdict.reservation.parts.push_back({wanted[i].kind, wanted[i].key, wanted[i].ends});
    }
  }
  return verdict;
}

}  // namespace

struct SharedCounters::State : std::enable_shared_from_this<State> {
  State(redis::Client& with, Options as) : client(with), options(std::move(as)) {}

  redis::Client& client;
  const Options options;
  redis::Script reserve{kReserve}, settle{kSettle}, beat{kBeat};
  std::string holder = new_holder();
  std::uint64_t last_id = 0;
  std::deque<std::vector<std::string>> pending;  // arguments of kSettle
  std::uint64_t dropped = 0;
  std::chrono::steady_clock::time_point next_beat{};
  enum class Standing : std::uint8_t { Together, Lost, Returning };
  std::atomic<Standing> standing{Standing::Together};
  std::chrono::steady_clock::time_point together_at{};  // of Returning
  std::string epoch;                                    // since when Redis has its data
  std::atomic<std::int64_t> replicas{0};
  std::function<void()> returned;
  bool ended = false;

  std::vector<std::string> head(const std::string& of, std::string id) const {
    return {of, std::move(id), std::to_string(options.lease.count()),
            options.now_us ? std::to_string(options.now_us()) : std::string(), options.replica};
  }
  void later(std::vector<std::string> words) {
    if (pending.size() < kMostPending) {
      pending.push_back(std::move(words));
      return;
    }
    // What is not settled must not be held for ever: under another name from now on, so that the
    // lease of this one runs out.
    ++dropped;
    if (words[0] == holder) holder = new_holder();
  }
  static Task<void> send(std::shared_ptr<State> state, std::vector<std::string> words) {
    const std::vector<std::string_view> views(words.begin(), words.end());
    const auto reply = co_await state->settle.run(state->client, {}, views);
    if (state->ended || (reply && !reply->is_error())) co_return;
    state->later(std::move(words));
  }
  void send_or_keep(std::vector<std::string> words) {
    if (client.answers()) {
      spawn(send(shared_from_this(), std::move(words)));
    } else {
      later(std::move(words));
    }
  }
  /// Whether Redis can be called.
  bool look() {
    if (!ended && client.answers()) return true;
    // At the start nothing was lost.
    if (!epoch.empty()) standing = Standing::Lost;
    return false;
  }
  static Task<void> send_beat(std::shared_ptr<State> state) {
    const auto words = state->head(state->holder, "");
    const std::vector<std::string_view> views(words.begin(), words.end());
    const auto reply = co_await state->beat.run(state->client, {}, views);
    if (state->ended || !reply || reply->items.size() != 2) co_return;
    state->replicas = reply->items[0].integer;
    const bool lost = state->standing == Standing::Lost;
    if (lost) {
      state->together_at = std::chrono::steady_clock::now() + kSettling;
      state->standing = Standing::Returning;
    }
    const bool same = std::exchange(state->epoch, reply->items[1].text) == reply->items[1].text;
    if ((lost || !same) && state->returned) state->returned();
  }
  void tick() {
    if (!look()) return;
    for (std::size_t i = 0; i < kAgainAtOnce && !pending.empty(); ++i) {
      auto words = std::move(pending.front());
      pending.pop_front();
      spawn(send(shared_from_this(), std::move(words)));
    }
    const auto now = std::chrono::steady_clock::now();
    if (standing == Standing::Returning && now >= together_at) {
      if (returned) returned();  // what was taken since
      standing = Standing::Together;
    }
    if (now < next_beat && standing != Standing::Lost) return;
    next_beat = now + std::min(options.lease / 3, kEachBeat);
    spawn(send_beat(shared_from_this()));
  }
};

SharedCounters::SharedCounters(net::Loop& loop, redis::Client& client)
    : SharedCounters(loop, client, Options()) {}

SharedCounters::SharedCounters(net::Loop& loop, redis::Client& client, Options options)
    : state_(std::make_shared<State>(client, std::move(options))) {
  loop.every(kTick, [weak = std::weak_ptr(state_)] {
    if (const auto state = weak.lock()) state->tick();
  });
}

SharedCounters::~SharedCounters() { state_->ended = true; }

Task<Result<SharedVerdict>> SharedCounters::reserve(std::span<const SharedAmount> wanted) {
  const std::shared_ptr<State> state = state_;
  if (wanted.empty() || wanted.size() > kMost || !std::ranges::all_of(wanted, countable)) {
    co_return fail(ErrorKind::Internal, Origin::Us, "what cannot be counted was to be reserved");
  }
  if (state->pending.size() >= kMostPending) {
    co_return fail(ErrorKind::Unavailable, Origin::Us,
                   "the shared state has too much to catch up with", "shared_state_lost");
  }
  std::vector<std::string> words = state->head(state->holder, std::to_string(++state->last_id));
  for (const SharedAmount& one : wanted) {
    const bool window = one.kind == SharedKind::Window;
    words.insert(words.end(),
                 {letter(one.kind), one.key, std::to_string(one.most), std::to_string(one.amount),
                  std::to_string(one.window_ms), std::to_string(one.ends),
                  std::to_string(window ? one.owed : one.spent), std::to_string(one.burst)});
  }
  const std::vector<std::string_view> views(words.begin(), words.end());
  auto reply = co_await state->reserve.run(state->client, {}, views);
  Result<SharedVerdict> verdict;
  if (reply) {
    verdict = verdict_of(*reply, wanted);
  } else {
    verdict = pass(std::move(reply));
  }
  if (verdict) {
    verdict->reservation.holder = std::move(words[0]);
    verdict->reservation.id = std::move(words[1]);
  } else if (!state->ended && verdict.error().origin == Origin::Upstream) {
    words.resize(5);
    words.emplace_back("undo");
    state->later(std::move(words));  // nobody knows whether it was reserved, and what it owed told
    state->look();                   // an outage may be over before the next tick
  }
  co_return std::move(verdict);
}

void SharedCounters::settle(const SharedReservation& reservation,
                            std::span<const std::optional<std::int64_t>> real) {
  auto words = state_->head(reservation.holder, reservation.id);
  words.emplace_back("settle");
  for (std::size_t i = 0; i < reservation.parts.size(); ++i) {
    const auto& part = reservation.parts[i];
    const bool known = i < real.size() && real[i];
    words.insert(words.end(),
                 {letter(part.kind), part.key, std::to_string(part.ends),
                  known ? std::to_string(std::min(std::max<std::int64_t>(*real[i], 0), kLargest))
                        : std::string()});
  }
  state_->send_or_keep(std::move(words));
}

void SharedCounters::tell(std::span<const SharedNews> news) {
  for (std::size_t begin = 0; begin < news.size(); begin += kAtOnce) {
    const auto part = news.subspan(begin, std::min(kAtOnce, news.size() - begin));
    // A total may be told again; what was taken of a window counts each time, unless it has an id.
    const bool once = std::ranges::any_of(
        part, [](const SharedNews& one) { return one.kind == SharedKind::Window; });
    auto words = state_->head(state_->holder, once ? std::to_string(++state_->last_id) : "");
    words.emplace_back("tell");
    for (const SharedNews& one : part) {
      words.insert(words.end(), {letter(one.kind), one.key, std::to_string(one.when),
                                 std::to_string(std::min(one.amount, kLargest))});
    }
    // Many at once stand back behind what requests ask.
    if (news.size() > kAtOnce) {
      state_->later(std::move(words));
    } else {
      state_->send_or_keep(std::move(words));
    }
  }
}

void SharedCounters::on_return(std::function<void()> action) {
  state_->returned = std::move(action);
}

bool SharedCounters::may_be_asked() { return state_->look() && answers(); }

bool SharedCounters::answers() const {
  return state_->client.answers() && state_->standing == State::Standing::Together;
}

std::int64_t SharedCounters::replicas() const { return state_->replicas; }

SharedCounters::Stats SharedCounters::stats() const {
  return {state_->pending.size(), state_->dropped};
}

}  // namespace causeway::limits
