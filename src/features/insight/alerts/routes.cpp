// The routes below /api/alerts.
#include <algorithm>
#include <boost/json.hpp>

#include "features/insight/alerts/feature.h"
#include "features/insight/alerts/time_text.h"
#include "platform/config/values.h"
#include "platform/text/json_writer.h"

namespace causeway::alerts {
namespace {

namespace bj = boost::json;
using namespace std::chrono_literals;

std::unexpected<Error> wrong(std::string_view field, std::string_view why) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                    std::string(field) + " " + std::string(why), "invalid_silence");
  error.error().param = field;
  return error;
}

std::unexpected<Error> not_found(std::string what) {
  return fail(ErrorKind::NotFound, Origin::Client, std::move(what), "alert_not_found");
}

/// The texts of an object; nothing but the named fields may be in it.
Result<std::map<std::string, std::string>> read_texts(
    std::string_view body, std::initializer_list<std::string_view> fields) {
  bj::error_code failed;
  const bj::value value = bj::parse(bj::string_view(body.data(), body.size()), failed);
  if (failed || !value.is_object()) return wrong("the body", "must be a JSON object");
  std::map<std::string, std::string> texts;
  for (const auto& member : value.as_object()) {
    const std::string name(member.key());
    if (std::ranges::find(fields, name) == fields.end()) {
      return wrong(name.substr(0, 100), "is not a field of this request");
    }
    if (!member.value().is_string() || member.value().as_string().size() > 500) {
      return wrong(name, "must be a text of at most 500 bytes");
    }
    texts[name] = std::string(member.value().as_string());
  }
  return texts;
}

std::string condition_text(const Rule& rule) {
  std::string out;
  for (const auto& [name, metric] : names_of(Metric{})) {
    if (metric == rule.when) out = name;
  }
  if (!rule.above.empty()) {
    out += rule.when == Metric::Retirement ? " within " : " above ";
    out += rule.above;
  }
  if (rule.rise > 0) {
    char text[40];
    std::snprintf(text, sizeof text, " and %g times as usual", rule.rise);
    out += text;
  }
  for (const auto& [name, per] : names_of(Per{})) {
    if (per == rule.per && per != Per::All) out += " per " + name;
  }
  return out;
}

void write_silence(text::JsonWriter& json, const Silence& silence) {
  json.begin_object().field("id", silence.id).field("rule", silence.rule);
  json.key("labels").begin_object();
  if (!silence.group.empty()) json.field("group", plain(silence.group));
  json.end_object().field("until", time_text(silence.until));
  json.field("by", silence.by).field("note", plain(silence.note)).end_object();
}

}  // namespace

std::vector<AdminRoute> AlertsFeature::routes() {
  using http::Method;
  return {
      {Method::Get, "/api/alerts",
       "What fires, what was over lately, silences, and the state of every rule.", false,
       [this](AdminRequest) { return list(); }},
      {Method::Post, "/api/alerts/silences",
       "Silences a rule (\"rule\", `*` stands for any text) or one alert (\"alert\") for a time "
       "(\"for\": \"2h\").",
       true, [this](AdminRequest request) { return silence(std::move(request)); }},
      {Method::Delete, "/api/alerts/silences/{id}", "Ends a silence.", true,
       [this](AdminRequest request) { return end_silence(std::move(request)); }},
      {Method::Post, "/api/alerts/test", "Sends a test message to a \"receiver\".", true,
       [this](AdminRequest request) { return test(std::move(request)); }}};
}

std::vector<Verb> AlertsFeature::verbs() { return {alerts_verb()}; }

Task<AdminReply> AlertsFeature::list() {
  const Wall wall = parts_.clock.wall();
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object().key("active").begin_array();
  for (const Alert& alert : board_.active()) {
    json.begin_object();
    write_alert(json, alert);
    json.key("silenced_until");
    if (const auto until = silences_.until(alert, wall)) {
      json.string(time_text(*until));
    } else {
      json.null();
    }
    json.end_object();
  }
  json.end_array().key("recent").begin_array();
  for (const Alert& alert : board_.recent()) {
    json.begin_object();
    write_alert(json, alert);
    json.end_object();
  }
  json.end_array().key("silences").begin_array();
  for (const Silence& silence : silences_.current(wall)) write_silence(json, silence);
  json.end_array().key("rules").begin_array();
  for (const auto& [rule, state] : board_.rules()) {
    json.begin_object().field("name", rule->name).field("condition", condition_text(*rule));
    json.field("state", to_string(state)).end_object();
  }
  json.end_array().key("receivers").begin_array();
  for (const auto& [name, outlet] : outlets_.all()) {
    const OutletCounts counts = outlet->counts();
    json.begin_object().field("name", name).field("sent", counts.sent);
    json.field("failed", counts.failed).field("given_up", counts.given_up);
    json.field("dropped", counts.dropped).end_object();
  }
  json.end_array().end_object();
  co_return reply;
}

Result<Silence> AlertsFeature::read_silence(const AdminRequest& request) const {
  auto texts = read_texts(request.body, {"rule", "alert", "for", "note"});
  if (!texts) return pass(std::move(texts));
  const Wall now = parts_.clock.wall();
  const auto time = config::parse_duration((*texts)["for"]);
  if (!time || *time < 1s || *time > std::chrono::days(90)) {
    return wrong("for", "must be a time from 1s to 90d, e.g. 2h");
  }
  Silence silence;
  silence.until = now + std::chrono::duration_cast<Wall::duration>(*time);
  silence.by = request.actor;
  silence.note = (*texts)["note"];
  silence.rule = (*texts)["rule"];
  const std::string& id = (*texts)["alert"];
  if (silence.rule.empty() == id.empty()) return wrong("rule", "or `alert` must be there");
  if (silences_.current(now).size() >= Silences::kMost) {
    return fail(ErrorKind::Overloaded, Origin::Us, "There are 500 silences; end some.",
                "too_many_silences");
  }
  if (id.empty()) {
    const auto is_it = [&](const auto& one) { return one.rule->name == silence.rule; };
    const bool pattern = silence.rule.find('*') != silence.rule.npos;
    if (pattern || std::ranges::any_of(board_.rules(), is_it)) return silence;
    return not_found("There is no rule of this name; GET /api/alerts lists them.");
  }
  for (const Alert& alert : board_.active()) {
    if (alert.id != id) continue;
    silence.rule = alert.rule;
    silence.group = alert.group;
    return silence;
  }
  return not_found("No alert of this id fires.");
}

Task<AdminReply> AlertsFeature::silence(AdminRequest request) {
  auto wanted = read_silence(request);
  if (!wanted) co_return admin_error(wanted.error());
  auto job = [this, silence = std::move(*wanted), now = parts_.clock.wall()] {
    return silences_.keep(silence, now);
  };
  auto task = offload(parts_.workers, parts_.post, std::move(job));
  auto kept = co_await std::move(task);
  if (!kept) co_return admin_error(kept.error());
  silences_.added(*kept);
  AdminReply reply;
  reply.status = 201;
  text::JsonWriter json(reply.body);
  write_silence(json, *kept);
  co_return reply;
}

Task<AdminReply> AlertsFeature::end_silence(AdminRequest request) {
  const std::string id = request.params["id"];
  if (!silences_.has(id)) co_return admin_error(not_found("No silence has this id.").error());
  auto job = [this, id] { return silences_.forget(id); };
  auto task = offload(parts_.workers, parts_.post, std::move(job));
  auto forgotten = co_await std::move(task);
  if (!forgotten) co_return admin_error(forgotten.error());
  silences_.removed(id);
  AdminReply reply;
  reply.body = R"({"ended":true})";
  co_return reply;
}

Task<AdminReply> AlertsFeature::test(AdminRequest request) {
  auto texts = read_texts(request.body, {"receiver"});
  if (!texts) co_return admin_error(texts.error());
  co_return test_now((*texts)["receiver"]);
}

AdminReply AlertsFeature::test_now(const std::string& receiver) {
  Outlet* outlet = outlets_.find(receiver);
  if (!outlet) return admin_error(not_found("No receiver has this name.").error());
  Message message;
  message.test = true;
  message.id = "am_test_" + std::to_string(++messages_);
  message.made = parts_.clock.wall();
  if (!outlet->put(std::move(message))) {
    return admin_error(fail(ErrorKind::Overloaded, Origin::Us,
                            "Too many messages wait for this receiver.", "receiver_busy")
                           .error());
  }
  AdminReply reply;
  reply.status = 202;
  reply.body = R"({"queued":true})";
  return reply;
}

}  // namespace causeway::alerts
