#include "app/loops.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <string>

#include "core/dialect.h"
#include "core/error.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"

namespace causeway::app {
namespace {

constexpr std::chrono::milliseconds kTick{250};
constexpr std::size_t kCpuQueue = 64;  // large requests that wait; then 503

// What the HTTP server itself refuses is told in the form that most callers of the port read.
http::RefusalBody refusal_body(Pinned<Snapshot>& snapshots) {
  return [&snapshots](int status, std::string_view message) {
    Error error;
    error.kind = status == 413   ? ErrorKind::TooLarge
                 : status == 501 ? ErrorKind::NotImplemented
                 : status == 503 ? ErrorKind::Overloaded
                 : status == 505 ? ErrorKind::InvalidRequest
                 : status >= 500 ? ErrorKind::Internal
                                 : ErrorKind::InvalidRequest;
    error.origin = Origin::Client;
    error.message = message;
    error.code = status == 431   ? "head_too_large"
                 : status == 400 ? "bad_http"
                 : status == 505 ? "http_version_not_supported"
                                 : "";
    const Dialect* dialect = snapshots.current().operations.dialect_of("/v1/");
    const std::string id = "req_" + crypto::to_hex(crypto::random_bytes(12));
    http::RefusalAnswer answer{dialect ? dialect->error_body(error, id) : std::string(),
                               {{"x-request-id", id}}};
    if (status == 501) answer.fields.emplace_back("x-should-retry", "false");
    return answer;
  };
}

}  // namespace

LoopUnit::LoopUnit(int index, std::shared_ptr<const Snapshot> first, const Clock& clock,
                   std::unique_ptr<keys::LoopKeys> loop_keys, exchange::SettingKeys setting_keys)
    : loop(index),
      client(http::make_client(loop)),
      context{index, &loop, client.get(), &clock},
      snapshots(std::move(first)),
      keys(std::move(loop_keys)),
      runner(context, snapshots, setting_keys),
      asker(context, snapshots, runner) {}

Loops::Loops(int count, std::shared_ptr<const Snapshot> first, const Clock& clock,
             keys::KeyRing& ring, exchange::SettingKeys setting_keys, WorkerGroup& files,
             const std::string& data_folder)
    : cpu_("cpu", static_cast<int>(std::max(1u, std::thread::hardware_concurrency())), kCpuQueue) {
  for (int i = 0; i < count; ++i) {
    units_.push_back(
        std::make_unique<LoopUnit>(i, first, clock, ring.make_loop_keys(), setting_keys));
    units_.back()->context.cpu = &cpu_;
    units_.back()->context.files = &files;
    units_.back()->context.data_folder = data_folder;
  }
}

Loops::~Loops() { stop(); }

Result<void> Loops::start(const ListenAddress& address, const http::ServerLimits& limits,
                          const std::function<void()>& starved) {
  port_ = address.port;
  if (auto free = http::check_port_free(address.ip, port_); !free) return free;
  for (auto& unit : units_) {
    LoopUnit& u = *unit;
    u.server = http::make_server(
        u.loop, limits, [&u](http::ServerStream& stream) { return u.runner.serve(stream); },
        refusal_body(u.snapshots));
    u.server->on_starved(starved);
    if (auto bound = u.server->listen(address.ip, port_); !bound) return bound;
    port_ = u.server->port();
    u.loop.every(kTick, [&u] { u.runner.tick(); });
  }
  started_ = true;
  for (auto& unit : units_) {
    LoopUnit& u = *unit;
    u.thread = std::thread([&u] {
      pthread_setname_np(pthread_self(), ("loop-" + std::to_string(u.loop.index())).c_str());
      u.loop.run();
    });
  }
  return {};
}

std::vector<net::Loop::Lateness> Loops::lateness() const {
  std::vector<net::Loop::Lateness> all;
  for (const auto& unit : units_) all.push_back(unit->loop.lateness());
  return all;
}

void Loops::declare_metrics(metrics::Registry& registry) {
  const auto sample = [this](auto value) {
    return [this, value](metrics::SampleSink& sink) {
      for (const auto& unit : units_) {
        sink.add({std::to_string(unit->loop.index())}, value(unit->loop.lateness()));
      }
    };
  };
  registry.sampled(metrics::Kind::Counter,
                   {.name = "causeway_loop_pulses_total",
                    .help = "What a loop has to do ten times a second.",
                    .labels = {"loop"}},
                   sample([](auto late) { return static_cast<double>(late.pulses); }));
  registry.sampled(
      metrics::Kind::Counter,
      {.name = "causeway_loop_late_seconds_total",
       .help = "How late a loop did it, all together; by causeway_loop_pulses_total, "
               "how long what is ready waits for the loop.",
       .labels = {"loop"}},
      sample([](auto late) { return std::chrono::duration<double>(late.sum).count(); }));
}

std::unique_ptr<exchange::RemoteAsker> Loops::asker_from(exchange::RemoteAsker::Post home) {
  std::vector<exchange::RemoteAsker::Serving> serving;
  for (auto& unit : units_) {
    serving.push_back({[&loop = unit->loop](std::move_only_function<void()> action) {
                         loop.post(std::move(action));
                       },
                       &unit->asker});
  }
  return std::make_unique<exchange::RemoteAsker>(std::move(home), std::move(serving));
}

void Loops::on_each(std::function<void(LoopUnit&)> act,
                    std::move_only_function<void()> everywhere) {
  struct Shared {
    std::function<void(LoopUnit&)> act;
    std::move_only_function<void()> everywhere;
    std::atomic<std::size_t> left;
  };
  if (!started_) {
    for (auto& unit : units_) act(*unit);
    return everywhere();
  }
  auto shared = std::make_shared<Shared>(std::move(act), std::move(everywhere), units_.size());
  for (auto& unit : units_) {
    unit->loop.post([shared, &u = *unit] {
      shared->act(u);
      if (shared->left.fetch_sub(1) == 1) shared->everywhere();
    });
  }
}

void Loops::drain() {
  on_each([](LoopUnit& u) { u.server->drain(); }, [] {});
}

std::size_t Loops::running() {
  // Asked from outside the loops: each answers by itself, the sum is awaited.
  struct Answer {
    std::atomic<std::size_t> running{0}, left;
  };
  auto answer = std::make_shared<Answer>();
  answer->left = units_.size();
  for (auto& unit : units_) {
    unit->loop.post([answer, &u = *unit] {
      answer->running += u.runner.running();
      answer->left.fetch_sub(1);
      answer->left.notify_all();
    });
  }
  for (std::size_t left = answer->left; left != 0; left = answer->left) answer->left.wait(left);
  return answer->running;
}

namespace {

// First what runs is told that it ends, and tells its callers; then closing wakes every exchange
// with an error. The loop goes on until they have ended, so that no coroutine is left behind, but
// not for ever.
Task<void> end_loop(LoopUnit& unit) {
  constexpr std::chrono::milliseconds kPause{2};
  constexpr int kMostPauses = 1000, kMostTelling = 100;
  unit.runner.cancel_all();
  for (int i = 0; i < kMostTelling && unit.runner.running() > 0; ++i) {
    co_await unit.loop.sleep(kPause);
  }
  unit.server->close();
  unit.asker.close();
  unit.runner.cancel_all();
  unit.client->close_idle();
  for (int i = 0; i < kMostPauses; ++i) {
    if (unit.runner.running() == 0 && unit.server->stats().connections == 0) break;
    co_await unit.loop.sleep(kPause);
  }
  unit.loop.stop();
}

}  // namespace

void Loops::stop() {
  if (!started_) return;
  started_ = false;
  for (auto& unit : units_) {
    unit->loop.post([&u = *unit] { spawn(end_loop(u)); });
  }
  for (auto& unit : units_) unit->thread.join();
  cpu_.stop();
}

http::ServerLimits server_limits(const ServerConfig& config) {
  http::ServerLimits limits;
  limits.head_bytes = config.limits.head;
  limits.fields = config.limits.fields;
  limits.field_bytes = config.limits.field;
  // The stage admit refuses a body that is too large, in words of the API; here is only the end.
  limits.body_bytes = std::numeric_limits<std::size_t>::max() / 2;
  limits.buffered_bytes = config.limits.buffered;
  limits.connections = config.limits.connections;
  limits.header_timeout = config.timeouts.header;
  limits.body_timeout = config.timeouts.body;
  limits.write_timeout = config.timeouts.write;
  limits.keep_alive_timeout = config.timeouts.keep_alive;
  return limits;
}

}  // namespace causeway::app
