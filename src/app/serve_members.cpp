// The members of providers while the program runs: replicas that come and go, probes.
#include "app/program.h"
#include "app/upstreams.h"
#include "core/provider.h"

namespace causeway::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookAtTargets = 1s;
constexpr auto kLookAtMembers = 100ms;  // whether the time of a source or a probe has come

}  // namespace

void Program::make_replica_sources() {
  ReplicaSources::Options options;
  options.changed = [this] { replicas_changed(); };
  replica_sources_ = std::make_unique<ReplicaSources>(control_, *log_, std::move(options));
}

void Program::make_probes() {
  probes_ = std::make_unique<Probes>(
      Probes::Parts{control_, *control_client_, *log_,
                    [this](std::string_view provider, std::string_view member, bool well) {
                      target_states_.probed(provider, member, well);
                    }});
  configure_probes();
}

// What runs goes on with the snapshot that it began with.
void Program::put_in_force(std::shared_ptr<const Snapshot> snapshot) {
  latest_snapshot_ = snapshot;
  std::unordered_set<std::uint64_t> configured;
  for (const auto& [name, model] : snapshot->models) {
    any_target(model, [&](const Target& target) {
      configured.insert(target.member_key);
      return false;
    });
  }
  target_states_.keep(configured);
  loops_->on_each([snapshot](LoopUnit& unit) { unit.snapshots.replace(snapshot); }, [] {});
}

void Program::configure_probes() {
  std::map<std::string, ProbeConfig> probed;
  for (const auto& provider : config_.providers) {
    const UpstreamConfig* upstream = upstream_of(provider.value);
    if (upstream && upstream->probe) probed.emplace(provider.name, *upstream->probe);
  }
  probes_->configure(latest_snapshot_, probed);
}

void Program::keep_replica_sources() {
  std::vector<ReplicasConfig> sources;
  for (const auto& provider : config_.providers) {
    const UpstreamConfig* upstream = upstream_of(provider.value);
    if (upstream && upstream->replicas) sources.push_back(*upstream->replicas);
  }
  replica_sources_->keep(sources);
}

// The same configuration, with other members.
void Program::replicas_changed() {
  if (gate_.draining) return;
  config::Problems problems(options_.config_path);
  auto snapshot = make_snapshot(config_, problems);
  if (problems.ok()) {
    put_in_force(std::move(snapshot));
    return configure_probes();
  }
  log_->error("the replicas that were found cannot be used; those before stay in force",
              {{"problems", problems.text()}});
}

// One line when a target is left alone, one when it has come all the way back.
void Program::tell_targets() {
  using routing::Breaker;
  for (const auto& view : target_states_.list()) {
    if (view.opened == 0 || view.state == Breaker::State::Trying) continue;
    const bool well = view.state == Breaker::State::Closed;
    const std::string target =
        "target " + view.name + (view.member.empty() ? "" : " (" + view.member + ")");
    log_->state(well ? log::Level::Info : log::Level::Warn, target, well ? "well" : "left alone",
                {{"reason", view.why}});
  }
}

void Program::watch_members() {
  control_.every(kLookAtTargets, [this] { tell_targets(); });
  control_.every(kLookAtMembers, [this] {
    replica_sources_->tick();
    probes_->tick();
  });
}

void Program::end_calls() {
  replica_sources_->close();
  probes_->close();
  for (auto call = listing_calls_.begin(); call != listing_calls_.end();) {
    (call++)->request();  // which may be its end
  }
}

bool Program::calls_ended() const {
  return admin_->idle() && reloads_ == 0 && listing_calls_.empty() && replica_sources_->idle() &&
         probes_->idle();
}

}  // namespace causeway::app
