// What happens while the program runs: signals, reload, drain, the end.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <utility>

#include "app/features.h"
#include "app/program.h"
#include "app/restart_needed.h"
#include "app/upstreams.h"
#include "app/where.h"
#include "engine/engine.h"
#include "features/insight/alerts/feature.h"
#include "features/insight/ledger/feature.h"
#include "features/insight/metrics/feature.h"
#include "features/insight/otlp/feature.h"
#include "features/insight/traces/feature.h"
#include "features/traffic/anomalies/feature.h"
#include "features/traffic/cache/feature.h"
#include "features/traffic/faq/feature.h"
#include "features/traffic/limits/feature.h"
#include "platform/process/supervision.h"
#include "platform/process/unmap_code.h"
#include "platform/text/json_writer.h"

namespace causeway::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kKeepUsesEvery = 1min;
constexpr auto kLookAtHistory = 500ms;  // whether a step of ten seconds has ended
constexpr int kSignals[] = {SIGTERM, SIGINT, SIGHUP};

std::string json_of_addresses(const std::string& listen, const std::string& admin) {
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().field("listen", listen).field("admin", admin);
  json.field("pid", static_cast<std::int64_t>(getpid())).end_object();
  return out + "\n";
}

std::string url_of(const std::string& listen, std::uint16_t port) {
  auto address = parse_listen(listen);
  if (!address) return listen;
  address->port = port;
  if (address->ip == "0.0.0.0") address->ip = "127.0.0.1";
  if (address->ip == "::") address->ip = "::1";
  return to_text(*address);
}

}  // namespace

Program::FileMark Program::mark_of(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return {};
  return {info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec, info.st_ino,
          static_cast<std::uint64_t>(info.st_size)};
}

std::string Program::listen_text() const { return url_of(*config_.server.listen, loops_->port()); }
std::string Program::admin_text() const { return url_of(*config_.server.admin, admin_->port()); }

// The addresses for supervisors and tests, and what the verbs of this machine need to find us: both
// are files that only the owner can read, put in place as a whole.
Result<void> Program::write_meeting_points() {
  const std::string listen = listen_text();
  const std::string admin = admin_text();
  std::string meeting;
  text::JsonWriter json(meeting);
  json.begin_object().field("listen", listen).field("admin", admin);
  json.field("admin_key", cli_admin_key_.reveal());
  json.field("application_key", cli_key_.reveal()).end_object();
  if (auto put = store::write_private(folder_->file("running.json"), meeting); !put) return put;
  if (!options_.ready_file.empty()) {
    auto put = store::write_private(options_.ready_file, json_of_addresses(listen, admin));
    if (!put) return put;
  }
  ready_ = true;
  return {};
}

// From any thread: at the end, or when a second signal does not wait for it.
void Program::remove_meeting_points() const {
  std::error_code ignored;
  std::filesystem::remove(folder_->file("running.json"), ignored);
  if (!options_.ready_file.empty()) std::filesystem::remove(options_.ready_file, ignored);
}

namespace {

struct Counted {
  explicit Counted(int& number) : number_(number) { ++number_; }
  ~Counted() { --number_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  int& number_;
};

}  // namespace

Task<Result<Loaded>> Program::reload() {
  const Counted under_way(reloads_);
  // One after the other, so that the last one's words stay. All who wait share the next one, which
  // reads the file behind them.
  const std::uint64_t mine = loads_ + 1;
  while (loading_ > 0) {
    co_await control_.sleep(2ms);
  }
  if (loads_ >= mine) co_return last_load_;
  const Counted loading(loading_);
  ++loads_;
  last_load_ = Loaded();
  auto loaded = load_again();
  keep_replica_sources();
  if (!loaded) {
    reload_problem_ = loaded.error().message;
    log_->error("the configuration was not loaded; the old one stays in force",
                {{"problems", reload_problem_}});
    last_load_ = std::unexpected(std::move(loaded).error());
    co_return last_load_;
  }
  reload_problem_.clear();
  auto applying = apply_keys_again();
  co_await std::move(applying);
  last_load_ = Loaded{keys_pending_};
  co_return last_load_;
}

// A worker writes and publishes them, since that waits for the loops.
Task<void> Program::apply_keys_again() {
  auto job = [this, keys = keys_to_apply()] { return ring_->set_config_keys(keys); };
  auto post = [this](std::move_only_function<void()> action) { control_.post(std::move(action)); };
  auto applying = offload(*workers_, std::move(post), std::move(job));
  const auto applied = co_await std::move(applying);
  keys_published_ = applied || applied.error().code == "key_change_pending";
  set_keys_pending(applied ? std::string() : applied.error().message);
}

void Program::set_keys_pending(std::string why) {
  if (why.empty() && !keys_pending_.empty()) {
    log_->info("the keys of the configuration are in force");
  }
  if (!why.empty() && keys_pending_.empty()) {
    log_->error("the keys of the configuration are not in force yet, the rest is",
                {{"reason", why}});
  }
  keys_pending_ = std::move(why);
}

// What was published comes to a loop when that goes on: nobody has to wait for it.
Task<void> Program::apply_pending_keys() {
  if (loading_ > 0 || keys_pending_.empty() || gate_.draining) co_return;
  if (keys_published_) {
    if (ring_->is_everywhere()) set_keys_pending("");
    co_return;
  }
  const Counted loading(loading_);
  auto applying = apply_keys_again();
  co_await std::move(applying);
}

// What is wrong first in it may hide the rest.
Error Program::with_every_problem(Error first) const {
  if (first.code != "bad_config" || options_.config_path.empty()) return first;
  const auto text = read_config_file(options_.config_path);
  if (!text) return first;
  const auto checked = check_text(*text);
  if (!checked.problems.ok()) first.message = checked.problems.text();
  return first;
}

Result<void> Program::load_again() {
  if (gate_.draining) {
    return fail(ErrorKind::Unavailable, Origin::Us, "Causeway is shutting down.", "shutting_down");
  }
  // At the start an empty file is as good as none. Later it is one that somebody is writing, and
  // would take away every key.
  if (!options_.config_path.empty()) {
    if (auto filled = check_not_blank(options_.config_path); !filled) return filled;
  }
  std::string warnings;
  auto config = read_config(warnings);
  if (!config) return std::unexpected(with_every_problem(std::move(config).error()));
  config::Problems problems(options_.config_path);
  auto snapshot = make_snapshot(*config, problems);
  auto models = embedded_models(*config, engine::find_places(executable_path()));
  if (!models) problems.add({}, models.error().message);
  if (!problems.ok()) {
    return fail(ErrorKind::InvalidRequest, Origin::Us, problems.text(), "bad_config");
  }
  warn_lines(*log_, warnings);
  engine_->configure(std::move(*models));
  ledger_feature_->set_prices(price_settings(*config));
  target_states_.configure(config->breaker, any_quota(config->providers));
  limits_feature_->configure(config->limits);
  anomalies_feature_->configure(config->anomalies);
  cache_feature_->configure(config->cache);
  traces_feature_->set_keep(config->traces);
  otlp_feature_->exporter().configure(config->otlp);
  alerts_feature_->configure(config->alerts, retiring_targets(*config));
  put_in_force(snapshot);
  look_for_names_model();
  faq_feature_->prepare(latest_snapshot_->policies);
  config_version_ = snapshot->version;
  // Addresses, data folder, threads, limits of the server and the log stay as they were at the
  // start.
  std::string late;
  for (const auto& name : restart_needed(config_, *config)) {
    late += (late.empty() ? "" : ", ") + name;
  }
  const bool lost_policies = !config_.policies.empty() && config->policies.empty();
  auto keep_server = std::move(config_.server);
  keep_server.limits = config->server.limits;  // of bodies and answers, which are the snapshot's
  auto keep_log = std::move(config_.log);
  config_ = std::move(*config);
  config_.server = std::move(keep_server);
  configure_probes();
  config_.log = std::move(keep_log);
  log_->info("configuration loaded", {{"version", snapshot->version},
                                      {"providers", config_.providers.size()},
                                      {"models", config_.models.size()},
                                      {"keys", config_.keys.size()},
                                      {"policies", config_.policies.size()}});
  if (!late.empty()) log_->warn("these settings change with a restart only", {{"settings", late}});
  if (lost_policies)
    log_->warn("the configuration has no policies any more: nothing of them is in force");
  return {};
}

// The disk is waited for on a worker; one that is busy has its next turn in a minute.
void Program::keep_key_uses() {
  static_cast<void>(workers_->submit([this] {
    if (auto kept = ring_->keep_uses(); !kept) {
      log_->warn("when keys were last used could not be written",
                 {{"reason", kept.error().message}});
    }
  }));
}

void Program::watch_file() {
  if (!options_.watch || options_.config_path.empty()) return;
  control_.every(500ms, [this] {
    const FileMark now = mark_of(options_.config_path);
    // A file that is being written in place is left alone until two looks have seen the same.
    const bool settled = std::exchange(seen_mark_, now) == now;
    if (!settled || now == read_mark_) return;
    if (config_routes_->writing()) return;  // who loads it as well, when it is written
    read_mark_ = now;
    if (now != FileMark{}) return spawn(reload_changed_file());
    reload_problem_ =
        options_.config_path + ": the file is gone; what was read from it last is in force";
    log_->error(
        "the configuration file is gone; what was read from it last stays in force, and a "
        "restart would fail",
        {{"file", options_.config_path}});
  });
}

Task<void> Program::reload_changed_file() {
  auto reloading = reload();  // which says what is wrong
  static_cast<void>(co_await std::move(reloading));
}

Task<void> Program::reload_at_signal() {
  process::tell_supervisor_reloading();
  ++signalled_;
  auto reloading = reload();
  const auto loaded = co_await std::move(reloading);
  if (--signalled_ > 0 || gate_.draining) co_return;
  process::tell_supervisor(
      loaded && loaded->keys_pending.empty() ? "READY=1\nSTATUS=configuration loaded"
      : loaded ? "READY=1\nSTATUS=configuration loaded; its keys are not in force yet"
               : "READY=1\nSTATUS=the new configuration has problems; the "
                 "old one stays in force");
}

void Program::on_signal(int signal) {
  if (signal == SIGHUP) {
    if (access_log_) access_log_->reopen();
    if (options_.config_path.empty()) return;
    spawn(reload_at_signal());
    return;
  }
  process::tell_supervisor("STOPPING=1");
  ready_ = false;
  gate_.draining = true;
  log_->info("shutting down", {{"signal", signal}});
  spawn(drain_and_stop());
}

Task<void> Program::drain_and_stop() {
  loops_->drain();
  const auto until = std::chrono::steady_clock::now() + config_.server.drain;
  // `running` counts what admit let in, so that a connection that only waits does not hold us up.
  while (gate_.running.load() > 0 && std::chrono::steady_clock::now() < until) {
    co_await control_.sleep(20ms);
  }
  const auto left = gate_.running.load();
  if (left > 0) log_->warn("ended with requests still running", {{"requests", left}});
  asker_->close();
  loops_->stop();
  co_await engine_->stop();
  // Its askers are told so before their connections go.
  for (int i = 0; i < 100 && !asker_->idle(); ++i) co_await control_.sleep(5ms);
  admin_->close();
  end_calls();
  for (int i = 0; i < 100 && !calls_ended(); ++i) {
    co_await control_.sleep(5ms);
  }
  control_.stop();
}

// A worker may wait for the control loop, as one does that writes the keys of a reload: the loop
// goes on until all have ended.
void Program::end_workers() {
  bool ended = false;
  std::thread ending = start_thread("end-workers", [this, &ended] {
    workers_->stop();
    control_.post([&ended] { ended = true; });
  });
  bool all = false;
  while (!all) all = control_.run_until([&ended] { return ended; }, 1s);
  ending.join();
}

int Program::run() {
  greet();
  process::unmap_code();  // half of the memory is code that only the start needed
  process::tell_supervisor("READY=1\nSTATUS=applications: " + listen_text());
  watch_file();
  watch_members();
  control_.every(std::chrono::minutes(5), [this] { list_models(); });
  control_.every(1s, [this] { spawn(apply_pending_keys()); });
  control_.every(kKeepUsesEvery, [this] { keep_key_uses(); });
  control_.every(std::chrono::seconds(1), [this] {
    if (!features_gone_) limits_feature_->keep_budgets();
  });
  control_.every(15s, [this] { note_asked(); });
  control_.every(kLookAtHistory, [this] {
    if (!features_gone_) metrics_feature_->history().tick();
  });
  control_.post([this] { list_models(); });
  alerts_feature_->configure(config_.alerts, retiring_targets(config_));
  control_.every(config_.alerts.step, [this] {
    if (!features_gone_) alerts_feature_->tick();
  });
  signal_thread_ = start_thread("signals", [this] {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : kSignals) sigaddset(&set, signal);
    sigaddset(&set, SIGUSR2);
    for (;;) {
      int signal = 0;
      sigwait(&set, &signal);
      if (signal == SIGUSR2) return;  // the end, from run() itself
      if (signal != SIGHUP && signals_.fetch_add(1) > 0) {
        remove_meeting_points();
        _exit(1);
      }
      control_.post([this, signal] { on_signal(signal); });
    }
  });
  control_.run();
  pthread_kill(signal_thread_.native_handle(), SIGUSR2);
  signal_thread_.join();
  end_workers();
  traces_feature_->flush();
  otlp_feature_->exporter().close();
  // Its end runs what the control loop still has to do, which may need all the rest.
  admin_.reset();
  // The end of a client lets the loop run once more: what it does every so often needs them.
  features_gone_ = true;
  features_.clear();
  ledger_.reset();
  access_log_.reset();
  // A disk that takes nothing any more has been told of by the ledger.
  static_cast<void>(ring_->keep_uses());
  remove_meeting_points();
  log_->info("ended");
  return 0;
}

}  // namespace causeway::app
