#include "features/insight/alerts/measure.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/error.h"

namespace causeway::alerts {
namespace {

constexpr double kHigh = 0.95;

template <class... Values>
std::string printed(const char* form, Values... values) {
  char text[64];
  std::snprintf(text, sizeof text, form, values...);
  return text;
}

Column first_error(const Rule& rule) {
  return rule.when == Metric::ProviderErrors ? kAttemptErrors : kErrors;
}

// A share of so few says nothing.
std::optional<double> share(double part, double all, double least) {
  if (all < least) return std::nullopt;
  return part / all;
}

}  // namespace

double errors_of_kind(const Rule& rule, const Counts& counts, std::size_t kind) {
  const auto named = static_cast<ErrorKind>(kind);
  const bool counted = rule.error_classes.empty()
                           ? is_failure(named)
                           : std::ranges::find(rule.error_classes, error_class(named).label) !=
                                 rule.error_classes.end();
  return counted ? counts[first_error(rule) + kind] : 0.0;
}

double errors_of(const Rule& rule, const Counts& counts) {
  double sum = 0;
  for (std::size_t kind = 0; kind < kErrorKinds; ++kind) sum += errors_of_kind(rule, counts, kind);
  return sum;
}

std::optional<double> measure(const Rule& rule, const Counts& counts,
                              std::chrono::milliseconds time) {
  const double least = rule.requests;
  switch (rule.when) {
    case Metric::Latency:
      if (counts[kAnswered] < least) return std::nullopt;
      return counts.quantile(kTotals, kHigh);
    case Metric::FirstToken:
      if (counts[kStreams] < least) return std::nullopt;
      return counts.quantile(kFirsts, kHigh);
    case Metric::Queue:
      if (counts[kAnswered] < least) return std::nullopt;
      return counts.mean(kQueue);
    case Metric::Errors:
      return share(errors_of(rule, counts), counts[kRequests], least);
    case Metric::ProviderErrors:
      return share(errors_of(rule, counts), counts[kAttempts], least);
    case Metric::Spend:
      if (counts[kRequests] == 0 || time.count() == 0) return std::nullopt;
      return counts[kCost] / 1e6 * 3'600'000 / static_cast<double>(time.count());
    case Metric::FailedAuth: {
      const auto kind = static_cast<std::size_t>(ErrorKind::Unauthenticated);
      if (time.count() == 0) return std::nullopt;
      return counts[kErrors + kind] * 60'000 / static_cast<double>(time.count());
    }
    case Metric::ModelChange:
    case Metric::Retirement:
    case Metric::Budget:
      break;  // events, not numbers
    case Metric::LoopLag:
      break;  // not of requests
  }
  return std::nullopt;
}

std::string said_time(double micros) {
  const double ms = micros / 1000;
  if (ms < 10) return printed("%.1f ms", ms);
  if (ms < 1000) return printed("%.0f ms", ms);
  return printed(ms < 100'000 ? "%.1f s" : "%.0f s", ms / 1000);
}

std::string said_number(double value) {
  return value < 10 && value != std::floor(value) ? printed("%.1f", value) : printed("%.0f", value);
}

std::string said(Metric metric, double value) {
  switch (metric) {
    case Metric::Latency:
    case Metric::FirstToken:
    case Metric::Queue:
    case Metric::LoopLag:
      return said_time(value);
    case Metric::Errors:
    case Metric::ProviderErrors:
      return said_number(value * 100) + " %";
    case Metric::Spend:
      return printed("%.2f an hour", value);
    case Metric::FailedAuth:
      return said_number(value) + " a minute";
    case Metric::Retirement:
      return said_number(value) + " days";
    case Metric::ModelChange:
    case Metric::Budget:
      break;
  }
  return said_number(value);
}

std::string_view name_of(Metric metric) {
  switch (metric) {
    case Metric::Latency:
      return "answer time (95th percentile)";
    case Metric::FirstToken:
      return "time to the first token (95th percentile)";
    case Metric::Errors:
      return "requests that fail";
    case Metric::ProviderErrors:
      return "tries that fail";
    case Metric::Spend:
      return "spend";
    case Metric::Queue:
      return "wait in Causeway (mean)";
    case Metric::FailedAuth:
      return "refused keys";
    case Metric::ModelChange:
      return "the provider's own name of the model";
    case Metric::Retirement:
      return "days until a model is retired";
    case Metric::Budget:
      return "a budget's soft part";
    case Metric::LoopLag:
      return "how late Causeway looks at what is sent to it (mean)";
  }
  return "";
}

}  // namespace causeway::alerts
