// The registry as text for Prometheus to scrape, and the metrics of the process itself. Cells are
// ours, since a loop must not take a lock to count; names are checked and the text is written by
// prometheus-cpp, to which the registry is one Collectable.
#pragma once

#include <string>
#include <string_view>

#include "platform/metrics/registry.h"

namespace causeway::metrics {

inline constexpr std::string_view kTextContentType = "text/plain; version=0.0.4; charset=utf-8";

/// The text format, version 0.0.4. Takes about a microsecond per series: for the admin port.
std::string to_prometheus_text(const Registry& registry);

/// Declares process_{resident_memory_bytes, cpu_seconds_total, open_fds, max_fds, threads,
/// start_time_seconds}, read from /proc at each export.
void add_process_metrics(Registry& registry);

}  // namespace causeway::metrics
