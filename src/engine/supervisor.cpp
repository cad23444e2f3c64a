#include "engine/supervisor.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <shared_mutex>
#include <utility>

#include "core/verb_output.h"
#include "engine/runner.h"
#include "platform/process/private_folder.h"

namespace causeway::engine {
namespace {

constexpr std::size_t kSocketName = 24;  // "model-<number>.sock"

using RunnerPtr = std::shared_ptr<Runner>;
using Runners = std::map<std::string, RunnerPtr, std::less<>>;

class Supervisor final : public Engine {
 public:
  Supervisor(EngineOptions options, process::PrivateFolder folder, net::Loop& loop,
             process::Spawner& spawner)
      : folder_(std::move(folder)),
        client_(http::make_client(loop)),
        max_loaded_(options.max_loaded),
        context_{.loop = loop,
                 .client = *client_,
                 .spawner = spawner,
                 .places = std::move(options.places),
                 .backoff = options.backoff,
                 .fetch_on_first_use = options.fetch_on_first_use,
                 .random =
                     [engine = std::minstd_rand(std::random_device{}())]() mutable {
                       return std::uniform_real_distribution<double>(0, 1)(engine);
                     },
                 .make_room = [this](const Runner& runner) { return make_room(runner); },
                 .log = std::move(options.log)} {
    loop.every(options.tick, [this, alive = std::weak_ptr<int>(alive_)] {
      if (!alive.expired()) tick();
    });
  }

  Task<Result<std::unique_ptr<EngineLease>>> acquire(std::string model, Monotonic deadline,
                                                     net::Loop& loop, Cancel& cancel) override {
    const RunnerPtr runner = runner_of(model);
    if (!runner) co_return unknown(model);
    co_return co_await runner->gate().acquire(deadline, loop, cancel);
  }

  std::vector<ModelEntry> models() const override {
    std::shared_lock lock(mutex_);
    std::vector<ModelEntry> out;
    for (const auto& [name, runner] : runners_) out.push_back(runner->entry());
    return out;
  }

  std::shared_ptr<const ModelEntry> find(std::string_view model, ModelKind kind) const override {
    const RunnerPtr runner = runner_of(model);
    if (!runner) return nullptr;
    const auto& entry = runner->entry();
    return entry.name == model || entry.kind == kind ? runner->shared_entry() : nullptr;
  }

  // The places are those of the start; a reload may have found the list since.
  std::string no_catalogue() const override {
    const auto of_catalogue = [](const RunnerPtr& runner) {
      return !runner->entry().source.artifact.empty();
    };
    const auto runners = all();
    if (std::ranges::any_of(runners, of_catalogue)) return "";
    return catalogue_problem(context_.places);
  }

  std::vector<ModelStatus> status(std::size_t log_lines) const override {
    std::vector<RunnerPtr> runners;
    {
      std::shared_lock lock(mutex_);
      for (const auto& [name, runner] : runners_) runners.push_back(runner);
    }
    std::vector<ModelStatus> out;
    for (const auto& runner : runners) out.push_back(runner->status(log_lines));
    return out;
  }

  Result<void> load(std::string_view model) override {
    return tell(model, [](Runner& runner) { runner.load(); });
  }
  Result<void> unload(std::string_view model) override {
    return tell(model, [](Runner& runner) { runner.unload(); });
  }
  Result<void> pull(std::string_view model) override {
    const RunnerPtr runner = runner_of(model);
    if (!runner) return unknown(model);
    if (auto possible = can_fetch(runner->entry(), context_.places); !possible) return possible;
    return tell(model, [](Runner& told) { told.pull(); });
  }

  void configure(std::vector<ModelEntry> models) override {
    Runners next;
    std::unique_lock lock(mutex_);
    for (auto& entry : models) {
      const auto it = runners_.find(entry.name);
      if (it != runners_.end() && it->second->entry() == entry) {
        next.insert(runners_.extract(it));
      } else {
        const std::string name = entry.name;
        next.emplace(name, make_runner(std::move(entry)));
      }
    }
    for (auto& [name, runner] : runners_) {
      context_.loop.post([runner] { runner->retire(); });
      retired_.push_back(std::move(runner));
    }
    runners_ = std::move(next);
  }

  Task<void> stop() override {
    const auto runners = all();
    for (const auto& runner : runners) runner->begin_stop();
    for (const auto& runner : runners) co_await runner->stopped();
    alive_.reset();
  }

 private:
  std::unexpected<Error> unknown(std::string_view model) const {
    std::vector<std::string> names;
    for (const auto& runner : all()) {
      names.push_back(runner->entry().name);
      const auto& aliases = runner->entry().aliases;
      names.insert(names.end(), aliases.begin(), aliases.end());
    }
    std::ranges::sort(names);  // "default" is one of each kind
    names.erase(std::ranges::unique(names).begin(), names.end());
    const std::string near = did_you_mean(model, names);
    const std::string why = no_catalogue();
    return fail(ErrorKind::NotFound, Origin::Client,
                "the engine has no model \"" + std::string(model.substr(0, 200)) + '"' +
                    (!why.empty()   ? ". " + why
                     : near.empty() ? "; `causeway engine list` shows its models"
                                    : near + " `causeway engine list` shows its models"),
                "model_not_found");
  }

  RunnerPtr make_runner(ModelEntry entry) {
    const bool preload = entry.preload;
    const std::string socket =
        folder_.path() + "/model-" + std::to_string(next_socket_++) + ".sock";
    auto runner = std::make_shared<Runner>(
        context_, std::make_shared<const ModelEntry>(std::move(entry)), socket);
    if (preload) context_.loop.post([runner] { runner->load(); });
    return runner;
  }

  // By its name, or else by an alias: a model of the user's own may be called "default".
  RunnerPtr runner_of(std::string_view model) const {
    std::shared_lock lock(mutex_);
    if (const auto it = runners_.find(model); it != runners_.end()) return it->second;
    for (const auto& [name, runner] : runners_) {
      const auto& aliases = runner->entry().aliases;
      if (std::ranges::find(aliases, model) != aliases.end()) return runner;
    }
    return nullptr;
  }

  Result<void> tell(std::string_view model, void (*action)(Runner&)) {
    const RunnerPtr runner = runner_of(model);
    if (!runner) return unknown(model);
    context_.loop.post([runner, action] { action(*runner); });
    return {};
  }

  std::vector<RunnerPtr> all() const {
    std::shared_lock lock(mutex_);
    std::vector<RunnerPtr> out = retired_;
    for (const auto& [name, runner] : runners_) out.push_back(runner);
    return out;
  }

  void tick() {
    const auto now = std::chrono::steady_clock::now();
    for (const auto& runner : all()) runner->tick(now);
    std::unique_lock lock(mutex_);
    std::erase_if(retired_, [](const RunnerPtr& runner) { return runner->is_gone(); });
  }

  bool make_room(const Runner& newcomer) {
    std::size_t loaded = 0;
    auto runners = all();
    for (const auto& runner : runners) loaded += runner->has_child() ? 1 : 0;
    if (loaded < max_loaded_) return true;
    if (std::ranges::any_of(runners, [](const RunnerPtr& r) { return r->is_stopping(); })) {
      return false;  // that one's room
    }
    std::ranges::sort(runners, {}, [](const RunnerPtr& runner) { return runner->last_used(); });
    for (const auto& runner : runners) {
      if (runner.get() != &newcomer && runner->yield_room()) break;
    }
    return false;  // not yet: the one that was stopped must have ended
  }

  process::PrivateFolder folder_;
  std::unique_ptr<http::Client> client_;
  const std::size_t max_loaded_;
  RunnerContext context_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);

  mutable std::shared_mutex mutex_;
  Runners runners_;                 // guarded by mutex_
  std::uint64_t next_socket_ = 0;   // guarded by mutex_
  std::vector<RunnerPtr> retired_;  // guarded by mutex_; until their last requests have ended
};

}  // namespace

Result<std::unique_ptr<Engine>> make_engine(EngineOptions options, std::vector<ModelEntry> models,
                                            net::Loop& loop, process::Spawner& spawner) {
  std::set<std::string_view> names;
  for (const auto& entry : models) {
    if (!names.insert(entry.name).second) {
      return fail(ErrorKind::InvalidRequest, Origin::Us,
                  "two engine models are called " + entry.name);
    }
  }
  auto folder = process::PrivateFolder::make(options.data_folder, kSocketName);
  if (!folder) return pass(std::move(folder));
  auto engine = std::make_unique<Supervisor>(std::move(options), std::move(*folder), loop, spawner);
  engine->configure(std::move(models));
  return engine;
}

}  // namespace causeway::engine
