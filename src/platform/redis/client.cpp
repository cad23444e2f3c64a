#include "platform/redis/client.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "platform/base/cancel.h"
#include "platform/net/dns.h"
#include "platform/net/loop.h"
#include "platform/net/tls.h"
#include "platform/redis/detail/open.h"

namespace causeway::redis {
namespace {

using namespace std::chrono_literals;
using detail::format;
using detail::lost;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kMostOutstanding = 1024;       // with those whose reply is awaited in vain
constexpr std::size_t kMostBytes = 4 * 1024 * 1024;  // that wait to be sent
constexpr int kFailures = 5;                         // in a row: the breaker opens
constexpr milliseconds kFirstPause = 25ms, kMostPause = 250ms;  // between tries to connect
constexpr milliseconds kMostRest = 5s;  // after connections that served for less than
constexpr milliseconds kServed = 10s;   // this: one that flaps is no storm
constexpr milliseconds kConnect = 1s;   // name, TCP, TLS, password, trial; at least
constexpr milliseconds kStuck = 1s;     // a reply so late: the connection is given up
constexpr milliseconds kSlice = 20ms;   // the longest sleep in one piece, so that the end is soon

/// Errors with which Redis says that it serves nobody, or nobody like us: not this command's fault.
bool serves_not(const Reply& reply) {
  static constexpr std::array<std::string_view, 14> kCodes = {
      "READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "NOPERM", "WRONGPASS",   "OOM",
      "MISCONF",  "BUSY",    "NOREPLICAS", "MOVED",  "ASK",    "CLUSTERDOWN", "TRYAGAIN"};
  return reply.is_error() && std::ranges::find(kCodes, reply.error_code()) != kCodes.end();
}

/// A call that waits; in its coroutine's frame.
struct Waiting {
  Signal done;
  std::optional<Result<Reply>> result;
};

struct Slot {
  Waiting* waiting;  // null: its caller has gone, the reply is thrown away
  Steady::time_point deadline;
  std::string bytes;  // until it is sent
};

// All of it on the loop's thread but the counters. The coroutines hold it, so that it outlives the
// client until they have ended.
struct Core : std::enable_shared_from_this<Core> {
  Core(net::Loop& on, Settings with, std::function<void(bool)> tell)
      : loop(on), settings(std::move(with)), on_change(std::move(tell)), resolver(on) {}

  net::Loop& loop;
  const Settings settings;
  std::function<void(bool)> on_change;
  net::Resolver resolver;
  net::TlsClient tls;

  std::unique_ptr<net::Stream> stream;  // while it is open
  bool connected = false;               // and it has passed its trial
  bool hopeless = false;                // the last try to connect failed
  bool broken = false;                  // this connection is to be given up
  bool writing = false, flush_posted = false, watching = false, ending = false;
  bool open_breaker = false;
  std::optional<bool> told;
  int in_a_row = 0;
  int running = 0;            // coroutines
  Cancel* opening = nullptr;  // ends the connecting
  std::deque<Slot> unsent, sent;
  std::size_t unsent_bytes = 0;
  std::string sending;
  std::string last_failure;
  std::minstd_rand random{std::random_device{}()};

  std::atomic<bool> answers{false};
  std::atomic<std::uint64_t> commands{0}, failures{0}, timeouts{0}, refused{0}, late{0},
      connects{0}, writes{0};
  std::atomic<std::size_t> outstanding{0};

  void tell(bool answer) {
    answers.store(answer, std::memory_order_relaxed);
    if (ending || told == answer) return;
    told = answer;
    if (on_change) on_change(answer);
  }
  void note_failure(const std::string& why) {
    failures.fetch_add(1, std::memory_order_relaxed);
    last_failure = why;
    if (++in_a_row < kFailures || open_breaker) return;
    open_breaker = true;
    give_up();  // its trial is a new connection that does all of it
    tell(false);
  }
  void count() { outstanding.store(unsent.size() + sent.size(), std::memory_order_relaxed); }

  static void end(Waiting* waiting, Result<Reply> result) {
    if (!waiting) return;
    waiting->result = std::move(result);
    waiting->done.set();
  }
  /// The read in progress ends, and with it the connection.
  void give_up() {
    broken = true;
    connected = false;
    if (stream) stream->cancel();
  }

  void push(Slot slot) {
    unsent_bytes += slot.bytes.size();
    unsent.push_back(std::move(slot));
    count();
    if (connected) flush_soon();
    if (!watching) spawn(watch(shared_from_this()));
  }
  // At the end of the turn, so that what is asked in one turn goes in one write.
  void flush_soon() {
    if (std::exchange(flush_posted, true)) return;
    loop.post([self = weak_from_this()] {
      if (const auto core = self.lock()) core->flush();
    });
  }
  void flush() {
    flush_posted = false;
    if (!connected || writing || unsent.empty()) return;
    sending.clear();
    for (Slot& slot : unsent) {
      sending += slot.bytes;
      slot.bytes = {};
      sent.push_back(std::move(slot));
    }
    unsent.clear();
    unsent_bytes = 0;
    spawn(write(shared_from_this()));
  }
  static Task<void> write(std::shared_ptr<Core> core) {
    core->writing = true;
    ++core->running;
    core->writes.fetch_add(1, std::memory_order_relaxed);
    const std::string_view piece = core->sending;
    const auto done = co_await net::write(*core->stream, {&piece, 1});
    core->writing = false;
    if (!done) {
      core->give_up();
    } else if (!core->unsent.empty() && core->connected) {
      core->flush_soon();
    }
    --core->running;
  }

  /// What is too late fails; runs only while something is outstanding.
  static Task<void> watch(std::shared_ptr<Core> core) {
    core->watching = true;
    ++core->running;
    while (!core->ending && (!core->sent.empty() || !core->unsent.empty())) {
      const auto now = Steady::now();
      // What is asked meanwhile is not due before its end.
      const auto longest = now + std::min(kSlice, core->settings.timeout);
      const auto next = std::min<Steady::time_point>(longest, core->expire(now));
      co_await core->loop.sleep(
          std::max(1ms, std::chrono::ceil<milliseconds>(next - Steady::now())));
    }
    core->watching = false;
    --core->running;
  }
  /// Answers when the next deadline is.
  Steady::time_point expire(Steady::time_point now) {
    std::vector<std::pair<Waiting*, Origin>> over;  // resumed last: they may call again
    auto next = Steady::time_point::max();
    for (Slot& slot : sent) {
      if (slot.waiting && slot.deadline > now) {
        next = slot.deadline;
        break;
      }
      if (slot.waiting) over.emplace_back(std::exchange(slot.waiting, nullptr), Origin::Upstream);
    }
    while (!unsent.empty() && unsent.front().deadline <= now) {
      over.emplace_back(unsent.front().waiting, Origin::Us);
      unsent_bytes -= unsent.front().bytes.size();
      unsent.pop_front();
    }
    if (!unsent.empty()) next = std::min(next, unsent.front().deadline);
    if (!sent.empty() && sent.front().deadline + kStuck < now && !broken) {
      note_failure("no reply for " + std::to_string(kStuck.count()) + " ms");
      give_up();
    }
    count();
    for (const auto& [waiting, origin] : over) {
      timeouts.fetch_add(1, std::memory_order_relaxed);
      note_failure("no reply within " + std::to_string(settings.timeout.count()) + " ms");
      auto failed = fail(ErrorKind::Timeout, origin, "the shared state did not answer in time",
                         "shared_state_timeout");
      failed.error().retryable = true;
      end(waiting, std::move(failed));
    }
    return next;
  }

  /// All that waits, with the same end.
  void end_all(const std::unexpected<Error>& error, bool are_failures) {
    const auto gone = std::exchange(sent, {});
    const auto never_sent = std::exchange(unsent, {});
    unsent_bytes = 0;
    count();
    for (const std::deque<Slot>* list : {&gone, &never_sent}) {
      for (const Slot& slot : *list) {
        if (slot.waiting && are_failures) note_failure(error.error().detail);
        end(slot.waiting, error);
      }
    }
  }
  /// What was sent over a connection that is gone.
  void end_sent(const std::string& why) {
    const auto gone = std::exchange(sent, {});
    count();
    for (const Slot& slot : gone) {
      if (!slot.waiting) continue;
      note_failure(why);
      end(slot.waiting, lost("is gone", why, Origin::Upstream));
    }
  }

  void take(Reply reply) {
    if (sent.empty()) {
      note_failure("a reply that nobody asked for");
      give_up();
      return;
    }
    Waiting* waiting = sent.front().waiting;
    sent.pop_front();
    count();
    if (serves_not(reply)) {
      note_failure(reply.text);
      // A name may lead to another server by now.
      if (reply.error_code() == "READONLY") give_up();
      end(waiting, lost("does not serve", std::move(reply.text), Origin::Upstream));
      return;
    }
    if (!waiting) {
      late.fetch_add(1, std::memory_order_relaxed);
      return;  // too late is no success
    }
    in_a_row = 0;
    end(waiting, std::move(reply));
  }

  Task<void> pause(milliseconds time) {
    const auto until = Steady::now() + time;
    while (!ending && Steady::now() < until) {
      co_await loop.sleep(std::min(kSlice, std::chrono::ceil<milliseconds>(until - Steady::now())));
    }
  }
  milliseconds jittered(milliseconds time) {
    const auto most = static_cast<unsigned>(time.count());
    return milliseconds(most / 2 + random() % (most / 2 + 1));
  }
  static Task<void> deadline(std::shared_ptr<Core> core, std::shared_ptr<Cancel> stop);
  static Task<void> run(std::shared_ptr<Core> core);
  Task<std::string> read_replies(ReplyReader& reader);
};

/// Why the connection ended.
Task<std::string> Core::read_replies(ReplyReader& reader) {
  std::vector<char> buffer(16 * 1024);
  std::string why;
  while (why.empty() && !broken) {
    const auto got = co_await net::read(*stream, buffer);
    if (broken) break;
    if (!got) {
      why = got.error.message();
      break;
    }
    if (got.bytes == 0) {
      why = "the server closed the connection";
      break;
    }
    reader.feed({buffer.data(), got.bytes});
    Reply reply;
    bool more = true;
    while (more && !broken) {
      const auto whole = reader.next(reply);
      if (!whole) why = whole.error().message;
      more = whole && *whole;
      if (more) take(std::move(reply));
    }
  }
  co_return why.empty() ? last_failure : why;
}

Task<void> Core::deadline(std::shared_ptr<Core> core, std::shared_ptr<Cancel> stop) {
  ++core->running;
  const auto until = Steady::now() + std::max(kConnect, 2 * core->settings.timeout);
  while (!stop->requested() && core->opening == stop.get() && Steady::now() < until) {
    co_await core->loop.sleep(kSlice);
  }
  if (core->opening == stop.get()) stop->request();
  --core->running;
}

Task<void> Core::run(std::shared_ptr<Core> core) {
  ++core->running;
  milliseconds pause = kFirstPause, rest = kFirstPause;
  while (!core->ending) {
    ReplyReader reader;
    const auto stop = std::make_shared<Cancel>();
    core->opening = stop.get();
    core->broken = false;
    spawn(deadline(core, stop));
    auto opened =
        co_await detail::open(core->loop, core->resolver, core->tls, core->settings, *stop, reader);
    core->opening = nullptr;
    if (core->ending) break;
    if (opened) {
      core->stream = std::move(*opened);
      core->connects.fetch_add(1, std::memory_order_relaxed);
      core->in_a_row = 0;
      core->open_breaker = core->hopeless = false;
      core->connected = true;
      const auto since = Steady::now();
      core->tell(true);
      core->flush();
      const std::string why = co_await core->read_replies(reader);
      core->give_up();
      while (core->writing) co_await core->loop.sleep(1ms);
      core->stream.reset();
      core->end_sent(why);
      if (Steady::now() - since >= kServed) rest = kFirstPause;
      co_await core->pause(core->jittered(core->open_breaker ? std::max(rest, kMostPause) : rest));
      rest = std::min(rest * 2, kMostRest);
      pause = kFirstPause;
      continue;
    }
    core->hopeless = true;
    const Error& error = opened.error();
    core->note_failure(error.detail.empty() ? error.message : error.detail);
    core->end_all(lost("cannot be reached", core->last_failure), false);
    co_await core->pause(core->jittered(pause));
    pause = std::min(pause * 2, kMostPause);
  }
  core->stream.reset();
  --core->running;
}

class RealClient final : public Client {
 public:
  RealClient(net::Loop& loop, Settings settings, std::function<void(bool)> on_change)
      : core_(std::make_shared<Core>(loop, std::move(settings), std::move(on_change))) {
    // Later, so that nothing is told before the caller has the client.
    loop.post([self = std::weak_ptr(core_)] {
      if (auto core = self.lock(); core && !core->ending) spawn(Core::run(std::move(core)));
    });
  }
  ~RealClient() override {
    Core& core = *core_;
    core.ending = true;
    core.answers.store(false, std::memory_order_relaxed);
    core.end_all(fail(ErrorKind::Cancelled, Origin::Us, "the program ends"), false);
    core.give_up();
    if (core.opening) core.opening->request();
    core.loop.run_until([&core] { return core.running == 0; }, 2s);
  }

  Task<Result<Reply>> command(std::span<const std::string_view> args) override {
    const std::shared_ptr<Core> core = core_;
    core->commands.fetch_add(1, std::memory_order_relaxed);
    if (core->ending) co_return fail(ErrorKind::Cancelled, Origin::Us, "the program ends");
    if (core->open_breaker) {
      core->refused.fetch_add(1, std::memory_order_relaxed);
      co_return lost("does not answer", core->last_failure);
    }
    if (core->hopeless) {
      core->note_failure(std::string(core->last_failure));
      co_return lost("cannot be reached", core->last_failure);
    }
    std::string bytes = format(args);
    if (core->sent.size() + core->unsent.size() >= kMostOutstanding ||
        core->unsent_bytes + bytes.size() > kMostBytes) {
      core->refused.fetch_add(1, std::memory_order_relaxed);
      auto failed = fail(ErrorKind::Overloaded, Origin::Us,
                         "too many calls to the shared state are waiting", "shared_state_full");
      failed.error().retryable = true;
      co_return failed;
    }
    Waiting waiting;
    core->push({&waiting, Steady::now() + core->settings.timeout, std::move(bytes)});
    co_await waiting.done;
    co_return std::move(*waiting.result);
  }

  bool answers() const override { return core_->answers.load(std::memory_order_relaxed); }
  std::string last_failure() const override { return core_->last_failure; }
  Stats stats() const override {
    const auto read = [](const auto& value) { return value.load(std::memory_order_relaxed); };
    const Core& core = *core_;
    return {read(core.commands), read(core.failures), read(core.timeouts), read(core.refused),
            read(core.late),     read(core.connects), read(core.writes),   read(core.outstanding)};
  }

 private:
  std::shared_ptr<Core> core_;
};

}  // namespace

std::unique_ptr<Client> make_client(net::Loop& loop, Settings settings,
                                    std::function<void(bool answers)> on_change) {
  return std::make_unique<RealClient>(loop, std::move(settings), std::move(on_change));
}

}  // namespace causeway::redis
