#include "features/insight/traces/feature.h"

#include <algorithm>
#include <map>

#include "platform/config/values.h"
#include "platform/text/ascii.h"
#include "platform/text/json_writer.h"

namespace causeway::traces {
namespace {

using namespace std::chrono_literals;

constexpr int kMostTails = 32;
constexpr std::chrono::milliseconds kMostWait = 30s;
constexpr auto kLook = 200ms;

std::unexpected<Error> no_trace() {
  return fail(ErrorKind::NotFound, Origin::Client,
              "No trace has this id: it was not recorded, or is not kept any more.",
              "trace_not_found");
}

Result<std::chrono::milliseconds> take_wait(AdminRequest& request) {
  const auto given = request.query.find("wait");
  if (given == request.query.end()) return 0ms;
  const auto wait = config::parse_duration(given->second);
  if (!wait || *wait > kMostWait) {
    auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                      "wait must be a time of at most 30s", "invalid_query");
    error.error().param = "wait";
    return error;
  }
  request.query.erase(given);
  return std::chrono::duration_cast<std::chrono::milliseconds>(*wait);
}

// Where to go on; absent at the first call of a tail.
std::optional<std::int64_t> take_after(AdminRequest& request) {
  const auto given = request.query.find("after");
  if (given == request.query.end()) return std::nullopt;
  const auto after = text::parse_int<std::int64_t>(given->second);
  request.query.erase(given);
  return after;
}

}  // namespace

TracesFeature::TracesFeature(Parts parts)
    : parts_(std::move(parts)),
      slot_(parts_.slots.add<Saying>()),
      archive_(parts_.archive),
      trace_(archive_, parts_.settings, slot_, parts_.archive.loops),
      sent_(parts_.settings, slot_),
      said_(parts_.settings, slot_) {}

void TracesFeature::declare_metrics(metrics::Registry& registry) {
  using metrics::Kind;
  const auto declare = [&](Kind kind, const char* name, const char* help,
                           std::vector<std::string> labels, auto write) {
    registry.sampled(kind, {.name = name, .help = help, .labels = std::move(labels)},
                     [this, write](metrics::SampleSink& sink) { write(sink, archive_.counts()); });
  };
  using Counts = Archive::Counts;
  using metrics::SampleSink;
  declare(Kind::Counter, "causeway_traces_recorded_total", "Traces that were written.", {},
          [](SampleSink& sink, const Counts& c) { sink.add({}, static_cast<double>(c.recorded)); });
  declare(
      Kind::Counter, "causeway_traces_dropped_total",
      "Traces (or the contents of one) that were not written: too many in a second, the queue was "
      "full, or the disk did not take them.",
      {"what", "reason"}, [this](SampleSink& sink, const Counts& c) {
        sink.add({"trace", "queue_full"}, static_cast<double>(c.dropped_queue));
        sink.add({"trace", "per_second"}, static_cast<double>(trace_.spared()));
        sink.add({"trace", "disk"}, static_cast<double>(c.dropped_disk));
        sink.add({"contents", "queue_full"}, static_cast<double>(c.dropped_contents));
      });
  declare(Kind::Gauge, "causeway_traces_bytes", "Size of all traces on the disk.", {},
          [](SampleSink& sink, const Counts& c) { sink.add({}, static_cast<double>(c.bytes)); });
  declare(Kind::Counter, "causeway_traces_damaged_total",
          "Files of traces that were damaged and put aside.", {},
          [](SampleSink& sink, const Counts& c) { sink.add({}, static_cast<double>(c.damaged)); });
}

std::vector<AdminRoute> TracesFeature::routes() {
  const auto route = [](std::string path, std::string summary, auto handle) {
    return AdminRoute{http::Method::Get, std::move(path), std::move(summary), false,
                      std::move(handle)};
  };
  return {route("/api/traces",
                "Exchanges, newest first: since, until, key, tenant, user, model, target, "
                "failed_target, policy, status, error, code, found, dialect, operation (`*` stands "
                "for any text), errors=1, "
                "min_ms, min_cost, id, contains, limit, cursor.",
                [this](AdminRequest request) { return list(std::move(request)); }),
          route("/api/traces/tail",
                "Exchanges that ended behind ?after=, oldest first, with the filters of the list; "
                "waits up to ?wait= for the first.",
                [this](AdminRequest request) { return tail(std::move(request)); }),
          route("/api/traces/{id}",
                "One exchange by its request id, with what was said in it for full admin keys.",
                [this](AdminRequest request) { return one(std::move(request)); })};
}

std::vector<Verb> TracesFeature::verbs() { return {traces_verb()}; }

Task<Result<std::string>> TracesFeature::on_worker(
    std::move_only_function<Result<std::string>()> job) {
  auto task = offload(parts_.workers, parts_.post, std::move(job));
  auto body = co_await std::move(task);
  co_return body;
}

Task<AdminReply> TracesFeature::list(AdminRequest request) {
  auto filter = read_filter(request, parts_.archive.clock.wall());
  if (!filter) co_return admin_error(filter.error());
  std::move_only_function<Result<std::string>()> job = [this, wanted = std::move(*filter)]() {
    return list_json(wanted);
  };
  auto task = on_worker(std::move(job));
  auto body = co_await std::move(task);
  if (!body) co_return admin_error(body.error());
  AdminReply reply;
  reply.body = std::move(*body);
  co_return reply;
}

Task<AdminReply> TracesFeature::tail(AdminRequest request) {
  auto wait = take_wait(request);
  if (!wait) co_return admin_error(wait.error());
  const auto after = take_after(request);
  auto filter = read_filter(request, parts_.archive.clock.wall());
  if (!filter) co_return admin_error(filter.error());
  filter->oldest_first = true;
  if (after) filter->from = std::max(filter->from, *after + 1);
  if (after && tails_ < kMostTails) {
    ++tails_;
    const auto until = parts_.archive.clock.now() + *wait;
    bool waits = archive_.last_id() <= *after;
    while (waits && !parts_.ending() && parts_.archive.clock.now() < until) {
      auto nap = parts_.sleep(kLook);
      co_await std::move(nap);
      waits = archive_.last_id() <= *after;
    }
    --tails_;
  }
  // Without a place to go on from, only that place is told.
  if (!after) filter->from = filter->to;
  std::move_only_function<Result<std::string>()> job = [this, wanted = std::move(*filter)]() {
    return tail_json(wanted);
  };
  auto task = on_worker(std::move(job));
  auto body = co_await std::move(task);
  if (!body) co_return admin_error(body.error());
  AdminReply reply;
  reply.body = std::move(*body);
  co_return reply;
}

Task<AdminReply> TracesFeature::one(AdminRequest request) {
  std::move_only_function<Result<std::string>()> job =
      [this, id = request.params["id"], full = request.full]() { return one_json(id, full); };
  auto task = on_worker(std::move(job));
  auto body = co_await std::move(task);
  if (!body) co_return admin_error(body.error());
  AdminReply reply;
  reply.body = std::move(*body);
  co_return reply;
}

// Keys are recorded by their ids and asked for by their names as well.
void TracesFeature::resolve_keys(Filter& filter) const {
  for (auto& [field, pattern] : filter.names) {
    if (field != Field::Key) continue;
    if (const std::string id = parts_.names.id_of(pattern); !id.empty()) pattern = id;
  }
}

void TracesFeature::write_traces(text::JsonWriter& json, const std::vector<Found>& traces) const {
  std::map<std::string_view, std::string> names;
  json.key("traces").begin_array();
  for (const Found& found : traces) {
    const auto [name, made] = names.try_emplace(found.trace.key_id);
    if (made) name->second = parts_.names.name_of(found.trace.key_id);
    found.trace.write(json, name->second);
  }
  json.end_array();
}

Result<std::string> TracesFeature::list_json(Filter filter) {
  resolve_keys(filter);
  const auto [results, complete, newest] = archive_.search(filter);
  std::string out;
  text::JsonWriter json(out);
  json.begin_object();
  write_traces(json, results.traces);
  json.key("next");
  if (results.stopped_at == 0) {
    json.null();
  } else {
    json.string(std::to_string(results.stopped_at));
  }
  json.field("complete", complete).end_object();
  return out;
}

Result<std::string> TracesFeature::tail_json(Filter filter) {
  resolve_keys(filter);
  const auto [results, complete, newest] = archive_.search(filter);
  const std::int64_t after = results.stopped_at != 0 ? results.stopped_at : newest;
  std::string out;
  text::JsonWriter json(out);
  json.begin_object();
  write_traces(json, results.traces);
  json.field("after", std::to_string(after)).field("complete", complete).end_object();
  return out;
}

Result<std::string> TracesFeature::one_json(const std::string& id, bool with_contents) {
  Filter filter;
  filter.id = id;
  filter.limit = 1;
  const auto [results, complete, newest] = archive_.search(filter);
  if (results.traces.empty()) return no_trace();
  const Trace& trace = results.traces.front().trace;
  std::string out;
  text::JsonWriter json(out);
  trace.write_open(json, parts_.names.name_of(trace.key_id));
  if (with_contents && trace.has_contents) {
    json.key("contents");
    if (auto said = archive_.contents(trace.id)) {
      said->write(json);
    } else {
      json.null();
    }
  }
  json.end_object();
  return out;
}

Result<Recorded> TracesFeature::recorded(const std::string& id) {
  if (id.empty()) return no_trace();  // for a search it would be any
  Filter filter;
  filter.id = id;
  filter.limit = 1;
  const auto [results, complete, newest] = archive_.search(filter);
  if (results.traces.empty()) return no_trace();
  const Trace& trace = results.traces.front().trace;
  if (!trace.has_contents) {
    return fail(ErrorKind::NotFound, Origin::Client,
                "What was said in this exchange was not kept; a policy with \"traces: {contents: "
                "on}\" asks for it.",
                "no_contents");
  }
  auto said = archive_.contents(trace.id);
  if (!said) return pass(std::move(said));
  Recorded recorded;
  recorded.id = trace.request_id;
  recorded.tenant = trace.tenant;
  recorded.model = trace.model;
  recorded.operation = trace.operation;
  recorded.dialect = trace.dialect;
  recorded.streamed = trace.streamed;
  recorded.request_cut = said->request_cut;
  text::JsonWriter json(recorded.contents);
  said->write(json);
  recorded.request = std::move(said->request);
  return recorded;
}

}  // namespace causeway::traces
