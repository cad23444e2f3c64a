#include "features/insight/metrics/overview.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "platform/metrics/quantile.h"

namespace causeway::metrics {
namespace {

constexpr std::size_t kMostModels = 50;
constexpr const char* kModel = "gen_ai_request_model";

void add_buckets(std::vector<std::uint64_t>& all, const std::vector<std::uint64_t>& more) {
  if (all.size() < more.size()) all.resize(more.size());
  for (std::size_t i = 0; i < more.size(); ++i) all[i] += more[i];
}

// Whole numbers without a point, though they are counted in doubles.
void whole(text::JsonWriter& json, double value) {
  json.number(static_cast<std::int64_t>(std::llround(value)));
}

void write_quantile(text::JsonWriter& json, double q, const std::vector<double>& bounds,
                    const std::vector<std::uint64_t>& counts) {
  const auto seconds = quantile(q, bounds, counts);
  if (!seconds) {
    json.null();
  } else {
    json.fixed(std::llround(*seconds * 1e6), 3);  // milliseconds
  }
}

}  // namespace

Overview::Overview(const History& history, std::chrono::seconds window) : window_(window) {
  add_requests(history);
  add_tokens(history);
  add_cost(history);
}

// A metric that was not sampled yet has no groups.
Past Overview::read(const History& history, const char* metric, std::vector<std::string> by) const {
  Selection selection;
  selection.metric = metric;
  selection.by = std::move(by);
  selection.window = window_;
  selection.most_groups = static_cast<std::size_t>(-1);
  return history.read(selection).value_or(Past{});
}

template <class Add>
void Overview::each(const Past& past, Add add) {
  for (const Group& group : past.groups) {
    Figures& model = models_[group.labels[0]];
    for (std::size_t i = 0; i < group.values.size(); ++i) {
      if (group.values[i] == 0) continue;
      for (Figures* figures : {&points_[i], &totals_, &model}) add(*figures, group, i);
    }
  }
}

void Overview::add_requests(const History& history) {
  const Past times =
      read(history, "gen_ai_client_operation_duration_seconds", {kModel, "error_type"});
  step_ = times.step;
  from_ = times.from;
  known_ = times.known;
  time_bounds_ = times.bounds;
  points_.resize(known_.size());
  each(times, [](Figures& figures, const Group& group, std::size_t i) {
    figures.requests += group.values[i];
    if (!group.labels[1].empty()) figures.errors += group.values[i];
    add_buckets(figures.times, group.buckets[i]);
  });
  for (const Group& group : times.groups) {
    if (group.labels[1].empty()) continue;
    for (const double value : group.values) errors_by_class_[group.labels[1]] += value;
  }
  const Past firsts = read(history, "gen_ai_server_time_to_first_token_seconds", {kModel});
  first_token_bounds_ = firsts.bounds;
  each(firsts, [](Figures& figures, const Group& group, std::size_t i) {
    add_buckets(figures.first_tokens, group.buckets[i]);
  });
}

void Overview::add_tokens(const History& history) {
  const Past tokens = read(history, "gen_ai_client_token_usage", {kModel, "gen_ai_token_type"});
  each(tokens, [](Figures& figures, const Group& group, std::size_t i) {
    (group.labels[1] == "input" ? figures.input_tokens : figures.output_tokens) += group.sums[i];
  });
}

void Overview::add_cost(const History& history) {
  each(read(history, "causeway_cost_micros_total", {kModel}),
       [](Figures& figures, const Group& group, std::size_t i) {
         figures.cost_micros += group.values[i];
       });
}

void Overview::write_figures(text::JsonWriter& json, const Figures& figures) const {
  whole(json.key("requests"), figures.requests);
  whole(json.key("errors"), figures.errors);
  whole(json.key("input_tokens"), figures.input_tokens);
  whole(json.key("output_tokens"), figures.output_tokens);
  json.key("cost").money(std::llround(figures.cost_micros));
  write_quantile(json.key("p50_ms"), 0.5, time_bounds_, figures.times);
  write_quantile(json.key("p95_ms"), 0.95, time_bounds_, figures.times);
  write_quantile(json.key("p99_ms"), 0.99, time_bounds_, figures.times);
  write_quantile(json.key("first_token_p50_ms"), 0.5, first_token_bounds_, figures.first_tokens);
  write_quantile(json.key("first_token_p95_ms"), 0.95, first_token_bounds_, figures.first_tokens);
}

// Those with the most requests.
void Overview::write_models(text::JsonWriter& json) const {
  std::vector<std::pair<std::string, const Figures*>> order;
  for (const auto& [name, figures] : models_) {
    if (figures.requests > 0) order.emplace_back(name, &figures);
  }
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [](const auto& model) { return model.second->requests; });
  if (order.size() > kMostModels) order.resize(kMostModels);
  json.key("models").begin_array();
  for (const auto& [name, figures] : order) {
    json.begin_object().field("model", name);
    write_figures(json, *figures);
    json.end_object();
  }
  json.end_array();
}

void Overview::write(text::JsonWriter& json, std::int64_t in_flight, const std::string& currency,
                     const std::map<std::string, Tries>& providers) const {
  json.field("step_seconds", step_.count()).field("from", from_);
  json.key("points").begin_array();
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (!known_[i]) continue;
    json.begin_object().field("t", from_ + static_cast<std::int64_t>(i) * step_.count());
    write_figures(json, points_[i]);
    json.end_object();
  }
  json.end_array().key("totals").begin_object();
  write_figures(json, totals_);
  json.key("errors_by_class").begin_object();
  for (const auto& [name, count] : errors_by_class_) {
    if (count > 0) whole(json.key(name), count);
  }
  json.end_object().field("in_flight", in_flight).end_object();
  write_models(json);
  json.key("providers").begin_array();
  for (const auto& [name, tries] : providers) {
    json.begin_object().field("provider", name);
    whole(json.key("attempts"), tries.attempts);
    whole(json.key("errors"), tries.errors);
    json.end_object();
  }
  json.end_array().field("currency", currency);
}

std::map<std::string, Tries> tries_of(const History& history, std::chrono::seconds window) {
  static const std::set<std::string, std::less<>> kCallers = {
      "invalid_request", "cancelled", "context_too_long", "content_filtered", "too_large"};
  Selection selection;
  selection.metric = "causeway_attempts_total";
  selection.by = {"causeway_provider", "error_type"};
  selection.window = window;
  selection.most_groups = static_cast<std::size_t>(-1);
  std::map<std::string, Tries> all;
  const auto past = history.read(selection).value_or(Past{});
  for (const Group& group : past.groups) {
    double count = 0;
    for (const double value : group.values) count += value;
    if (count == 0) continue;
    Tries& tries = all[group.labels[0]];
    tries.attempts += count;
    // An answer that was thrown away, since its model was unsure, is no error of its provider.
    if (group.labels[1].empty() || group.labels[1] == "unsure") continue;
    tries.errors += count;
    tries.errors_by_class[group.labels[1]] += count;
    if (!kCallers.contains(group.labels[1])) tries.failures += count;
  }
  return all;
}

}  // namespace causeway::metrics
