// The figures that tell at a glance how the gateway is: requests, errors by class, tokens, money,
// latency with the time to the first token; over time, by model and by provider.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "platform/metrics/history.h"
#include "platform/text/json_writer.h"

namespace causeway::metrics {

/// What requests came to, of a step of time, a model, or all together.
struct Figures {
  double requests = 0, errors = 0, input_tokens = 0, output_tokens = 0, cost_micros = 0;
  std::vector<std::uint64_t> times, first_tokens;  // by bucket
};

/// What was tried at a provider.
struct Tries {
  double attempts = 0, errors = 0;
  std::map<std::string, double> errors_by_class;
  /// Failures that say something of the provider: not the caller that left or asked for what cannot
  /// be done.
  double failures = 0;
};

class Overview {
 public:
  Overview(const History& history, std::chrono::seconds window);

  /// The figures of the whole window, without brackets.
  void write_totals(text::JsonWriter& json) const { write_figures(json, totals_); }
  /// The object of `GET /api/overview` without its brackets, "window" and "now".
  void write(text::JsonWriter& json, std::int64_t in_flight, const std::string& currency,
             const std::map<std::string, Tries>& providers) const;

 private:
  void add_requests(const History& history);
  void add_tokens(const History& history);
  void add_cost(const History& history);
  Past read(const History& history, const char* metric, std::vector<std::string> by) const;
  template <class Add>
  void each(const Past& past, Add add);
  void write_figures(text::JsonWriter& json, const Figures& figures) const;
  void write_models(text::JsonWriter& json) const;

  std::chrono::seconds window_, step_{10};
  std::int64_t from_ = 0;
  std::vector<bool> known_;
  std::vector<Figures> points_;
  Figures totals_;
  std::map<std::string, Figures> models_;
  std::map<std::string, double> errors_by_class_;
  std::vector<double> time_bounds_, first_token_bounds_;
};

/// By provider, as the configuration names it.
std::map<std::string, Tries> tries_of(const History& history, std::chrono::seconds window);

}  // namespace causeway::metrics
