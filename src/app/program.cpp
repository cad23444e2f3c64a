// How the program is built up. What happens while it runs is in serve.cpp.
#include "app/program.h"

#include <unistd.h>

#include <thread>

#include "app/console_routes.h"
#include "app/features.h"
#include "app/found_servers.h"
#include "app/where.h"
#include "engine/data_files.h"
#include "engine/supervisor.h"
#include "engine/vocabulary_files.h"
#include "features/access/keys/feature.h"
#include "features/privacy/pii/feature.h"
#include "features/traffic/cache/feature.h"
#include "features/traffic/faq/feature.h"
#include "features/traffic/limits/feature.h"
#include "platform/process/open_files.h"
#include "platform/process/supervision.h"
#include "providers/embedded/config.h"

namespace causeway::app {
namespace {

constexpr int kWorkers = 2;
constexpr std::size_t kWorkerQueue = 1024;

log::Options log_options(const LogConfig& config) {
  log::Options options;
  options.level = config.level == "debug"   ? log::Level::Debug
                  : config.level == "warn"  ? log::Level::Warn
                  : config.level == "error" ? log::Level::Error
                                            : log::Level::Info;
  options.format = config.format == "json" ? log::Format::Json : log::Format::Text;
  return options;
}

int loop_count(const ServerConfig& config) {
  if (config.threads > 0) return static_cast<int>(config.threads);
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

keys::ConfigKey cli_key(std::string name, keys::KeyKind kind, const Secret& secret) {
  keys::ConfigKey key;
  key.key.name = std::move(name);
  key.key.kind = kind;
  key.secret = secret;
  return key;
}

std::vector<keys::ConfigKey> keys_of(const AppConfig& config) {
  std::vector<keys::ConfigKey> keys;
  for (const auto& key : config.keys) keys.push_back(config_key(key));
  return keys;
}

std::unexpected<Error> not_bound(Error error, const std::string& name) {
  error.message += "; choose another address with --" + name + " IP:PORT or server." + name;
  return std::unexpected(std::move(error));
}

Secret random_secret() { return keys::make_key_text(keys::make_key_id()); }

}  // namespace

void warn_lines(log::Log& log, std::string_view lines) {
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    log.warn(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

Program::Program(ServeOptions options, Environment environment)
    : options_(std::move(options)), environment_(std::move(environment)) {}

Program::~Program() = default;

// What was said at the start wins over the file.
void Program::take_options(AppConfig& config) const {
  if (!options_.listen.empty()) config.server.listen.value = options_.listen;
  if (!options_.admin.empty()) config.server.admin.value = options_.admin;
  if (!options_.data.empty()) config.server.data = options_.data;
}

Result<AppConfig> Program::read_config(std::string& warnings) {
  AppConfig config;
  const bool has_file = !options_.config_path.empty();
  config::Problems problems(has_file ? options_.config_path : "the environment");
  if (has_file) {
    read_mark_ = mark_of(options_.config_path);
    if (auto readable = check_readable(options_.config_path); !readable) {
      return pass(std::move(readable));
    }
    config = vocabulary_.schema->read_file(options_.config_path, problems);
  } else {
    config = default_config(environment_);
  }
  take_options(config);
  if (!has_file) found_servers_ = add_found_servers(config);
  check_keys(config, problems);
  check_rules(config, problems);
  check_policies(config, problems);
  if (!problems.ok()) {
    return fail(ErrorKind::InvalidRequest, Origin::Us, problems.text(), "bad_config");
  }
  warnings = problems.text();
  return config;
}

std::shared_ptr<const Snapshot> Program::make_snapshot(const AppConfig& config,
                                                       config::Problems& problems) {
  return build_snapshot(config,
                        {*pipeline_, vocabulary_.sections, dialects_, listings_, tokens_,
                         engine_.get(), vocabularies_.get(), environment_, replica_sources_.get()},
                        problems);
}

Result<void> Program::open_data() {
  auto folder = store::DataFolder::open(config_.server.data);
  if (!folder) return pass(std::move(folder));
  folder_ = std::make_unique<store::DataFolder>(std::move(*folder));
  auto opened = store::Store::open(*folder_);
  if (!opened) return pass(std::move(opened));
  store_ = std::move(*opened);
  auto sealed = store::Sealed::open(
      *store_, *folder_, {config_.server.master_key, config_.server.previous_master_keys});
  if (!sealed) return pass(std::move(sealed));
  sealed_ = std::move(*sealed);
  workers_ = std::make_unique<WorkerGroup>("worker", kWorkers, kWorkerQueue);
  auto ring = keys::KeyRing::open(*store_, *folder_, clock_);
  if (!ring) return pass(std::move(ring));
  ring_ = std::move(*ring);
  // Whether anybody has a key yet is asked before the keys of our own verbs are there.
  if (auto applied = ring_->set_config_keys(keys_of(config_)); !applied) return applied;
  // The greeting shows them. A service's goes into a log that others read, so an administrator
  // makes them there with `causeway keys create`.
  if (!process::is_supervised()) {
    auto first = ring_->make_first_keys();
    if (!first) return pass(std::move(first));
    first_keys_ = std::move(*first);
  }
  cli_key_ = random_secret();
  cli_admin_key_ = random_secret();
  if (auto applied = ring_->set_config_keys(keys_to_apply()); !applied) return applied;
  ledger::Ledger::Options options;
  options.loops = loop_count(config_.server);
  options.trouble = [this](const Error* error) {
    log_->state(error ? log::Level::Error : log::Level::Info, "ledger",
                error ? "in trouble" : "well", {{"detail", error ? error->message : ""}});
  };
  auto ledger = ledger::Ledger::open(*store_, *folder_, std::move(options));
  if (!ledger) return pass(std::move(ledger));
  ledger_ = std::move(*ledger);
  tell_recovered();
  return {};
}

// What a crash or a damaged disk has taken: usage and cost are too low by it.
void Program::tell_recovered() {
  const auto& found = ledger_->recovered();
  for (const auto& file : found.damaged) {
    log_->error(
        "a journal of the ledger was damaged and is set aside; what it held is not in usage and "
        "cost",
        {{"file", shown_path(file.string())}});
  }
  if (found.torn + found.lost > 0) {
    log_->error(
        "settlements of the ledger's journal did not reach the disk; they are not in usage and "
        "cost",
        {{"lost", found.torn + found.lost}, {"recovered", found.records}});
  }
}

std::vector<keys::ConfigKey> Program::keys_to_apply() const {
  std::vector<keys::ConfigKey> keys = keys_of(config_);
  keys.push_back(cli_key(std::string(keys::kOwnKey), keys::KeyKind::Application, cli_key_));
  keys.push_back(cli_key(std::string(keys::kOwnAdminKey), keys::KeyKind::Admin, cli_admin_key_));
  return keys;
}

// On a terminal the lines would bury what was said to the person in front of it.
std::string Program::access_target() const {
  if (config_.log.access != "auto") return config_.log.access;
  return isatty(STDOUT_FILENO) ? shown_path(folder_->file("access.log").string()) : "stdout";
}

Result<void> Program::make_parts() {
  spawner_ = std::make_unique<process::Spawner>();
  engine::EngineOptions options;
  options.places = engine::find_places(executable_path());
  options.places.logs = folder_->file("engine-logs").string();
  options.data_folder = folder_->path().string();
  options.log = [this](std::string_view line) { log_->info(line); };
  data_files_ = engine::make_data_files(options.places, *spawner_);
  vocabularies_ = engine::make_vocabularies(*data_files_);
  auto models = embedded_models(config_, options.places);
  if (!models) return pass(std::move(models));
  auto engine = engine::make_engine(std::move(options), std::move(*models), control_, *spawner_);
  if (!engine) return pass(std::move(engine));
  engine_ = std::move(*engine);
  const auto is_embedded = [](const auto& one) { return one.value.kind() == "embedded"; };
  if (const auto why = engine_->no_catalogue();
      !why.empty() && std::ranges::any_of(config_.providers, is_embedded)) {
    log_->warn("the embedded provider has no models but those that the configuration brings",
               {{"reason", why}});
  }
  metrics_ = std::make_unique<metrics::Registry>(loop_count(config_.server));
  metrics_->sampled(
      metrics::Kind::Gauge,
      {.name = "causeway_config_last_reload_successful",
       .help = "0 while the configuration file was refused and an older one is in force.",
       .labels = {}},
      [this](metrics::SampleSink& sink) { sink.add({}, reload_problem_.empty() ? 1.0 : 0.0); });
  metrics_->sampled(
      metrics::Kind::Gauge,
      {.name = "causeway_config_keys_pending",
       .help = "1 while the keys of the configuration file are not in force everywhere yet.",
       .labels = {}},
      [this](metrics::SampleSink& sink) { sink.add({}, keys_pending_.empty() ? 0.0 : 1.0); });
  metrics_->sampled(metrics::Kind::Gauge,
                    {.name = "causeway_target_available",
                     .help = "Share of a target's replicas and keys that are not resting.",
                     .labels = {"provider", "target"}},
                    [this](metrics::SampleSink& sink) { sample_targets(sink); });
  if (config_.log.access != "off") {
    log::AccessLogOptions access;
    access.target = access_target();
    access.max_file_bytes = config_.log.access_size;
    access.keep_files = static_cast<int>(config_.log.access_files);
    auto opened = log::AccessLog::open(access, loop_count(config_.server), *log_);
    if (!opened) return pass(std::move(opened));
    access_log_ = std::move(*opened);
  }
  return {};
}

Result<void> Program::start() {
  std::string warnings;
  auto config = read_config(warnings);
  if (!config) return pass(std::move(config));
  config_ = std::move(*config);
  log_ = std::make_unique<log::Log>(log_options(config_.log), clock_);
  warn_lines(*log_, warnings);
  gate_.most = config_.server.limits.exchanges;
  if (auto opened = open_data(); !opened) return opened;
  if (auto made = make_parts(); !made) return made;
  if (auto made = make_features(); !made) return made;
  make_replica_sources();
  config::Problems problems(options_.config_path);
  auto snapshot = make_snapshot(config_, problems);
  if (!problems.ok()) {
    return fail(ErrorKind::InvalidRequest, Origin::Us, problems.text(), "bad_config");
  }
  latest_snapshot_ = snapshot;
  look_for_names_model();
  faq_feature_->prepare(latest_snapshot_->policies);
  config_version_ = snapshot->version;
  control_client_ = http::make_client(control_);
  make_probes();
  loops_ = std::make_unique<Loops>(loop_count(config_.server), std::move(snapshot), clock_, *ring_,
                                   vocabulary_.settings, *workers_, folder_->path().string());
  loops_->declare_metrics(*metrics_);
  for (int i = 0; i < loops_->count(); ++i) keys_feature_->attach(i, *loops_->unit(i).keys);
  shared_state_ = std::make_unique<SharedState>(config_.shared_state, *log_, *metrics_);
  for (int i = 0; i < loops_->count(); ++i) {
    LoopUnit& unit = loops_->unit(i);
    shared_state_->attach(unit);
    if (!unit.redis) continue;
    limits_feature_->attach(i, unit.loop, *unit.redis);
    cache_feature_->attach(i, unit.loop, *unit.redis);
  }
  asker_ = loops_->asker_from(
      [this](std::move_only_function<void()> action) { control_.post(std::move(action)); });
  admin_keys_ = ring_->make_loop_keys();
  ring_->set_publish([this](keys::TablePtr table, std::move_only_function<void()> everywhere) {
    // The control loop's own view first; then the others, whose last one says that it is
    // everywhere.
    control_.post([this, table, everywhere = std::move(everywhere)]() mutable {
      admin_keys_->adopt(table);
      loops_->on_each([table](LoopUnit& unit) { unit.keys->adopt(table); }, std::move(everywhere));
    });
  });
  return listen();
}

void Program::look_for_names_model() {
  const auto here = pii_feature_->prepare(latest_snapshot_->policies);
  if (here) return;
  log_->warn("pii.model: " + here.error().message +
             " Until it is there, requests that it is to look through go to targets in the house "
             "only.");
}

Result<void> Program::listen() {
  const auto data_address = parse_listen(*config_.server.listen);
  const auto admin_address = parse_listen(*config_.server.admin);
  if (!data_address)
    return fail(ErrorKind::InvalidRequest, Origin::Us,
                "server.listen " + data_address.error().message);
  if (!admin_address)
    return fail(ErrorKind::InvalidRequest, Origin::Us,
                "server.admin " + admin_address.error().message);
  std::vector<AdminRoute> routes = own_routes();
  for (auto& route : console_routes(console_files())) routes.push_back(std::move(route));
  for (const auto& feature : features_) {
    for (auto& route : feature->routes()) routes.push_back(std::move(route));
  }
  routes.push_back({http::Method::Get, "/api", "All routes of the admin port.", false,
                    [this](AdminRequest) { return list_routes(admin_->routes()); }});
  admin_ = std::make_unique<AdminServer>(
      control_, std::move(routes),
      [this](const http::RequestHead& head) { return authenticate(head); });
  if (auto bound = admin_->start(*admin_address); !bound) {
    return not_bound(std::move(bound).error(), "admin");
  }
  if (auto bound = loops_->start(*data_address, data_limits(), [this] { tell_starved(); });
      !bound) {
    return not_bound(std::move(bound).error(), "listen");
  }
  return write_meeting_points();
}

// Most connections are idle; those that are not have one to a provider beside them. What the rest
// of the program needs, the admin port first, is left to it: a probe must be answered however many
// callers hold connections.
http::ServerLimits Program::data_limits() {
  constexpr std::size_t kOwn = 128, kFewest = 16;
  http::ServerLimits limits = server_limits(config_.server);
  const std::size_t files = process::raise_open_files();
  const std::size_t rest = files - std::min(files, kOwn + files / 8);
  const std::size_t most =
      std::max(kFewest, rest * 2 / 3 / static_cast<std::size_t>(loops_->count()));
  if (most < limits.connections) {
    log_->info(
        "fewer connections than server.limits.connections says: this process may not open "
        "more files (ulimit -n, LimitNOFILE=)",
        {{"open_files", files}, {"connections_of_a_loop", most}});
    limits.connections = most;
  }
  return limits;
}

void Program::tell_starved() {
  constexpr std::int64_t kEvery = 60;
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
  std::int64_t last = starved_told_.load();
  if (now - last < kEvery || !starved_told_.compare_exchange_strong(last, now)) return;
  log_->error(
      "connections wait: this process has no file descriptors left (ulimit -n, "
      "LimitNOFILE=)");
}

}  // namespace causeway::app
