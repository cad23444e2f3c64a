// Spans and metrics as OTLP has them in JSON (opentelemetry-proto 1.x, "OTLP/JSON"), named as the
// semantic conventions for generative AI name them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/exchange_record.h"
#include "platform/metrics/registry.h"

namespace causeway::otlp {

/// Who sends.
struct Resource {
  std::string service, version, instance;
};

/// The spans of one exchange, a SERVER span and a CLIENT span for each attempt that was kept, as
/// items of an array without its brackets. `stages`: names in the order of the pipeline.
std::string spans_json(const ExchangeRecord& record, std::span<const std::string> stages);

/// A whole ExportTraceServiceRequest; `spans` are what spans_json() gave, joined by commas.
std::string traces_request(const Resource& resource, std::string_view spans);

/// A whole ExportMetricsServiceRequest: cumulative since `begin`; both times in Unix nanoseconds.
std::string metrics_request(const Resource& resource,
                            const std::vector<metrics::FamilySamples>& families, std::int64_t begin,
                            std::int64_t now);

/// Value of gen_ai.provider.name for a kind of provider.
std::string_view provider_name(std::string_view kind);

}  // namespace causeway::otlp
