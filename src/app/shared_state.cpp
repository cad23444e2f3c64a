#include "app/shared_state.h"

#include <algorithm>

#include "app/loops.h"

namespace causeway::app {

SharedState::SharedState(const SharedStateConfig& config, log::Log& log, metrics::Registry& metrics)
    : log_(log) {
  if (config.redis.empty()) return;
  auto settings = redis::parse_url(config.redis.reveal());
  if (!settings) return;  // the configuration was checked
  settings_ = std::move(*settings);
  settings_->timeout = config.timeout;
  settings_->ca_file = config.ca_file;
  declare_metrics(metrics);
}

void SharedState::attach(LoopUnit& unit) {
  if (!settings_) return;
  const std::size_t place = clients_.size();
  {
    const std::lock_guard lock(mutex_);
    states_.emplace_back();
  }
  unit.redis = redis::make_client(unit.loop, *settings_, [this, &unit, place](bool answers) {
    note(*unit.redis, place, answers);
  });
  unit.context.redis = unit.redis.get();
  clients_.push_back(unit.redis.get());
}

void SharedState::note(const redis::Client& client, std::size_t place, bool answers) {
  {
    const std::lock_guard lock(mutex_);
    states_[place] = answers;
  }
  // The log keeps what differs: the loops see the same, one a little after the other.
  const std::string state = text();
  if (state == "answers") log_.state(log::Level::Info, "shared state", state);
  if (state != "lost") return;
  log_.state(log::Level::Warn, "shared state", state,
             {{"redis", settings_->place()}, {"why", client.last_failure()}});
}

std::string SharedState::text() const {
  if (!settings_) return "off";
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(states_, std::optional(false)) != states_.end()) return "lost";
  const bool known = std::ranges::find(states_, std::optional<bool>()) == states_.end();
  return known ? "answers" : "connecting";
}

void SharedState::declare_metrics(metrics::Registry& metrics) {
  using metrics::SampleSink;
  using Stats = redis::Client::Stats;
  const auto sum = [this](std::uint64_t Stats::* field) {
    return [this, field](SampleSink& sink) {
      std::uint64_t all = 0;
      for (const redis::Client* client : clients_) all += client->stats().*field;
      sink.add(std::initializer_list<std::string_view>{}, static_cast<double>(all));
    };
  };
  metrics.sampled(metrics::Kind::Gauge,
                  {"causeway_shared_state_up", "1 while Redis answers on every loop, else 0.", {}},
                  [this](SampleSink& sink) {
                    sink.add(std::initializer_list<std::string_view>{},
                             text() == "answers" ? 1.0 : 0.0);
                  });
  metrics.sampled(metrics::Kind::Counter,
                  {"causeway_shared_state_calls_total", "Calls to the shared state.", {}},
                  sum(&Stats::commands));
  metrics.sampled(
      metrics::Kind::Counter,
      {"causeway_shared_state_timeouts_total", "Calls that Redis did not answer in time.", {}},
      sum(&Stats::timeouts));
  metrics.sampled(metrics::Kind::Counter,
                  {"causeway_shared_state_refused_total",
                   "Calls that were not made: the breaker is open, or too many wait.",
                   {}},
                  sum(&Stats::refused));
  metrics.sampled(
      metrics::Kind::Counter,
      {"causeway_shared_state_connections_total", "Connections to Redis that came about.", {}},
      sum(&Stats::connects));
}

}  // namespace causeway::app
