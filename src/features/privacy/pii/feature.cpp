#include "features/privacy/pii/feature.h"

#include <boost/json.hpp>
#include <cmath>

#include "features/privacy/pii/stage.h"
#include "platform/text/json_writer.h"

namespace causeway::pii {
namespace {

namespace bj = boost::json;

constexpr std::size_t kMaxScan = std::size_t{1} << 20;

struct ScanBody {
  std::string text;
  DetectorOptions options;
};

std::unexpected<Error> refuse(const std::string& why) {
  return fail(ErrorKind::InvalidRequest, Origin::Client, why, "pii_scan");
}

Result<void> read_kinds(const bj::value& kinds, DetectorOptions& options) {
  if (!kinds.is_array()) return refuse("\"kinds\" is a list of names");
  options.kinds = KindSet::none();
  for (const bj::value& name : kinds.as_array()) {
    const auto kind =
        name.is_string() ? kind_named(std::string_view(name.as_string())) : std::nullopt;
    if (!kind) return refuse("\"kinds\" has a name that is none; docs/pii-types.md lists them");
    options.kinds.add(*kind);
  }
  return {};
}

Result<ScanBody> read_body(const std::string& body) {
  bj::error_code failed;
  const bj::value value = bj::parse(body, failed);
  if (failed || !value.is_object()) return refuse("the body is an object {\"text\": \"…\"}");
  const bj::value* text = value.as_object().if_contains("text");
  if (!text || !text->is_string()) return refuse("\"text\" is missing, or no string");
  ScanBody read{std::string(text->as_string()), {}};
  if (read.text.size() > kMaxScan) {
    return fail(ErrorKind::TooLarge, Origin::Client, "a text may have 1 MiB", "pii_scan");
  }
  if (const bj::value* kinds = value.as_object().if_contains("kinds")) {
    if (auto done = read_kinds(*kinds, read.options); !done) return pass(std::move(done));
  }
  return read;
}

Task<AdminReply> scan_route(AdminRequest request) {
  auto body = read_body(request.body);
  if (!body) co_return admin_error(body.error());
  const auto detector = Detector::make(body->options);
  if (!detector) co_return admin_error(detector.error());
  Scratch scratch;
  std::vector<Finding> findings;
  (*detector)->scan(body->text, scratch, findings);
  AdminReply reply;
  write_findings(reply.body, findings);
  co_return reply;
}

}  // namespace

void write_findings(std::string& body, const std::vector<Finding>& findings) {
  text::JsonWriter json(body);
  json.begin_object().key("findings").begin_array();
  for (const Finding& one : findings) {
    json.begin_object();
    json.field("begin", static_cast<std::int64_t>(one.begin));
    json.field("end", static_cast<std::int64_t>(one.end));
    json.field("kind", name_of(one.kind));
    json.field("confidence", std::round(static_cast<double>(one.confidence) * 100) / 100);
    json.field("rule", one.rule);
    json.end_object();
  }
  json.end_array().end_object();
}

PiiFeature::PiiFeature(SectionKey<Settings> key, SlotLayout& slots, metrics::Registry& metrics,
                       const Clock& clock, Secret secret)
    : stage_(std::make_unique<PiiStage>(key, slots, metrics, clock, std::move(secret))) {}
PiiFeature::~PiiFeature() = default;

std::vector<Stage*> PiiFeature::stages() { return {stage_.get()}; }

std::vector<AdminRoute> PiiFeature::routes() {
  return {{http::Method::Post, "/api/pii/scan",
           "Finds what a text gives away: where, which kind, how sure, by which rule.", false,
           [](AdminRequest request) { return scan_route(std::move(request)); }}};
}

std::vector<Verb> PiiFeature::verbs() { return {pii_verb()}; }

}  // namespace causeway::pii
