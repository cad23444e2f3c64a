#include "features/insight/alerts/feature.h"

#include "features/insight/alerts/time_text.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"

namespace causeway::alerts {
namespace {

Event event_of(const Retiring& retiring, Wall wall) {
  const auto today = std::chrono::floor<std::chrono::days>(wall);
  const auto days = (retiring.day - today).count();
  const std::string day = day_text(retiring.day);
  Event event;
  event.metric = Metric::Retirement;
  event.subject = "target " + retiring.target;
  event.target = retiring.target;
  event.value = static_cast<double>(days);
  event.text = "Target " + retiring.target +
               (days >= 0 ? " is retired on " + day + ", in " + std::to_string(days) + " days"
                          : " was to be retired on " + day);
  event.cause = {
      "provider", retiring.target.substr(0, retiring.target.find('/')), 1,
      "retirement on " + day + ", says " + retiring.source,
      "Try its successor now and name it in `models`; alerts.retires corrects the date."};
  return event;
}

Event event_of(const NearlySpent& spent) {
  const std::string whose = spent.subject.empty() ? "" : " of " + spent.subject;
  Event event;
  event.metric = Metric::Budget;
  event.subject = "budget " + spent.limit + whose;
  event.text = "Budget \"" + spent.limit + "\"" + whose + " is nearly spent; it is new at " +
               time_text(spent.until);
  event.cause = {"limit", spent.limit, 1, "the soft part of the budget has been spent",
                 "See who spends it (causeway usage --by key), raise the limit, or let it end."};
  return event;
}

std::string causes_text(const Alert& alert) {
  std::string out;
  for (const Cause& cause : alert.causes) out += (out.empty() ? "" : "; ") + plain(cause.text);
  return out;
}

}  // namespace

AlertsFeature::AlertsFeature(Parts parts, const AlertSettings& settings)
    : parts_(std::move(parts)),
      settings_(settings),
      stage_(parts_.loops),
      collector_(stage_.cells()),
      board_(settings),
      makers_(&parts_.store),
      makers_read_(static_cast<std::size_t>(parts_.loops)),
      silences_(parts_.store),
      outlets_(parts_.clock, parts_.log) {}

Result<void> AlertsFeature::load() {
  if (auto loaded = makers_.load(); !loaded) return loaded;
  return silences_.load(parts_.clock.wall());
}

void AlertsFeature::configure(const AlertSettings& settings, std::vector<Retiring> retiring) {
  settings_ = settings;
  retiring_ = std::move(retiring);
  board_.configure(settings);
  outlets_.configure(settings);
}

std::vector<Event> AlertsFeature::events(Wall wall) {
  std::vector<Maker> heard;
  for (std::size_t i = 0; i < makers_read_.size(); ++i) {
    stage_.makers()[i]->read(makers_read_[i], heard);
  }
  for (const Maker& maker : heard) makers_.hear(maker, wall, settings_.baseline);
  std::vector<Event> events = makers_.events(wall);
  for (const Retiring& retiring : retiring_) events.push_back(event_of(retiring, wall));
  if (parts_.nearly_spent) {
    for (const NearlySpent& spent : parts_.nearly_spent(wall)) events.push_back(event_of(spent));
  }
  return events;
}

void AlertsFeature::log_began(const Alert& alert) {
  const auto level = alert.severity == Severity::Page ? log::Level::Error : log::Level::Warn;
  parts_.log.write(level, "alert",
                   {{"rule", alert.rule},
                    {"summary", plain(alert.summary)},
                    {"cause", causes_text(alert)},
                    {"do", plain(alert.advice)},
                    {"id", alert.id}});
}

void AlertsFeature::tick() {
  const Monotonic now = parts_.clock.now();
  const Wall wall = parts_.clock.wall();
  const auto lag = lag_.look(now, parts_.lateness(), settings_.window);
  const Board::Changes changes = board_.tick(now, wall, collector_.take(), events(wall), lag);
  const auto is_silenced = [&](const Alert& alert) {
    return silences_.until(alert, wall).has_value();
  };
  for (const Alert& alert : changes.began) {
    if (!is_silenced(alert)) log_began(alert);
  }
  for (const Alert& alert : changes.ended) {
    if (is_silenced(alert)) continue;
    parts_.log.info("alert is over", {{"rule", alert.rule},
                                      {"about", plain(alert.group)},
                                      {"since", time_text(alert.since)},
                                      {"id", alert.id}});
  }
  const Notifier::Times times{settings_.group_wait, settings_.repeat};
  auto message = notifier_.due(now, times, board_.active(), changes.ended, is_silenced);
  if (message) tell(*message);
  outlets_.tidy();
}

void AlertsFeature::tell(const Message& message) {
  const std::string id = "am_" + crypto::to_base32(crypto::random_bytes(10));
  for (const auto& [name, outlet] : outlets_.all()) {
    Message part = for_receiver(message, name);
    if (part.empty()) continue;
    part.id = id;
    part.made = parts_.clock.wall();
    if (!outlet->put(std::move(part))) {
      parts_.log.warn("an alert's message was dropped: too many wait for the receiver",
                      {{"receiver", name}});
    }
  }
}

void AlertsFeature::declare_metrics(metrics::Registry& registry) {
  using metrics::Kind;
  using metrics::SampleSink;
  registry.sampled(Kind::Gauge,
                   {.name = "causeway_alerts_active",
                    .help = "1 for each rule of which an alert is firing.",
                    .labels = {"rule"}},
                   [this](SampleSink& sink) {
                     for (const auto& [rule, state] : board_.rules()) {
                       sink.add({rule->name}, state == State::Firing ? 1.0 : 0.0);
                     }
                   });
  registry.sampled(
      Kind::Counter,
      {.name = "causeway_alert_messages_total",
       .help = "Messages about alerts, by receiver: sent, given_up after all tries, dropped from a "
               "full queue; failed counts tries.",
       .labels = {"receiver", "result"}},
      [this](SampleSink& sink) {
        for (const auto& [name, outlet] : outlets_.all()) {
          const OutletCounts counts = outlet->counts();
          sink.add({name, "sent"}, static_cast<double>(counts.sent));
          sink.add({name, "failed"}, static_cast<double>(counts.failed));
          sink.add({name, "given_up"}, static_cast<double>(counts.given_up));
          sink.add({name, "dropped"}, static_cast<double>(counts.dropped));
        }
      });
  registry.sampled(
      Kind::Counter,
      {.name = "causeway_alert_others_total",
       .help = "Exchanges that were counted under \"other\": too many targets, models and keys.",
       .labels = {}},
      [this](SampleSink& sink) {
        std::uint64_t others = 0;
        for (const auto& cells : stage_.cells()) others += cells->others();
        sink.add({}, static_cast<double>(others));
      });
}

}  // namespace causeway::alerts
