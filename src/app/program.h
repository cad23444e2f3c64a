// The running program: everything that `causeway serve` is made of, built in order and taken down
// in reverse. Composition only; what the parts do is in their own folders.
#pragma once

#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/admin_server.h"
#include "app/config_routes.h"
#include "app/dialects.h"
#include "app/loops.h"
#include "app/pipeline.h"
#include "app/probes.h"
#include "app/replica_sources.h"
#include "app/shared_state.h"
#include "app/vocabulary.h"
#include "core/feature.h"
#include "core/model_listing.h"
#include "exchange/remote_ask.h"
#include "features/access/keys/ring.h"
#include "features/insight/ledger/ledger.h"
#include "features/traffic/admit/stage.h"
#include "features/traffic/routing/target_states.h"
#include "platform/base/cancel.h"
#include "platform/base/worker.h"
#include "platform/log/access_log.h"
#include "platform/log/log.h"
#include "platform/metrics/registry.h"
#include "platform/process/spawner.h"
#include "platform/store/folder.h"
#include "platform/store/sealed.h"
#include "platform/store/store.h"

namespace causeway {
class DataFiles;
class Engine;
}  // namespace causeway
namespace causeway::alerts {
class AlertsFeature;
}
namespace causeway::anomalies {
class AnomaliesFeature;
}
namespace causeway::cache {
class CacheFeature;
}
namespace causeway::keys {
class KeysFeature;
}
namespace causeway::ledger {
class LedgerFeature;
}
namespace causeway::limits {
class LimitsFeature;
}
namespace causeway::metrics {
class MetricsFeature;
}
namespace causeway::otlp {
class OtlpFeature;
}
namespace causeway::pii {
class PiiFeature;
}
namespace causeway::faq {
class FaqFeature;
}
namespace causeway::sessions {
struct AdminKeys;
class SessionsFeature;
}  // namespace causeway::sessions
namespace causeway::traces {
class TracesFeature;
}

namespace causeway::app {

/// What there is on the admin port.
Task<AdminReply> list_routes(const std::vector<AdminRoute>& routes);

/// Each line as a warning of its own.
void warn_lines(log::Log& log, std::string_view lines);

struct ServeOptions {
  std::string config_path;          // empty: no file
  std::string listen, admin, data;  // win over the file where set
  std::string ready_file;
  bool watch = true;
};

struct AskedCounts {
  std::uint64_t calls = 0, failures = 0;
};

class Program {
 public:
  Program(ServeOptions options, Environment environment);
  ~Program();

  /// Builds everything and begins to serve. Errors are for people: what, where, and what mends it.
  Result<void> start();
  /// After a start that failed: the keys that it had made by then.
  void tell_made_keys();
  /// Until a signal ends it; gives the exit code.
  int run();

  /// Reads the configuration again and brings it to all loops; a bad one changes nothing. Ends when
  /// its keys are in force as well, or cannot be for now; then they are tried again. On the control
  /// loop. Errors: InvalidRequest with every problem, a line each; they are logged here.
  Task<Result<Loaded>> reload();

 private:
  // What tells a file that was changed, or replaced, from one that was not.
  struct FileMark {
    std::int64_t changed = 0;
    std::uint64_t inode = 0, size = 0;
    bool operator==(const FileMark&) const = default;
  };
  static FileMark mark_of(const std::string& path);

  Result<AppConfig> read_config(std::string& warnings);
  Result<void> load_again();
  Result<void> open_data();
  void tell_recovered();
  void look_for_names_model();
  Result<void> make_parts();
  Result<void> make_features();
  Result<void> make_limits(SlotLayout& slots);
  Result<void> make_anomalies();
  Result<void> make_cache(SlotLayout& slots);
  Result<void> make_operators_features();
  std::unique_ptr<Feature> make_otlp();
  std::unique_ptr<Feature> make_traces(SlotLayout& slots);
  std::unique_ptr<Feature> make_metrics();
  Result<void> make_alerts();
  Result<void> listen();
  http::ServerLimits data_limits();
  void tell_starved();
  void tell_targets();
  std::vector<keys::ConfigKey> keys_to_apply() const;
  void set_keys_pending(std::string why);
  Task<void> apply_keys_again();
  Task<void> apply_pending_keys();
  Error with_every_problem(Error first) const;
  Task<void> reload_changed_file();
  Task<void> reload_at_signal();
  std::shared_ptr<const Snapshot> make_snapshot(const AppConfig& config,
                                                config::Problems& problems);
  std::string access_target() const;
  AdminCaller authenticate(const http::RequestHead& head);
  sessions::AdminKeys admin_key_lookup();
  std::vector<AdminRoute> own_routes();
  Task<AdminReply> status();
  Task<AdminReply> models();
  Task<AdminReply> providers();
  using Asked = std::map<std::string, AskedCounts, std::less<>>;  // by provider, since the start
  void note_asked();
  AskedCounts asked_lately(const std::string& provider, const Asked& now) const;
  void sample_targets(metrics::SampleSink& sink) const;
  ConfigRoutes::Parts config_parts();
  CheckedConfig check_text(const std::string& text) const;
  void take_options(AppConfig& config) const;
  std::string listen_text() const;  // the real addresses, with their ports
  std::string admin_text() const;
  Result<void> write_meeting_points();
  void remove_meeting_points() const;
  void greet();
  void greet_with_keys(const std::string& base_url);
  void keep_key_uses();
  void watch_file();
  void put_in_force(std::shared_ptr<const Snapshot> snapshot);
  void keep_replica_sources();
  void make_replica_sources();
  void make_probes();
  void watch_members();
  void configure_probes();
  void replicas_changed();
  void list_models();
  void on_signal(int signal);
  void end_calls();
  bool calls_ended() const;
  Task<void> drain_and_stop();
  void end_workers();

  const ServeOptions options_;
  const Environment environment_;
  SystemClock clock_;
  routing::TargetStates target_states_{clock_};
  Vocabulary vocabulary_;
  Dialects dialects_;
  ModelListings listings_;
  AccessTokens tokens_;
  AppConfig config_;
  std::string reload_problem_;  // of the last reload; "" = it is in force
  FileMark read_mark_;          // of the configuration file before it was read last
  FileMark seen_mark_;          // at the last look of the watch

  std::unique_ptr<log::Log> log_;
  std::unique_ptr<log::AccessLog> access_log_;
  std::unique_ptr<metrics::Registry> metrics_;
  std::unique_ptr<process::Spawner> spawner_;
  std::unique_ptr<store::DataFolder> folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Sealed>
      sealed_;  // a wrong master key is said at start, not when it is too late
  std::unique_ptr<WorkerGroup> workers_;
  std::unique_ptr<keys::KeyRing> ring_;
  std::vector<keys::CreatedKey> first_keys_;
  std::unique_ptr<ledger::Ledger> ledger_;
  admit::Gate gate_;

  bool features_gone_ = false;  // at the end, while the control loop may still run
  net::Loop control_{-1};
  // Both outlive the client, whose end lets the loop run once more: it looks at them every so
  // often.
  std::unique_ptr<ReplicaSources> replica_sources_;
  std::unique_ptr<Probes> probes_;
  std::unique_ptr<http::Client> control_client_;
  std::list<Cancel> listing_calls_;  // of list_models(), until they end
  std::shared_ptr<const Snapshot> latest_snapshot_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<DataFiles> data_files_;
  std::unique_ptr<Vocabularies> vocabularies_;
  std::vector<std::unique_ptr<Feature>> features_;
  alerts::AlertsFeature* alerts_feature_ = nullptr;
  anomalies::AnomaliesFeature* anomalies_feature_ = nullptr;
  cache::CacheFeature* cache_feature_ = nullptr;
  limits::LimitsFeature* limits_feature_ = nullptr;
  keys::KeysFeature* keys_feature_ = nullptr;
  ledger::LedgerFeature* ledger_feature_ = nullptr;
  metrics::MetricsFeature* metrics_feature_ = nullptr;
  pii::PiiFeature* pii_feature_ = nullptr;
  faq::FaqFeature* faq_feature_ = nullptr;
  otlp::OtlpFeature* otlp_feature_ = nullptr;
  sessions::SessionsFeature* sessions_feature_ = nullptr;
  traces::TracesFeature* traces_feature_ = nullptr;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<SharedState> shared_state_;
  std::unique_ptr<Loops> loops_;
  std::unique_ptr<exchange::RemoteAsker> asker_;  // for the control loop
  std::unique_ptr<keys::LoopKeys> admin_keys_;    // the control loop's view
  std::unique_ptr<ConfigRoutes> config_routes_;
  std::unique_ptr<AdminServer> admin_;
  Secret cli_key_, cli_admin_key_;  // new at each start, for the verbs of this machine
  std::atomic<bool> ready_{false};
  std::atomic<std::int64_t> starved_told_{-3600};  // when, in seconds of the clock
  std::uint64_t config_version_ = 0;
  int reloads_ = 0;             // under way, or waiting for those before them
  int loading_ = 0;             // 1 while one of them loads, or pending keys are applied
  int signalled_ = 0;           // reloads that a signal wants
  Asked asked_, asked_before_;  // at the last looks
  std::uint64_t loads_ = 0;     // that have begun
  Result<Loaded> last_load_ = Loaded();
  std::string keys_pending_;     // why the keys of the configuration are not in force yet
  bool keys_published_ = false;  // whether they are on their way to all loops
  const Monotonic started_ = std::chrono::steady_clock::now();
  std::atomic<int> signals_{0};
  std::thread signal_thread_;
  std::vector<std::string> found_servers_;  // named in the greeting
};

}  // namespace causeway::app
