#include "features/traffic/faq/feature.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "features/traffic/faq/json.h"
#include "features/traffic/faq/normal.h"
#include "platform/text/ascii.h"
#include "platform/text/json_writer.h"

namespace causeway::faq {
namespace {

namespace bj = boost::json;

constexpr std::size_t kMostListed = 1'000;

std::unexpected<Error> wrong(const char* param, std::string why) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                    "\"" + std::string(param) + "\" " + std::move(why), "faq_entry");
  error.error().param = param;
  return error;
}

std::string_view text_in(const bj::object& object, bj::string_view name) {
  const bj::value* value = object.if_contains(name);
  return value && value->is_string() ? std::string_view(value->as_string()) : std::string_view();
}

// A word of the query; nullptr where it is not there.
const std::string* asked_for(const AdminRequest& request, std::string_view name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? nullptr : &found->second;
}

Result<std::int64_t> number_of(const char* param, std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || number < 1) {
    return wrong(param, "is a whole number above 0.");
  }
  return number;
}

// By `tenant`, `language` and `valid_on`.
Result<std::vector<EntryPtr>> filtered(const FaqTable& table, const AdminRequest& request) {
  const std::string* tenant = asked_for(request, "tenant");
  const std::string* language = asked_for(request, "language");
  const std::string* valid_on = asked_for(request, "valid_on");
  const auto time = valid_on ? parse_time(*valid_on, false) : std::nullopt;
  if (valid_on && !time) return wrong("valid_on", "is a time like 2026-12-31.");
  std::vector<EntryPtr> some;
  for (const auto& entry : table.entries()) {
    if (tenant && entry->tenant != *tenant) continue;
    if (language && !text::equals_ignore_case(entry->language, *language)) continue;
    if (time && !entry->valid_at(*time)) continue;
    some.push_back(entry);
  }
  return some;
}

AdminReply reply_with(std::string body, int status = 200) {
  AdminReply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

std::string_view name_of(Entries::Change change) {
  switch (change) {
    case Entries::Change::Added:
      return "added";
    case Entries::Change::Changed:
      return "changed";
    case Entries::Change::Same:
      break;
  }
  return "same";
}

void write_problems(text::JsonWriter& json, const std::vector<ImportProblem>& problems) {
  json.key("problems").begin_array();
  for (const auto& problem : problems) {
    json.begin_object().field("line", problem.line).field("message", problem.message).end_object();
  }
  json.end_array();
}

// Nothing was taken: the first problem is the error, all of them stand beside it.
AdminReply refused(std::vector<ImportProblem> problems) {
  std::ranges::stable_sort(problems, {}, &ImportProblem::line);
  std::string message = problems.front().message;
  if (problems.size() > 1) {
    message += " (" + std::to_string(problems.size() - 1) + " more; nothing was imported)";
  }
  std::string body;
  text::JsonWriter json(body);
  json.begin_object().key("error").begin_object();
  json.field("code", "faq_import").field("message", message).end_object();
  write_problems(json, problems);
  json.end_object();
  return reply_with(std::move(body), 400);
}

std::string imported(const Entries::Imports& imports, bool dry) {
  std::size_t counts[3]{};
  for (const auto& one : imports.all) ++counts[static_cast<std::size_t>(one.change)];
  std::string body;
  text::JsonWriter json(body);
  json.begin_object().field("dry_run", dry);
  json.field("added", counts[0]).field("changed", counts[1]).field("same", counts[2]);
  json.key("entries").begin_array();
  for (const auto& one : imports.all) {
    if (one.change == Entries::Change::Same) continue;
    json.begin_object().field("line", one.line).field("change", name_of(one.change));
    if (!dry || one.change == Entries::Change::Changed) json.field("id", one.entry->id);
    json.field("question", one.entry->questions.front()).end_object();
  }
  json.end_array().end_object();
  return body;
}

}  // namespace

FaqFeature::FaqFeature(Parts parts)
    : parts_(std::move(parts)),
      entries_(parts_.store, parts_.sealed, parts_.clock),
      meanings_({entries_.tables(), parts_.clock, parts_.asker, parts_.post}),
      stage_(parts_.key, entries_.tables(), meanings_, parts_.metrics) {
  parts_.metrics.sampled(
      metrics::Kind::Gauge,
      {.name = "causeway_faq_entries", .help = "Entries of the FAQ.", .labels = {"state"}},
      [this](metrics::SampleSink& sink) {
        const auto table = entries_.tables().get();
        std::size_t valid = 0;
        const Seconds now = entries_.now();
        for (const auto& entry : table->entries()) valid += entry->valid_at(now);
        sink.add({"valid"}, static_cast<double>(valid));
        sink.add({"other"}, static_cast<double>(table->entries().size() - valid));
      });
  parts_.metrics.sampled(
      metrics::Kind::Gauge,
      {.name = "causeway_faq_vectors",
       .help = "Wordings that can be found by meaning.",
       .labels = {}},
      [this](metrics::SampleSink& sink) { sink.add({}, static_cast<double>(meanings_.rows())); });
}

Result<void> FaqFeature::open() {
  if (auto opened = entries_.open(); !opened) return opened;
  entries_.on_change([this] { meanings_.look(); });
  return {};
}

void FaqFeature::prepare(const std::vector<Policy>& policies) {
  std::vector<std::string> models;
  for (const Policy& policy : policies) {
    if (!policy.sections.has(parts_.key.index())) continue;
    const FaqSettings& settings = policy.sections.get(parts_.key);
    if (settings.by_meaning() && std::ranges::find(models, *settings.model) == models.end()) {
      models.push_back(*settings.model);
    }
  }
  meanings_.want(std::move(models));
}

std::vector<AdminRoute> FaqFeature::routes() {
  using http::Method;
  std::vector<AdminRoute> routes;
  const auto add = [&](Method method, std::string path, std::string summary, bool changes,
                       Result<AdminReply> (FaqFeature::*handle)(const AdminRequest&)) {
    routes.push_back({method, std::move(path), std::move(summary), changes,
                      [this, handle](AdminRequest request) {
                        return reply_of([this, handle, request = std::move(request)] {
                          return (this->*handle)(request);
                        });
                      }});
  };
  add(Method::Get, "/api/faq",
      "Questions that staff has answered, the last changed first, without the answers. ?tenant=, "
      "&language=, &valid_on=2026-12-31; &limit=, &after=ID.",
      false, &FaqFeature::list);
  add(Method::Post, "/api/faq",
      "Adds an entry: {\"questions\": [one, and other wordings], \"answer\", \"language\", "
      "\"tenant\", \"models\", \"valid_from\", \"valid_until\", \"enabled\"}.",
      true, &FaqFeature::create);
  add(Method::Get, "/api/faq/export",
      "All entries as a file: ?format=csv or markdown, and filters as in the list.", false,
      &FaqFeature::exported);
  add(Method::Post, "/api/faq/import",
      "Takes entries from a file: {\"format\": \"csv\" or \"markdown\", \"text\", \"dry_run\"}. "
      "All "
      "of it, or nothing.",
      true, &FaqFeature::import);
  add(Method::Post, "/api/faq/test",
      "Which entry would answer: {\"question\", \"tenant\", \"model\", \"at\"}.", false,
      &FaqFeature::test);
  add(Method::Get, "/api/faq/{id}", "One entry with its older versions.", false, &FaqFeature::one);
  add(Method::Patch, "/api/faq/{id}",
      "Changes an entry: the members given, and \"version\", which must be the newest.", true,
      &FaqFeature::update);
  add(Method::Delete, "/api/faq/{id}", "Removes an entry with all its versions. ?version=", true,
      &FaqFeature::remove);
  return routes;
}

Task<AdminReply> FaqFeature::reply_of(Job job) {
  auto task = offload(parts_.workers, parts_.post, std::move(job));
  auto reply = co_await std::move(task);
  if (!reply) co_return admin_error(reply.error());
  co_return std::move(*reply);
}

Result<AdminReply> FaqFeature::list(const AdminRequest& request) {
  const auto table = entries_.tables().get();
  auto some = filtered(*table, request);
  if (!some) return pass(std::move(some));
  std::size_t limit = kMostListed;
  if (const std::string* wanted = asked_for(request, "limit")) {
    auto number = number_of("limit", *wanted);
    if (!number) return pass(std::move(number));
    limit = std::min(limit, static_cast<std::size_t>(*number));
  }
  auto first = some->begin();
  if (const std::string* after = asked_for(request, "after")) {
    first = std::ranges::find_if(*some, [&](const auto& entry) { return entry->id == *after; });
    if (first == some->end()) return wrong("after", "is no entry of this list.");
    ++first;
  }
  std::string body;
  text::JsonWriter json(body);
  json.begin_object().field("total", some->size()).key("entries").begin_array();
  const Seconds now = entries_.now();
  for (; first != some->end() && limit > 0; ++first, --limit) {
    write_entry(json, **first, now, false);
  }
  json.end_array().field("more", first != some->end()).end_object();
  return reply_with(std::move(body));
}

Result<AdminReply> FaqFeature::one(const AdminRequest& request) {
  auto versions = entries_.versions(request.params.at("id"));
  if (!versions) return pass(std::move(versions));
  std::string body;
  text::JsonWriter json(body);
  const Seconds now = entries_.now();
  json.begin_object().key("entry");
  write_entry(json, versions->front(), now);
  json.key("older").begin_array();
  for (std::size_t i = 1; i < versions->size(); ++i) write_entry(json, (*versions)[i], now);
  json.end_array().end_object();
  return reply_with(std::move(body));
}

Result<AdminReply> FaqFeature::create(const AdminRequest& request) {
  auto value = parse_body(request.body);
  if (!value) return pass(std::move(value));
  Draft draft;
  if (auto read = read_draft(value->as_object(), draft); !read) return pass(std::move(read));
  auto added = entries_.add(std::move(draft), request.actor);
  if (!added) return pass(std::move(added));
  std::string body;
  text::JsonWriter json(body);
  write_entry(json, *added, entries_.now());
  return reply_with(std::move(body), 201);
}

Result<AdminReply> FaqFeature::update(const AdminRequest& request) {
  auto value = parse_body(request.body);
  if (!value) return pass(std::move(value));
  const bj::object& object = value->as_object();
  const bj::value* version = object.if_contains("version");
  if (!version || !version->is_int64()) {
    return wrong("version", "is the number of the version that is to be changed.");
  }
  auto changed = entries_.update(
      request.params.at("id"), version->as_int64(),
      [&](Draft& draft) { return read_draft(object, draft, {"version"}); }, request.actor);
  if (!changed) return pass(std::move(changed));
  std::string body;
  text::JsonWriter json(body);
  write_entry(json, *changed, entries_.now());
  return reply_with(std::move(body));
}

Result<AdminReply> FaqFeature::remove(const AdminRequest& request) {
  std::optional<std::int64_t> version;
  if (const std::string* wanted = asked_for(request, "version")) {
    auto number = number_of("version", *wanted);
    if (!number) return pass(std::move(number));
    version = *number;
  }
  if (auto gone = entries_.remove(request.params.at("id"), version); !gone) {
    return pass(std::move(gone));
  }
  return reply_with(R"({"status":"removed"})");
}

Result<AdminReply> FaqFeature::import(const AdminRequest& request) {
  auto value = parse_body(request.body);
  if (!value) return pass(std::move(value));
  const bj::object& object = value->as_object();
  const auto format = text_in(object, "format");
  const bj::value* text = object.if_contains("text");
  if (format != "csv" && format != "markdown") return wrong("format", "is csv or markdown.");
  if (!text || !text->is_string()) return wrong("text", "is the file's text.");
  const std::string_view file(text->as_string());
  const bj::value* dry = object.if_contains("dry_run");
  if (dry && !dry->is_bool()) return wrong("dry_run", "is true or false.");
  const bool only_look = dry && dry->as_bool();
  auto imports = entries_.import(format == "csv" ? import_csv(file) : import_markdown(file),
                                 request.actor, only_look);
  if (!imports) return pass(std::move(imports));
  if (!imports->problems.empty()) return refused(std::move(imports->problems));
  return reply_with(imported(*imports, only_look));
}

Result<AdminReply> FaqFeature::exported(const AdminRequest& request) {
  const auto table = entries_.tables().get();
  auto some = filtered(*table, request);
  if (!some) return pass(std::move(some));
  std::vector<Entry> entries;
  for (const auto& entry : *some) entries.push_back(*entry);
  const std::string* format = asked_for(request, "format");
  AdminReply reply;
  if (!format || *format == "csv") {
    reply.body = export_csv(entries);
    reply.content_type = "text/csv; charset=utf-8";
  } else if (*format == "markdown") {
    auto text = export_markdown(entries);
    if (!text) return pass(std::move(text));
    reply.body = std::move(*text);
    reply.content_type = "text/markdown; charset=utf-8";
  } else {
    return wrong("format", "is csv or markdown.");
  }
  return reply;
}

Result<AdminReply> FaqFeature::test(const AdminRequest& request) {
  auto value = parse_body(request.body);
  if (!value) return pass(std::move(value));
  const bj::object& object = value->as_object();
  const auto question = text_in(object, "question");
  if (question.empty()) return wrong("question", "is missing.");
  if (question.size() > Draft::kMostQuestion) return wrong("question", "is over 2,000 bytes.");
  Seconds at = entries_.now();
  if (const auto wanted = text_in(object, "at"); !wanted.empty()) {
    const auto time = parse_time(wanted, false);
    if (!time) return wrong("at", "is a time like 2026-12-31.");
    at = *time;
  }
  const Asking asking{text_in(object, "tenant"), text_in(object, "model"), nullptr, at};
  const auto table = entries_.tables().get();
  const Entry* entry = table->find(normal_form(question), asking);
  std::string body;
  text::JsonWriter json(body);
  json.begin_object().field("how", entry ? "exact" : "none").key("entry");
  if (entry) {
    write_entry(json, *entry, at);
  } else {
    json.null();
  }
  json.end_object();
  return reply_with(std::move(body));
}

}  // namespace causeway::faq
