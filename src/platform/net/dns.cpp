#include "platform/net/dns.h"

#include <ares.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>
#include <mutex>
#include <unordered_map>

#include "platform/net/detail/loop_impl.h"
#include "platform/text/ascii.h"

namespace causeway::net {
namespace {

using namespace std::chrono_literals;

constexpr auto kMinKept = 1s;      // also what a line of /etc/hosts, which has no TTL, is worth
constexpr auto kMaxKept = 1h;      // a longer TTL is not believed
constexpr auto kFailureKept = 1s;  // so that a burst of calls asks once
constexpr auto kChannelAge = 60s;  // after that resolv.conf is read anew

struct Watched {
  explicit Watched(asio::io_context& context, int fd) : descriptor(context, fd) {}
  asio::posix::stream_descriptor descriptor;
  bool want[2] = {false, false};  // readable, writable
  bool waiting[2] = {false, false};
  bool gone = false;
};

struct Entry;
struct Waiter {
  Entry* entry = nullptr;  // nullptr: about to be resumed
  std::coroutine_handle<> handle;
};

struct Entry {
  bool pending = false;
  Monotonic expires{};
  std::vector<Address> addresses;  // with port 0
  std::string failure;
  std::vector<Waiter*> waiters;
};

std::unexpected<Error> dns_error(ErrorKind kind, std::string message, std::string detail) {
  auto failed = fail(kind, Origin::Upstream, std::move(message), "dns_failed");
  failed.error().retryable = true;
  failed.error().detail = std::move(detail);
  return failed;
}

bool is_localhost(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return text::equals_ignore_case(host, "localhost") ||
         text::ends_with_ignore_case(host, ".localhost");
}

std::vector<Address> with_port(std::vector<Address> addresses, std::uint16_t port) {
  for (Address& address : addresses) address.set_port(port);
  return addresses;
}

}  // namespace

struct Resolver::Impl : std::enable_shared_from_this<Impl> {
  Impl(Loop& on, Options with) : loop(on), options(std::move(with)), timer(on.impl().context) {}

  Loop& loop;
  Options options;
  asio::steady_timer timer;
  ares_channel channel = nullptr;
  Monotonic channel_made{};
  std::size_t running = 0;
  std::size_t queries_total = 0;
  bool ended = false;
  std::map<int, std::shared_ptr<Watched>> watched;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries;

  struct Query {
    Impl& impl;
    std::shared_ptr<Entry> entry;
  };

  /// What is known of `host`, asking if need be; nullptr when too many lookups are running.
  std::shared_ptr<Entry> lookup(const std::string& host);
  bool open_channel();
  void close_channel();
  bool make_room();
  void socket_state(int fd, bool readable, bool writable);
  void wait(const std::shared_ptr<Watched>& one, int direction);
  void process(int readable, int writable);
  void arm_timer();
  void answered(Entry& entry, int status, ares_addrinfo* result);
  void resume_later(Waiter& waiter);
};

std::shared_ptr<Entry> Resolver::Impl::lookup(const std::string& host) {
  if (const auto found = entries.find(host); found != entries.end()) {
    if (found->second->pending || loop.now() < found->second->expires) return found->second;
    entries.erase(found);
  }
  if (entries.size() >= options.max_names && !make_room()) return nullptr;
  auto entry = std::make_shared<Entry>();
  entries.emplace(host, entry);
  if (!open_channel()) {
    entry->failure = "c-ares could not be started";
    entry->expires = loop.now() + kFailureKept;
    return entry;
  }
  entry->pending = true;
  ++running;
  ++queries_total;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_ENVHOSTS;
  // The callback may come within this call: for what stands in /etc/hosts, or without a server.
  ares_getaddrinfo(
      channel, host.c_str(), nullptr, &hints,
      [](void* argument, int status, int, ares_addrinfo* result) {
        std::unique_ptr<Query> query(static_cast<Query*>(argument));
        query->impl.answered(*query->entry, status, result);
      },
      new Query{*this, entry});
  arm_timer();
  return entry;
}

bool Resolver::Impl::open_channel() {
  if (channel && (running > 0 || loop.now() - channel_made < kChannelAge)) return true;
  close_channel();
  static std::once_flag once;  // the library's own set-up must not run on two threads at once
  std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
  ares_options set{};
  set.timeout = static_cast<int>(options.timeout.count());
  set.tries = options.tries;
  set.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<Impl*>(self)->socket_state(fd, readable != 0, writable != 0);
  };
  set.sock_state_cb_data = this;
  const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  if (ares_init_options(&channel, &set, mask) != ARES_SUCCESS) {
    channel = nullptr;
    return false;
  }
  if (!options.servers.empty()) ares_set_servers_ports_csv(channel, options.servers.c_str());
  channel_made = loop.now();
  return true;
}

void Resolver::Impl::close_channel() {
  if (channel) ares_destroy(std::exchange(channel, nullptr));
}

/// Forgets what has expired, or else anything that nobody waits for.
bool Resolver::Impl::make_room() {
  const Monotonic now = loop.now();
  std::erase_if(entries, [now](const auto& known) {
    return !known.second->pending && now >= known.second->expires;
  });
  if (entries.size() < options.max_names) return true;
  const auto idle =
      std::ranges::find_if(entries, [](const auto& known) { return !known.second->pending; });
  if (idle == entries.end()) return false;
  entries.erase(idle);
  return true;
}

void Resolver::Impl::socket_state(int fd, bool readable, bool writable) {
  auto& one = watched[fd];
  if (!readable && !writable) {  // c-ares is about to close it
    if (one) {
      one->gone = true;
      one->descriptor.release();
    }
    watched.erase(fd);
    return;
  }
  if (!one) one = std::make_shared<Watched>(loop.impl().context, fd);
  one->want[0] = readable;
  one->want[1] = writable;
  const auto keep = one;
  wait(keep, 0);
  wait(keep, 1);
}

void Resolver::Impl::wait(const std::shared_ptr<Watched>& one, int direction) {
  if (one->gone || !one->want[direction] || one->waiting[direction]) return;
  one->waiting[direction] = true;
  one->descriptor.async_wait(
      direction == 0 ? asio::posix::stream_descriptor::wait_read
                     : asio::posix::stream_descriptor::wait_write,
      [self = shared_from_this(), one, direction](boost::system::error_code error) {
        one->waiting[direction] = false;
        if (error || one->gone || self->ended) return;
        const int fd = one->descriptor.native_handle();
        self->process(direction == 0 ? fd : ARES_SOCKET_BAD, direction == 1 ? fd : ARES_SOCKET_BAD);
        self->wait(one, direction);
      });
}

void Resolver::Impl::process(int readable, int writable) {
  if (!channel) return;
  ares_process_fd(channel, readable, writable);
  arm_timer();
}

void Resolver::Impl::arm_timer() {
  if (running == 0 || !channel) {
    timer.cancel();
    return;
  }
  timeval until{};
  if (!ares_timeout(channel, nullptr, &until)) return;
  timer.expires_after(std::chrono::seconds(until.tv_sec) +
                      std::chrono::microseconds(until.tv_usec) + 1ms);
  timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error && !self->ended) self->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  });
}

void Resolver::Impl::answered(Entry& entry, int status, ares_addrinfo* result) {
  --running;
  entry.pending = false;
  std::chrono::seconds kept = kMaxKept;
  if (status == ARES_SUCCESS && result) {
    for (const ares_addrinfo_node* node = result->nodes; node; node = node->ai_next) {
      entry.addresses.push_back(Address::from(node->ai_addr, node->ai_addrlen));
      entry.addresses.back().set_port(0);
      kept = std::min(kept, std::chrono::seconds(std::max(node->ai_ttl, 0)));
    }
    for (const ares_addrinfo_cname* name = result->cnames; name; name = name->next) {
      kept = std::min(kept, std::chrono::seconds(std::max(name->ttl, 0)));
    }
  }
  if (result) ares_freeaddrinfo(result);
  if (entry.addresses.empty()) {
    entry.failure = status == ARES_SUCCESS ? "no addresses" : ares_strerror(status);
    kept = kFailureKept;
  }
  entry.expires = loop.now() + std::max<std::chrono::seconds>(kept, kMinKept);
  if (ended) return;
  for (Waiter* waiter : std::exchange(entry.waiters, {})) resume_later(*waiter);
}

/// Not within c-ares' own call, which must not be entered again, nor within Cancel::request().
void Resolver::Impl::resume_later(Waiter& waiter) {
  waiter.entry = nullptr;
  loop.post([handle = waiter.handle] { handle.resume(); });
}

Resolver::Resolver(Loop& loop) : Resolver(loop, Options()) {}
Resolver::Resolver(Loop& loop, Options options)
    : impl_(std::make_shared<Impl>(loop, std::move(options))) {}

Resolver::~Resolver() {
  impl_->ended = true;
  impl_->timer.cancel();
  impl_->close_channel();
}

Task<Result<std::vector<Address>>> Resolver::resolve(std::string host, std::uint16_t port,
                                                     Cancel& stop) {
  if (auto literal = Address::ip(host, port)) co_return std::vector<Address>{*literal};
  if (is_localhost(host)) {
    co_return std::vector<Address>{*Address::ip("127.0.0.1", port), *Address::ip("::1", port)};
  }
  if (stop.requested()) co_return fail(ErrorKind::Cancelled, Origin::Client, "cancelled");
  const std::shared_ptr<Entry> entry = impl_->lookup(text::to_lower(host));
  if (!entry) co_return dns_error(ErrorKind::Overloaded, "too many name lookups at once", host);
  if (entry->pending) {
    struct Wait : Waiter {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> waiting) {
        handle = waiting;
        entry->waiters.push_back(this);
      }
      void await_resume() const noexcept {}
    } wait;
    wait.entry = entry.get();
    stop.on_request([this, &wait] {
      if (!wait.entry) return;
      std::erase(wait.entry->waiters, &wait);
      impl_->resume_later(wait);
    });
    co_await wait;
    stop.on_request(nullptr);
  }
  if (stop.requested()) co_return fail(ErrorKind::Cancelled, Origin::Client, "cancelled");
  if (entry->addresses.empty()) {
    co_return dns_error(ErrorKind::ConnectFailed, "the upstream's name could not be resolved",
                        host + ": " + entry->failure);
  }
  co_return with_port(entry->addresses, port);
}

void Resolver::prefer(const std::string& host, const Address& address) {
  const auto found = impl_->entries.find(text::to_lower(host));
  if (found == impl_->entries.end()) return;
  auto& addresses = found->second->addresses;
  const auto same = std::ranges::find_if(addresses, [&](const Address& known) {
    return known.family() == address.family() && known.text() == address.text();
  });
  if (same != addresses.end()) std::rotate(addresses.begin(), same, same + 1);
}

Resolver::Stats Resolver::stats() const { return {impl_->entries.size(), impl_->queries_total}; }

}  // namespace causeway::net
