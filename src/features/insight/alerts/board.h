// The state of every rule: which alerts are pending, firing and over. Knows no clock but the times
// that it is given, and no world but the rows of counts, so that tests run it through hours.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "features/insight/alerts/causes.h"
#include "features/insight/alerts/windows.h"

namespace causeway::alerts {

struct Alert {
  std::string id;  // stable for as long as it fires
  std::string rule;
  Severity severity = Severity::Ticket;
  std::vector<std::string> receivers;  // empty = all
  std::string group;                   // what it is about: "provider openai"; empty = everything
  Wall since{};
  std::optional<Wall> ended;
  std::string summary, advice;
  std::vector<Cause> causes;
  double value = 0, limit = 0;
  std::string value_text, limit_text;
  std::string traces;  // query of /api/traces that shows it
};

enum class State : std::uint8_t { NoData, Ok, Pending, Firing };
std::string_view to_string(State state);

/// Something that happened rather than rose: a model that changed, a date that is near, a budget
/// that is nearly spent.
struct Event {
  Metric metric = Metric::ModelChange;
  std::string subject;  // one alert each
  std::string target;   // whose traces show it; empty = nobody's
  std::string text;
  Cause cause;
  double value = 0;  // days ahead, of a retirement
};

class Board {
 public:
  explicit Board(const AlertSettings& settings);

  /// New settings; alerts of rules that are as before go on, those of others end.
  void configure(const AlertSettings& settings);

  struct Changes {
    std::vector<Alert> began, ended;
  };
  /// Looks at every rule. `rows` is what was counted since the last call, `events` all that hold
  /// now, `lag` how late the loops are (µs; nothing: not known).
  Changes tick(Monotonic now, Wall wall, Rows rows, const std::vector<Event>& events,
               std::optional<double> lag = std::nullopt);

  std::vector<Alert> active() const;
  const std::deque<Alert>& recent() const { return recent_; }
  struct RuleState {
    const Rule* rule;
    State state;
  };
  std::vector<RuleState> rules() const;

 private:
  /// One rule for one value of what it is `per`.
  struct Entry {
    State state = State::Ok;
    Monotonic since{};     // of the state
    Monotonic last_bad{};  // while firing: when it was last not well
    double worst = 0;      // value while it fires
    Rows before;           // the baseline as it was before the rise
    std::chrono::milliseconds before_time{0};
    Alert alert;
  };
  struct Group {
    Rows now, before;
  };
  struct Watched {
    Rule rule;
    std::map<std::string, Entry> entries;
    bool has_data = false;
  };

  void look(Watched& watched, const Rows& now_rows, const Rows& before_rows, Changes& changes);
  void look(Watched& watched, const std::string& value, Group group, Changes& changes);
  void look_at_events(Watched& watched, const std::vector<Event>& events, Changes& changes);
  std::map<std::string, Group> groups(const Watched& watched, const Rows& now_rows,
                                      const Rows& before_rows) const;
  /// Nothing: no data.
  std::optional<double> number_of(const Rule& rule, const Group& group) const;
  std::optional<bool> is_bad(const Rule& rule, const Group& group, const Entry& entry,
                             double ease) const;
  double limit_of(const Rule& rule, const Group& group, const Entry& entry) const;
  void fire(const Rule& rule, const std::string& value, const Group& group, Entry& entry);
  void describe(const Rule& rule, const std::string& value, const Group& group, Entry& entry) const;
  void add_lag(const Rule& rule, double usual, Alert& alert) const;
  void end(Alert alert, Changes& changes);
  void end(Watched& watched, std::map<std::string, Entry>::iterator at, Changes& changes);
  std::string next_id();

  AlertSettings settings_;
  Windows windows_;
  std::vector<Watched> watched_;
  std::deque<Alert> recent_;
  std::vector<Alert> orphans_;  // whose rule is gone
  std::optional<double> lag_;   // of the loops, in µs
  Monotonic now_{};
  Wall wall_{};
  std::chrono::milliseconds before_time_{0};
  std::uint64_t made_ = 0;
};

}  // namespace causeway::alerts
