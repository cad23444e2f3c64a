#include "features/insight/metrics/history_route.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "features/insight/metrics/window.h"
#include "platform/metrics/quantile.h"
#include "platform/text/json_writer.h"

namespace causeway::metrics {
namespace {

constexpr std::pair<std::string_view, std::chrono::seconds> kWindows[] = {
    {"15m", std::chrono::minutes(15)}, {"1h", std::chrono::hours(1)}, {"6h", std::chrono::hours(6)},
    {"24h", std::chrono::hours(24)},   {"7d", std::chrono::days(7)},
};

std::string_view kind_text(Kind kind) {
  return kind == Kind::Counter ? "counter" : kind == Kind::Gauge ? "gauge" : "histogram";
}

std::string_view unit_of(std::string_view metric) {
  if (metric.ends_with("_total")) metric.remove_suffix(6);
  for (const std::string_view unit : {"seconds", "bytes", "micros", "milliseconds"}) {
    if (metric.ends_with(unit)) return unit;
  }
  return metric.find("token") == metric.npos ? "" : "tokens";
}

Result<Selection> selection_of(const AdminRequest& request) {
  Selection selection;
  for (const auto& [name, value] : request.query) {
    constexpr std::string_view kWhere = "where.";
    if (name == "metric") {
      selection.metric = value;
    } else if (name == "by") {
      for (std::string_view rest = value; !rest.empty();) {
        const auto end = std::min(rest.find(','), rest.size());
        if (end > 0) selection.by.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    } else if (name.starts_with(kWhere)) {
      selection.where[name.substr(kWhere.size())] = value;
    } else if (name != "window") {
      return fail(ErrorKind::InvalidRequest, Origin::Client,
                  "\"" + name.substr(0, 100) +
                      "\" is not asked here; there is metric, by, window and where.LABEL",
                  "invalid_query");
    }
  }
  const auto window = window_of(request, "1h");
  if (!window) return std::unexpected(window.error());
  selection.window = *window;
  return selection;
}

// A number for each step; null where nothing is known.
template <class Value>
void write_steps(text::JsonWriter& json, const Past& past, Value value) {
  json.begin_array();
  for (std::size_t i = 0; i < past.known.size(); ++i) {
    if (past.known[i]) {
      json.number(value(i));  // null where it is no number
    } else {
      json.null();
    }
  }
  json.end_array();
}

void write_group(text::JsonWriter& json, const Past& past, const Selection& selection,
                 const Group& group) {
  json.begin_object().key("labels").begin_object();
  if (group.others) json.field("other", "true");
  for (std::size_t i = 0; i < group.labels.size(); ++i) {
    json.field(selection.by[i], group.labels[i]);
  }
  json.end_object();
  const auto values = [&](std::size_t i) { return group.values[i]; };
  if (past.kind != Kind::Histogram) {
    write_steps(json.key("values"), past, values);
  } else {
    write_steps(json.key("count"), past, values);
    write_steps(json.key("sum"), past, [&](std::size_t i) { return group.sums[i]; });
    const auto at = [&](double q) {
      return [&, q](std::size_t i) {
        return quantile(q, past.bounds, group.buckets[i]).value_or(std::nan(""));
      };
    };
    write_steps(json.key("p50"), past, at(0.5));
    write_steps(json.key("p95"), past, at(0.95));
    write_steps(json.key("p99"), past, at(0.99));
  }
  json.end_object();
}

}  // namespace

Result<std::chrono::seconds> window_of(const AdminRequest& request, const std::string& usual) {
  const auto given = request.query.find("window");
  const std::string& wanted = given == request.query.end() ? usual : given->second;
  for (const auto& [text, window] : kWindows) {
    if (text == wanted) return window;
  }
  return fail(ErrorKind::InvalidRequest, Origin::Client, "window is one of 15m, 1h, 6h, 24h, 7d",
              "invalid_query");
}

AdminReply history_reply(const History& history, const AdminRequest& request) {
  const auto selection = selection_of(request);
  if (!selection) return admin_error(selection.error());
  const auto past = history.read(*selection);
  if (!past) return admin_error(past.error());
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object().field("metric", selection->metric).field("type", kind_text(past->kind));
  json.field("unit", unit_of(selection->metric)).field("step_seconds", past->step.count());
  json.field("from", past->from).key("series").begin_array();
  for (const Group& group : past->groups) write_group(json, *past, *selection, group);
  json.end_array().end_object();
  return reply;
}

}  // namespace causeway::metrics
