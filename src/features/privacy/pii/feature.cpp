#include "features/privacy/pii/feature.h"

#include <algorithm>
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
  bool model = false;
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
  ScanBody read;
  read.text = std::string_view(text->as_string());
  if (read.text.size() > kMaxScan) {
    return fail(ErrorKind::TooLarge, Origin::Client, "a text may have 1 MiB", "pii_scan");
  }
  if (const bj::value* kinds = value.as_object().if_contains("kinds")) {
    if (auto done = read_kinds(*kinds, read.options); !done) return pass(std::move(done));
  }
  if (const bj::value* model = value.as_object().if_contains("model")) {
    if (!model->is_bool()) return refuse("\"model\" is true or false");
    read.model = model->get_bool();
  }
  return read;
}

Task<AdminReply> scan_route(NamesModel& model, NamesModel::Post post, AdminRequest request) {
  auto body = read_body(request.body);
  if (!body) co_return admin_error(body.error());
  const auto detector = Detector::make(body->options);
  if (!detector) co_return admin_error(detector.error());
  Scratch scratch;
  std::vector<Finding> findings;
  (*detector)->scan(body->text, scratch, findings);
  if (body->model) {
    ModelSearch search;
    std::move_only_function<void()> first = [&] { search.add(body->text); }, last = [] {};
    auto asked =
        co_await model.run(search, std::move(post), nullptr, std::move(first), std::move(last));
    if (!asked) co_return admin_error(asked.error());
    add_model_findings(body->text, search.of(0), body->options, findings);
  }
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

void add_model_findings(std::string_view text, std::vector<Finding> model,
                        const DetectorOptions& options, std::vector<Finding>& findings) {
  std::erase_if(model, [&](const Finding& one) {
    return one.confidence < options.min_confidence || !options.kinds.has(one.kind);
  });
  merge_findings(text, model, findings);
}

PiiFeature::PiiFeature(Parts parts)
    : key_(parts.key),
      post_(std::move(parts.post)),
      model_(parts.files, NamesModel::usual()),
      stage_(std::make_unique<PiiStage>(parts.key, parts.slots, parts.metrics, parts.clock, model_,
                                        std::move(parts.secret))) {
  model_.declare_metrics(parts.metrics);
}
PiiFeature::~PiiFeature() = default;

std::vector<Stage*> PiiFeature::stages() { return {stage_.get()}; }

std::vector<AdminRoute> PiiFeature::routes() {
  return {{http::Method::Post, "/api/pii/scan",
           "Finds what a text gives away: where, which kind, how sure, by which rule.", false,
           [this](AdminRequest request) { return scan_route(model_, post_, std::move(request)); }}};
}

Result<void> PiiFeature::prepare(const std::vector<Policy>& policies) {
  const bool asked = std::ranges::any_of(policies, [this](const Policy& policy) {
    if (!policy.sections.has(key_.index())) return false;
    const auto& treatment = policy.sections.get(key_).treatment;
    return treatment && treatment->asks_model;
  });
  if (asked) return model_.prepare();
  return {};
}

}  // namespace causeway::pii
