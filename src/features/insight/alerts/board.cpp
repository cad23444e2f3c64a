#include "features/insight/alerts/board.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include "core/verb_output.h"
#include "features/insight/alerts/loop_lag.h"
#include "features/insight/alerts/measure.h"
#include "features/insight/alerts/time_text.h"
#include "platform/text/glob.h"

namespace causeway::alerts {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr double kEase = 0.8;         // of the limit: below it, what fires is well again
constexpr double kLagExplains = 0.2;  // of a rise: such a mean, of what comes in pieces
constexpr std::size_t kMostEntries = 200;
constexpr std::size_t kMostRecent = 100;
constexpr auto kNewNormal = 6h;  // a rise that stays so long is compared with itself

Counts total(const Rows& rows) {
  Counts sum;
  for (const Row& row : rows) sum.add(row.counts);
  return sum;
}

bool matches(const std::vector<std::string>& patterns, const std::string& text) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const std::string& pattern) {
           return text::glob_match(pattern, text);
         });
}

std::string value_of(const Subject& subject, Per per) {
  switch (per) {
    case Per::Provider:
      return subject.target.substr(0, subject.target.find('/'));
    case Per::Model:
      return subject.model;
    case Per::Key:
      return subject.key.starts_with(kAddress) ? "" : subject.key;
    case Per::All:
      break;
  }
  return "";
}

std::string_view word_of(Per per) {
  return per == Per::Provider ? "provider" : per == Per::Model ? "model" : "key";
}

bool is_event(Metric metric) {
  return metric == Metric::ModelChange || metric == Metric::Retirement || metric == Metric::Budget;
}

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text;
}

std::string subject_of(const Rule& rule, const Alert& alert) {
  std::string subject = capital(std::string(name_of(rule.when)));
  if (!alert.group.empty()) subject += " of " + alert.group;
  return subject;
}

// What has ended tells how it is now, and behind that how bad it was.
void describe_end(const Rule& rule, std::optional<double> now, double worst, Alert& alert) {
  alert.value = now.value_or(0);
  alert.value_text = now ? said(rule.when, *now) : "no data";
  alert.summary = subject_of(rule, alert) + ": " + alert.value_text + " now, limit " +
                  alert.limit_text + ", at worst " + said(rule.when, worst);
}

std::string advice_of(const std::vector<Cause>& causes) {
  std::vector<std::string> said;
  for (const Cause& cause : causes) {
    if (cause.advice.empty() || std::ranges::find(said, cause.advice) != said.end()) continue;
    said.push_back(cause.advice);
    if (said.size() == 2) break;
  }
  std::string out;
  for (const std::string& one : said) out += (out.empty() ? "" : " ") + one;
  return out.empty() ? "causeway traces shows the requests." : out;
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::NoData:
      return "no_data";
    case State::Ok:
      return "ok";
    case State::Pending:
      return "pending";
    case State::Firing:
      break;
  }
  return "firing";
}

Board::Board(const AlertSettings& settings)
    : settings_(settings), windows_(settings.window, settings.window + settings.baseline) {
  configure(settings);
}

void Board::configure(const AlertSettings& settings) {
  if (settings.window != settings_.window || settings.baseline != settings_.baseline) {
    windows_ = Windows(settings.window, settings.window + settings.baseline);
  }
  settings_ = settings;
  std::vector<Watched> watched;
  for (Rule& rule : all_rules(settings)) {
    const auto old =
        std::ranges::find_if(watched_, [&](const Watched& w) { return w.rule == rule; });
    Watched& made = watched.emplace_back();
    if (old != watched_.end()) made.entries = std::exchange(old->entries, {});
    made.rule = std::move(rule);
  }
  for (const Watched& old : watched_) {
    for (const auto& [value, entry] : old.entries) {
      if (entry.state == State::Firing) orphans_.push_back(entry.alert);
    }
  }
  watched_ = std::move(watched);
}

std::map<std::string, Board::Group> Board::groups(const Watched& watched, const Rows& now_rows,
                                                  const Rows& before_rows) const {
  const Rule& rule = watched.rule;
  std::map<std::string, Group> out;
  for (const auto& [value, entry] : watched.entries) out[value];
  if (rule.per == Per::All) out[""];
  const auto is_meant = [&](const Subject& subject) {
    return matches(rule.targets, subject.target) && matches(rule.models, subject.model) &&
           matches(rule.keys, subject.key);
  };
  for (const Row& row : now_rows) {
    if (!is_meant(row.subject)) continue;
    const std::string value = value_of(row.subject, rule.per);
    if (rule.per != Per::All && value.empty()) continue;
    if (out.size() < kMostEntries || out.contains(value)) out[value].now.push_back(row);
  }
  for (const Row& row : before_rows) {
    if (!is_meant(row.subject)) continue;
    const auto found = out.find(value_of(row.subject, rule.per));
    if (found != out.end()) found->second.before.push_back(row);
  }
  return out;
}

double Board::limit_of(const Rule& rule, const Group& group, const Entry& entry) const {
  double limit = rule.limit;
  if (rule.rise > 0) {
    const bool frozen = entry.state == State::Pending || entry.state == State::Firing;
    const auto usual = measure(rule, total(frozen ? entry.before : group.before),
                               frozen ? entry.before_time : before_time_);
    limit = usual ? std::max(limit, *usual * rule.rise) : -1;
  }
  return limit;
}

std::optional<double> Board::number_of(const Rule& rule, const Group& group) const {
  if (rule.when == Metric::LoopLag) return lag_;
  return measure(rule, total(group.now), settings_.window);
}

std::optional<bool> Board::is_bad(const Rule& rule, const Group& group, const Entry& entry,
                                  double ease) const {
  const auto value = number_of(rule, group);
  if (!value) return std::nullopt;
  const double limit = limit_of(rule, group, entry);
  if (limit < 0) return std::nullopt;
  return *value > limit * ease;
}

void Board::look(Watched& watched, const std::string& value, Group group, Changes& changes) {
  const Rule& rule = watched.rule;
  auto [at, made] = watched.entries.try_emplace(value);
  Entry& entry = at->second;
  const bool firing = entry.state == State::Firing;
  const auto bad = is_bad(rule, group, entry, firing ? kEase : 1.0);
  watched.has_data |= bad.has_value();
  if (firing) {
    if (bad.value_or(false)) {
      entry.last_bad = now_;
      describe(rule, value, group, entry);
      if (now_ - entry.since > kNewNormal) {
        entry.before = std::move(group.before);
        entry.before_time = before_time_;
      }
    } else if (now_ - entry.last_bad >= rule.clear) {
      describe_end(rule, number_of(rule, group), entry.worst, entry.alert);
      end(watched, at, changes);
    }
    return;
  }
  if (!bad.value_or(false)) {
    watched.entries.erase(at);
    return;
  }
  if (entry.state != State::Pending) {
    entry.state = State::Pending;
    entry.since = now_;
    entry.before = group.before;
    entry.before_time = before_time_;
  }
  if (now_ - entry.since < rule.hold) return;
  fire(rule, value, group, entry);
  changes.began.push_back(entry.alert);
}

void Board::fire(const Rule& rule, const std::string& value, const Group& group, Entry& entry) {
  entry.state = State::Firing;
  entry.since = entry.last_bad = now_;
  entry.alert.id = next_id();
  entry.alert.rule = rule.name;
  entry.alert.severity = rule.severity;
  entry.alert.receivers = rule.receivers;
  entry.alert.since = wall_;
  if (!value.empty()) entry.alert.group = std::string(word_of(rule.per)) + " " + value;
  describe(rule, value, group, entry);
}

void Board::describe(const Rule& rule, const std::string& value, const Group& group,
                     Entry& entry) const {
  Alert& alert = entry.alert;
  const double window = static_cast<double>(settings_.window.count());
  Rise rise{
      rule,     group.now, entry.before, window, static_cast<double>(entry.before_time.count()),
      rule.per, value};
  alert.causes = find_causes(rise);
  alert.advice = advice_of(alert.causes);
  alert.value = number_of(rule, group).value_or(0);
  entry.worst = std::max(entry.worst, alert.value);
  alert.limit = limit_of(rule, group, entry);
  alert.value_text = said(rule.when, alert.value);
  alert.limit_text = said(rule.when, alert.limit);
  alert.summary = subject_of(rule, alert) + ": " + alert.value_text + ", limit " + alert.limit_text;
  const auto usual = measure(rule, total(entry.before), entry.before_time);
  if (usual) alert.summary += ", usually " + said(rule.when, *usual);
  add_lag(rule, usual.value_or(0), alert);
  alert.traces = "?since=" + url_encoded(time_text(alert.since - settings_.window));
  if (rule.when == Metric::Errors || rule.when == Metric::FailedAuth) alert.traces += "&errors=1";
  if (rule.when == Metric::FailedAuth) alert.traces += "&error=unauthenticated";
  std::set<std::string_view> named;                        // of two of a kind, the first
  const bool tries = rule.when == Metric::ProviderErrors;  // another target may have answered
  const std::string_view target = tries ? "&failed_target=" : "&target=";
  for (const Cause& cause : alert.causes) {
    if (!named.insert(cause.kind).second) continue;
    if (cause.kind == "provider") alert.traces.append(target) += url_encoded(cause.name + "/*");
    if (cause.kind == "model") alert.traces += "&model=" + url_encoded(cause.name);
    if (cause.kind == "key") alert.traces += "&key=" + url_encoded(cause.name);
  }
  if (tries && !named.contains("provider")) alert.traces += "&failed_target=*";
}

// A gateway that is late makes every provider look slow: nobody is to be sent after these first.
// But one that was late a little does not explain much.
void Board::add_lag(const Rule& rule, double usual, Alert& alert) const {
  const bool is_lag = rule.when == Metric::LoopLag;
  if (!is_lag && rule.when != Metric::Latency && rule.when != Metric::FirstToken) return;
  if (!lag_ || (!is_lag && *lag_ < kLagWorthAWord)) return;
  Cause cause = cause_of_lag(*lag_);
  if (!is_lag && *lag_ < kLagExplains * (alert.value - usual)) {
    alert.causes.push_back(std::move(cause));
    return;
  }
  alert.advice = cause.advice;
  if (!is_lag && !alert.causes.empty()) {
    alert.advice += " What is said of providers beside it may come of it alone.";
  }
  alert.causes.insert(alert.causes.begin(), std::move(cause));
}

void Board::end(Alert alert, Changes& changes) {
  alert.ended = wall_;
  changes.ended.push_back(alert);
  recent_.push_front(std::move(alert));
  if (recent_.size() > kMostRecent) recent_.pop_back();
}

void Board::end(Watched& watched, std::map<std::string, Entry>::iterator at, Changes& changes) {
  Alert alert = std::move(at->second.alert);
  watched.entries.erase(at);
  end(std::move(alert), changes);
}

void Board::look(Watched& watched, const Rows& now_rows, const Rows& before_rows,
                 Changes& changes) {
  watched.has_data = false;
  for (auto& [value, group] : groups(watched, now_rows, before_rows)) {
    look(watched, value, std::move(group), changes);
  }
}

void Board::look_at_events(Watched& watched, const std::vector<Event>& events, Changes& changes) {
  const Rule& rule = watched.rule;
  watched.has_data = true;
  std::set<std::string> there;
  for (const Event& event : events) {
    if (event.metric != rule.when || !matches(rule.targets, event.target)) continue;
    if (rule.when == Metric::Retirement && event.value > rule.limit) continue;
    if (watched.entries.size() >= kMostEntries) break;
    there.insert(event.subject);
    Entry& entry = watched.entries[event.subject];
    const bool began = entry.state != State::Firing;
    if (began) fire(rule, "", {}, entry);
    Alert& alert = entry.alert;
    alert.group = event.subject;
    alert.summary = event.text;
    alert.causes = {event.cause};
    alert.advice = event.cause.advice;
    alert.value = event.value;
    alert.limit = rule.limit;
    const bool is_number = rule.when == Metric::Retirement;
    alert.value_text = is_number ? said(rule.when, event.value) : std::string();
    alert.limit_text = is_number ? said(rule.when, rule.limit) : std::string();
    if (!event.target.empty()) alert.traces = "?target=" + url_encoded(event.target);
    if (began) changes.began.push_back(alert);
  }
  for (auto at = watched.entries.begin(); at != watched.entries.end();) {
    const auto here = at++;
    if (there.contains(here->first)) continue;
    here->second.alert.summary.insert(0, "No longer: ");
    end(watched, here, changes);
  }
}

Board::Changes Board::tick(Monotonic now, Wall wall, Rows rows, const std::vector<Event>& events,
                           std::optional<double> lag) {
  now_ = now;
  lag_ = lag;
  wall_ = wall;
  windows_.add(now, std::move(rows));
  const Rows now_rows = windows_.sum(now, settings_.window);
  const Rows before_rows =
      windows_.sum(now, settings_.window + settings_.baseline, settings_.window);
  before_time_ =
      std::clamp(windows_.age(now) - settings_.window, milliseconds(0), settings_.baseline);
  // So short a time says nothing of what is usual in an hour.
  if (before_time_ < settings_.window) before_time_ = milliseconds(0);
  Changes changes;
  for (Alert& orphan : std::exchange(orphans_, {})) end(std::move(orphan), changes);
  for (Watched& watched : watched_) {
    if (is_event(watched.rule.when)) {
      look_at_events(watched, events, changes);
    } else {
      look(watched, now_rows, before_rows, changes);
    }
  }
  return changes;
}

std::vector<Alert> Board::active() const {
  std::vector<Alert> out;
  for (const Watched& watched : watched_) {
    for (const auto& [value, entry] : watched.entries) {
      if (entry.state == State::Firing) out.push_back(entry.alert);
    }
  }
  std::ranges::stable_sort(out, std::greater(), &Alert::severity);
  return out;
}

std::vector<Board::RuleState> Board::rules() const {
  std::vector<RuleState> out;
  for (const Watched& watched : watched_) {
    State state = watched.has_data ? State::Ok : State::NoData;
    for (const auto& [value, entry] : watched.entries) state = std::max(state, entry.state);
    out.push_back({&watched.rule, state});
  }
  return out;
}

std::string Board::next_id() {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wall_).time_since_epoch().count();
  char text[40];
  std::snprintf(text, sizeof text, "al_%llx_%llu", static_cast<unsigned long long>(seconds),
                static_cast<unsigned long long>(++made_));
  return text;
}

}  // namespace causeway::alerts
