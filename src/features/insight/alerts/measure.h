// What a rule looks at, as one number from a row of counts, and how that number is said.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "features/insight/alerts/config.h"
#include "features/insight/alerts/counts.h"

namespace causeway::alerts {

/// Which of an answer's errors a rule counts.
double errors_of(const Rule& rule, const Counts& counts);
double errors_of_kind(const Rule& rule, const Counts& counts, std::size_t kind);

/// In the metric's unit: microseconds, a share, an amount an hour, a number a minute. Nothing where
/// there is too little to say. `time` is how long was counted.
std::optional<double> measure(const Rule& rule, const Counts& counts,
                              std::chrono::milliseconds time);

/// "4.2 s", "12 %", "3.40 an hour", "75 a minute".
std::string said(Metric metric, double value);
/// "the 95th percentile of answer times", …
std::string_view name_of(Metric metric);
std::string said_time(double micros);
std::string said_number(double value);

}  // namespace causeway::alerts
