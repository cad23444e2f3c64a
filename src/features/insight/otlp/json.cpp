#include "features/insight/otlp/json.h"

#include <array>

#include "platform/text/json_writer.h"

namespace causeway::otlp {
namespace {

void begin_request(text::JsonWriter& json, text::JsonKey kind, text::JsonKey scope_kind,
                   const Resource& resource) {
  json.begin_object().key(kind).begin_array().begin_object();
  json.key("resource").begin_object().key("attributes").begin_array();
  const auto attribute = [&json](std::string_view name, const std::string& value) {
    json.begin_object().field("key", name).key("value").begin_object();
    json.field("stringValue", value).end_object().end_object();
  };
  attribute("service.name", resource.service);
  attribute("service.version", resource.version);
  attribute("service.instance.id", resource.instance);
  json.end_array().end_object();
  json.key(scope_kind).begin_array().begin_object();
  json.key("scope").begin_object().field("name", "causeway").field("version", resource.version);
  json.end_object();
}

void end_request(text::JsonWriter& json) {
  json.end_object().end_array().end_object().end_array().end_object();
}

struct Renamed {
  std::string_view family, name, unit;
};
// Prometheus' names cannot have dots and end in their units.
constexpr std::array kRenamed = {
    Renamed{"gen_ai_client_token_usage", "gen_ai.client.token.usage", "{token}"},
    Renamed{"gen_ai_client_operation_duration_seconds", "gen_ai.client.operation.duration", "s"},
    Renamed{"gen_ai_server_request_duration_seconds", "gen_ai.server.request.duration", "s"},
    Renamed{"gen_ai_server_time_to_first_token_seconds", "gen_ai.server.time_to_first_token", "s"},
    Renamed{"gen_ai_server_time_per_output_token_seconds", "gen_ai.server.time_per_output_token",
            "s"},
};
constexpr std::array kRenamedLabels = {
    Renamed{"gen_ai_operation_name", "gen_ai.operation.name", ""},
    Renamed{"gen_ai_provider_name", "gen_ai.provider.name", ""},
    Renamed{"gen_ai_request_model", "gen_ai.request.model", ""},
    Renamed{"gen_ai_token_type", "gen_ai.token.type", ""},
    Renamed{"error_type", "error.type", ""},
};

std::string_view label_name(std::string_view label) {
  for (const Renamed& one : kRenamedLabels) {
    if (one.family == label) return one.name;
  }
  return label;
}

class Metrics {
 public:
  Metrics(text::JsonWriter& json, std::int64_t begin, std::int64_t now)
      : json_(json), begin_(std::to_string(begin)), now_(std::to_string(now)) {}

  void write(const metrics::FamilySamples& family) {
    std::string_view name = family.spec.name, unit;
    for (const Renamed& one : kRenamed) {
      if (one.family == family.spec.name) name = one.name, unit = one.unit;
    }
    json_.begin_object().field("name", name).field("description", family.spec.help);
    if (!unit.empty()) json_.field("unit", unit);
    switch (family.kind) {
      case metrics::Kind::Counter:
        json_.key("sum").begin_object().field("isMonotonic", true);
        json_.field("aggregationTemporality", 2);  // cumulative
        break;
      case metrics::Kind::Gauge:
        json_.key("gauge").begin_object();
        break;
      case metrics::Kind::Histogram:
        json_.key("histogram").begin_object().field("aggregationTemporality", 2);
        break;
    }
    json_.key("dataPoints").begin_array();
    for (const metrics::Sample& sample : family.samples) point(family, sample);
    json_.end_array().end_object().end_object();
  }

 private:
  void point(const metrics::FamilySamples& family, const metrics::Sample& sample) {
    json_.begin_object().key("attributes").begin_array();
    for (std::size_t i = 0; i < sample.labels.size(); ++i) {
      const std::string& label = family.spec.labels[i];
      const std::string_view value =
          label == "gen_ai_provider_name" ? provider_name(sample.labels[i]) : sample.labels[i];
      if (value.empty()) continue;
      json_.begin_object().field("key", label_name(label)).key("value").begin_object();
      json_.field("stringValue", value).end_object().end_object();
    }
    json_.end_array();
    // 64-bit numbers are texts in OTLP/JSON.
    json_.field("startTimeUnixNano", begin_).field("timeUnixNano", now_);
    if (family.kind == metrics::Kind::Histogram) {
      buckets(family, sample);
    } else {
      json_.field("asDouble", sample.value);
    }
    json_.end_object();
  }

  void buckets(const metrics::FamilySamples& family, const metrics::Sample& sample) {
    std::uint64_t count = 0;
    json_.key("bucketCounts").begin_array();
    for (const std::uint64_t bucket : sample.counts) {
      json_.string(std::to_string(bucket));
      count += bucket;
    }
    json_.end_array().key("explicitBounds").begin_array();
    for (const double bound : family.spec.bounds) json_.number(bound);
    json_.end_array().field("count", std::to_string(count)).field("sum", sample.sum);
  }

  text::JsonWriter& json_;
  std::string begin_, now_;
};

}  // namespace

std::string_view provider_name(std::string_view kind) {
  if (kind == "azure") return "azure.ai.openai";
  if (kind == "bedrock") return "aws.bedrock";
  if (kind == "gemini") return "gcp.gemini";
  if (kind == "vertex") return "gcp.vertex_ai";
  return kind;
}

std::string traces_request(const Resource& resource, std::string_view spans) {
  std::string out;
  out.reserve(spans.size() + 512);
  text::JsonWriter json(out);
  begin_request(json, "resourceSpans", "scopeSpans", resource);
  json.key("spans").begin_array().raw(spans).end_array();
  end_request(json);
  return out;
}

std::string metrics_request(const Resource& resource,
                            const std::vector<metrics::FamilySamples>& families, std::int64_t begin,
                            std::int64_t now) {
  std::string out;
  text::JsonWriter json(out);
  begin_request(json, "resourceMetrics", "scopeMetrics", resource);
  json.key("metrics").begin_array();
  Metrics writer(json, begin, now);
  for (const metrics::FamilySamples& family : families) {
    if (!family.samples.empty()) writer.write(family);
  }
  json.end_array();
  end_request(json);
  return out;
}

}  // namespace causeway::otlp
