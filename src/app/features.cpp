// What is in the program: every feature, built with what it needs. Reading this file shows it all.
#include "app/features.h"

#include <filesystem>
#include <set>

#include "app/program.h"
#include "app/upstreams.h"
#include "engine/manifest.h"
#include "features/access/keys/feature.h"
#include "features/access/roles/stage.h"
#include "features/access/sessions/feature.h"
#include "features/insight/access_log/feature.h"
#include "features/insight/alerts/feature.h"
#include "features/insight/evaluation/feature.h"
#include "features/insight/ledger/feature.h"
#include "features/insight/metrics/feature.h"
#include "features/insight/otlp/feature.h"
#include "features/insight/playground/feature.h"
#include "features/insight/traces/feature.h"
#include "features/privacy/minimise/stage.h"
#include "features/privacy/pii/feature.h"
#include "features/traffic/anomalies/feature.h"
#include "features/traffic/cache/feature.h"
#include "features/traffic/faq/feature.h"
#include "features/traffic/limits/feature.h"
#include "features/traffic/overload/feature.h"
#include "features/traffic/routing/feature.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"
#include "platform/http/client.h"
#include "platform/store/kept_secret.h"
#include "providers/embedded/config.h"

namespace causeway::app {
namespace {

/// Stages that need neither routes nor verbs.
class StagesFeature final : public Feature {
 public:
  StagesFeature(std::string_view name, std::vector<std::unique_ptr<Stage>> stages)
      : name_(name), stages_(std::move(stages)) {}
  std::string_view name() const override { return name_; }
  std::vector<Stage*> stages() override {
    std::vector<Stage*> all;
    for (const auto& stage : stages_) all.push_back(stage.get());
    return all;
  }

 private:
  std::string_view name_;
  std::vector<std::unique_ptr<Stage>> stages_;
};

template <class... Stages>
std::unique_ptr<Feature> feature_of(std::string_view name, std::unique_ptr<Stages>... stages) {
  std::vector<std::unique_ptr<Stage>> all;
  (all.push_back(std::move(stages)), ...);
  return std::make_unique<StagesFeature>(name, std::move(all));
}

/// For features that show keys by their names.
template <class Names>
Names key_names(const keys::KeyRing& ring) {
  // What the program asks for itself goes by names that are no ids of keys.
  const auto is_own = [](std::string_view id) { return id == playground::kKey || id == faq::kKey; };
  return {[&ring, is_own](std::string_view id) {
            if (is_own(id)) return std::string(id);
            const auto key = ring.get(id);
            return key ? (*key)->principal.key_name : std::string();
          },
          [&ring, is_own](std::string_view id_or_name) {
            const auto key = ring.get(id_or_name);
            if (key) return (*key)->principal.key_id;
            return is_own(id_or_name) ? std::string(id_or_name) : std::string();
          }};
}

/// What a block of a key goes by.
Result<std::string> name_to_block(const keys::KeyRing& ring, std::string_view id_or_name) {
  auto key = ring.get(id_or_name);
  if (!key) return pass(std::move(key));
  const auto refuse = [&key](std::string_view why) {
    auto error =
        fail(ErrorKind::InvalidRequest, Origin::Client,
             "the key \"" + (*key)->principal.key_name + "\" " + std::string(why), "invalid_block");
    error.error().param = "who";
    return error;
  };
  if ((*key)->revoked) return refuse("is revoked: it opens nothing any more");
  if ((*key)->kind != keys::KeyKind::Application) {
    return refuse("is of the admin port, which no block concerns; `causeway keys revoke` ends it");
  }
  return (*key)->principal.key_name;
}

}  // namespace

std::string executable_path() {
  std::error_code failed;
  return std::filesystem::read_symlink("/proc/self/exe", failed).string();
}

Result<void> Program::make_features() {
  SlotLayout slots;
  const int loops = metrics_->loops();
  const auto post = [this](std::move_only_function<void()> action) {
    control_.post(std::move(action));
  };
  auto keys = std::make_unique<keys::KeysFeature>(*ring_, slots, *workers_, post, clock_);
  keys_feature_ = keys.get();
  auto ledger = std::make_unique<ledger::LedgerFeature>(
      ledger::LedgerFeature::Parts{*ledger_, slots, vocabulary_.ledger, loops, *workers_, post,
                                   key_names<ledger::KeyNames>(*ring_), clock_});
  ledger->set_prices(price_settings(config_));
  ledger->declare_metrics(*metrics_);
  ledger_feature_ = ledger.get();
  features_.push_back(feature_of("admit", std::make_unique<admit::AdmitStage>(gate_)));
  features_.push_back(
      std::make_unique<access_log::AccessLogFeature>(access_log_.get(), vocabulary_.log, loops));
  auto otlp = make_otlp();
  features_.push_back(make_traces(slots));
  features_.push_back(std::move(otlp));  // behind traces, which end first: they write to it
  if (auto made = make_alerts(); !made) return made;
  features_.push_back(make_metrics());
  features_.push_back(std::move(ledger));
  features_.push_back(std::move(keys));
  auto sessions = std::make_unique<sessions::SessionsFeature>(admin_key_lookup(), *log_, clock_);
  sessions_feature_ = sessions.get();
  features_.push_back(std::move(sessions));
  auto faq = std::make_unique<faq::FaqFeature>(
      faq::FaqFeature::Parts{vocabulary_.faq, *store_, *sealed_, clock_, *metrics_, *workers_, post,
                             [this] { return asker_.get(); }});
  faq_feature_ = faq.get();
  if (auto opened = faq->open(); !opened) return opened;
  features_.push_back(std::move(faq));
  features_.push_back(
      feature_of("minimise", std::make_unique<minimise::MinimiseStage>(vocabulary_.minimise)));
  auto pii_secret = store::kept_secret(*folder_, "pii-secret", false);
  if (!pii_secret) return pass(std::move(pii_secret));
  auto pii = std::make_unique<pii::PiiFeature>(pii::PiiFeature::Parts{
      vocabulary_.pii, slots, *metrics_, clock_, *data_files_, post, std::move(*pii_secret)});
  pii_feature_ = pii.get();
  features_.push_back(std::move(pii));
  features_.push_back(feature_of("roles", std::make_unique<roles::AllowStage>(vocabulary_.models)));
  target_states_.configure(config_.breaker, any_quota(config_.providers));
  auto routing = std::make_unique<routing::RoutingFeature>(
      target_states_, vocabulary_.pass_through, vocabulary_.priority,
      [key = vocabulary_.settings.retries](const Sections& sections) {
        return sections.get(key).wait;
      },
      slots, loops);
  routing->declare_metrics(*metrics_);
  features_.push_back(std::move(routing));
  if (auto made = make_limits(slots); !made) return made;
  if (auto made = make_anomalies(); !made) return made;
  if (auto made = make_cache(slots); !made) return made;
  auto overload = std::make_unique<overload::OverloadFeature>(
      vocabulary_.overload,
      [key = vocabulary_.priority](const Sections& sections) {
        return static_cast<int>(sections.get(key));
      },
      slots, loops);
  overload->declare_metrics(*metrics_);
  features_.push_back(std::move(overload));
  if (auto made = make_operators_features(); !made) return made;
  pipeline_ = make_pipeline(features_, std::move(slots));
  std::vector<std::string> names;
  for (const Stage* stage : pipeline_->stages) names.emplace_back(stage->name());
  otlp_feature_->exporter().set_stages(names);
  otlp_feature_->exporter().configure(config_.otlp);
  traces_feature_->set_stages(std::move(names));
  return {};
}

std::unique_ptr<Feature> Program::make_otlp() {
  auto otlp = std::make_unique<otlp::OtlpFeature>(otlp::Exporter::Parts{
      *metrics_,
      [this](std::move_only_function<void()> action) { control_.post(std::move(action)); }, *log_,
      clock_, CAUSEWAY_VERSION, crypto::to_hex(crypto::random_bytes(8))});
  otlp->declare_metrics(*metrics_);
  otlp_feature_ = otlp.get();
  return otlp;
}

std::unique_ptr<Feature> Program::make_traces(SlotLayout& slots) {
  traces::Archive::Parts archive{
      .folder = folder_->file("traces"),
      .sealed = *sealed_,
      .log = *log_,
      .clock = clock_,
      .loops = metrics_->loops(),
      .keep = config_.traces,
      .program = CAUSEWAY_VERSION,
      .also = [this](const ExchangeRecord& one) { otlp_feature_->exporter().add(one); },
  };
  auto traces = std::make_unique<traces::TracesFeature>(traces::TracesFeature::Parts{
      std::move(archive), vocabulary_.traces, slots, *workers_,
      [this](std::move_only_function<void()> action) { control_.post(std::move(action)); },
      [this](std::chrono::milliseconds time) { return control_.sleep(time); },
      [this] { return gate_.draining.load(); }, key_names<traces::KeyNames>(*ring_)});
  traces->declare_metrics(*metrics_);
  traces_feature_ = traces.get();
  return traces;
}

Result<void> Program::make_limits(SlotLayout& slots) {
  std::string told;
  auto budgets = limits::BudgetFile::open(folder_->file("budgets"), told);
  if (!budgets) return pass(std::move(budgets));
  if (!told.empty()) log_->warn(told);
  auto limits = std::make_unique<limits::LimitsFeature>(
      limits::LimitsFeature::Parts{
          vocabulary_.limits, slots, clock_, *log_, *workers_, metrics_->loops(),
          config_.shared_state.redis.empty() ? 0 : config_.shared_state.replicas},
      config_.limits, std::move(*budgets));
  limits->declare_metrics(*metrics_);
  limits_feature_ = limits.get();
  features_.push_back(std::move(limits));
  return {};
}

Result<void> Program::make_anomalies() {
  auto anomalies = std::make_unique<anomalies::AnomaliesFeature>(
      anomalies::AnomaliesFeature::Parts{
          *store_, *log_, clock_, *workers_,
          [this](std::move_only_function<void()> action) { control_.post(std::move(action)); },
          [this](std::string_view id_or_name) { return name_to_block(*ring_, id_or_name); }},
      config_.anomalies);
  if (auto loaded = anomalies->load(); !loaded) return loaded;
  anomalies->declare_metrics(*metrics_);
  anomalies_feature_ = anomalies.get();
  features_.push_back(std::move(anomalies));
  return {};
}

Result<void> Program::make_cache(SlotLayout& slots) {
  const SharedStateConfig& shared = config_.shared_state;
  auto cache = std::make_unique<cache::CacheFeature>(
      cache::CacheFeature::Parts{
          vocabulary_.cache, slots, *folder_, *sealed_, clock_, *workers_,
          [this](std::move_only_function<void()> action) { control_.post(std::move(action)); },
          shared.redis.empty() ? Secret() : shared.key},
      config_.cache);
  if (auto opened = cache->open(); !opened) return opened;
  cache->declare_metrics(*metrics_);
  cache_feature_ = cache.get();
  features_.push_back(std::move(cache));
  return {};
}

// What takes recorded exchanges up again.
Result<void> Program::make_operators_features() {
  const RecordedById trace = [this](const std::string& id) {
    return traces_feature_->recorded(id);
  };
  const auto post = [this](std::move_only_function<void()> action) {
    control_.post(std::move(action));
  };
  auto evaluation = std::make_unique<evaluation::EvaluationFeature>(
      evaluation::EvaluationFeature::Parts{*store_, *sealed_, clock_, trace, *workers_, post});
  if (auto opened = evaluation->open(); !opened) return opened;
  const RecordedById trace_or_case = [trace, &cases = evaluation->cases()](const std::string& id) {
    return evaluation::TestCases::is_id(id) ? cases.recorded(id) : trace(id);
  };
  features_.push_back(std::move(evaluation));
  features_.push_back(
      std::make_unique<playground::PlaygroundFeature>(playground::PlaygroundFeature::Parts{
          [this] { return asker_.get(); }, [this] { return latest_snapshot_; }, trace_or_case,
          *workers_, post}));
  return {};
}

Result<void> Program::make_alerts() {
  alerts::AlertsFeature::Parts parts{
      *store_,
      *workers_,
      [this](std::move_only_function<void()> action) { control_.post(std::move(action)); },
      clock_,
      *log_,
      metrics_->loops(),
      [this](Wall now) {
        std::vector<alerts::NearlySpent> all;
        for (auto& one : limits_feature_->nearly_spent(now)) {
          all.push_back({std::move(one.limit), std::move(one.subject), one.until});
        }
        return all;
      },
      [this] { return loops_->lateness(); }};
  auto alerts = std::make_unique<alerts::AlertsFeature>(std::move(parts), config_.alerts);
  if (auto loaded = alerts->load(); !loaded) return loaded;
  alerts->declare_metrics(*metrics_);
  alerts_feature_ = alerts.get();
  features_.push_back(std::move(alerts));
  return {};
}

// Of the targets that the configuration names: what it says itself, else what the price catalogue
// knows.
std::vector<alerts::Retiring> retiring_targets(const AppConfig& config) {
  std::vector<alerts::Retiring> found;
  const auto known = price_settings(config).catalogue;
  std::set<std::string> seen;
  for (const auto& model : config.models) {
    for (const auto& target : all_targets(model.value)) {
      if (!seen.insert(*target).second) continue;
      std::string day;
      std::string source = "alerts.retires";
      if (const std::string* said = config.alerts.retires.find(*target)) {
        day = *said;
      } else {
        const auto slash = std::min(target->find('/'), target->size());
        const auto provider = known.find(target->substr(0, slash));
        if (provider == known.end() || slash == target->size()) continue;
        const auto entry = ledger::find_in_catalogue(provider->second, target->substr(slash + 1));
        // The date of another version of the model says nothing of this one.
        if (entry && entry->name == target->substr(slash + 1)) day = entry->deprecated;
        source = "the price catalogue";
      }
      if (const auto parsed = alerts::parse_day(day)) found.push_back({*target, *parsed, source});
    }
  }
  return found;
}

std::unique_ptr<Feature> Program::make_metrics() {
  auto metrics = std::make_unique<metrics::MetricsFeature>(
      metrics::MetricsFeature::Parts{*metrics_, clock_, [this] { return gate_.running.load(); },
                                     [this] { return config_.prices.currency; }});
  metrics_feature_ = metrics.get();
  return metrics;
}

ledger::PriceSettings price_settings(const AppConfig& config) {
  // The price list is per million tokens in millionths of the currency, which is the same number of
  // billionths per thousand tokens, and a million times as many picos per token over a million.
  const auto pico = [](const std::optional<config::Money>& money) -> std::optional<ledger::Pico> {
    if (!money) return std::nullopt;
    return money->micros;
  };
  ledger::PriceSettings settings;
  settings.currency = config.prices.currency;
  for (const auto& entry : config.prices.models) {
    settings.models[entry.name] = {pico(entry.value.input), pico(entry.value.output),
                                   pico(entry.value.cache_read), pico(entry.value.cache_write)};
  }
  for (const auto& entry : config.prices.per_hour) {
    settings.per_hour[entry.name] = entry.value.micros * 1000;
  }
  for (const auto& provider : config.providers) {
    const UpstreamConfig* upstream = upstream_of(provider.value);
    if (!upstream) continue;
    std::string path;
    const auto endpoint = http::parse_url(upstream->base_url, path);
    std::string_view known = endpoint
                                 ? ledger::catalogue_provider(provider.value.kind(), endpoint->host)
                                 : std::string_view();
    // A provider that is called by a catalogue's name is priced as that one, wherever it stands: a
    // proxy in between does not change what is paid.
    if (known.empty())
      known = ledger::catalogue_provider("openai", "api." + provider.name + ".com");
    if (!known.empty()) settings.catalogue[provider.name] = known;
  }
  return settings;
}

Result<std::vector<engine::ModelEntry>> embedded_models(const AppConfig& config,
                                                        const engine::Places& places) {
  auto catalogue = engine::read_manifest(places.manifest());
  // A program without its share folder still runs models that the user names.
  std::vector<engine::ModelEntry> known;
  if (catalogue) known = std::move(*catalogue);
  for (const auto& provider : config.providers) {
    if (const auto* embedded = provider.value.as<embedded::EmbeddedConfig>()) {
      return embedded::entries(*embedded, std::move(known));
    }
  }
  return std::vector<engine::ModelEntry>{};
}

}  // namespace causeway::app
