#include "features/traffic/cache/feature.h"

#include "platform/text/json_writer.h"

namespace causeway::cache {
namespace {

template <class Number>
double number(Number value) {
  return static_cast<double>(value);
}

void write_cleared(text::JsonWriter& json, const Result<Shared::Cleared>& shared) {
  json.field("cleared_shared", shared ? shared->removed : 0);
  if (!shared) {
    const Error& error = shared.error();
    json.field("shared_problem", "other replicas were not told: " + error.message +
                                     (error.detail.empty() ? "" : " (" + error.detail + ")"));
  } else if (!shared->all) {
    json.field("shared_problem",
               "some answers still lie in Redis until their time is up; no replica gives them");
  }
}

void write_shared(text::JsonWriter& json, const Shared::Stats& shared) {
  json.key("shared").begin_object();
  json.field("answers", shared.answers).field("full", shared.full);
  json.field("hits", shared.hits).field("misses", shared.misses).field("puts", shared.puts);
  json.field("dropped", shared.dropped).field("too_large", shared.too_large);
  json.field("errors", shared.errors).field("unreadable", shared.unreadable);
  json.field("cleared", shared.cleared).field("clears_heard", shared.heard).end_object();
}

}  // namespace

CacheFeature::CacheFeature(Parts parts, const CacheLimits& limits)
    : parts_(std::move(parts)),
      limits_(limits),
      shelves_(limits.memory.value, limits.questions),
      stage_(parts_.settings, parts_.slots, shelves_, parts_.workers) {
  if (parts_.shared_key.empty()) return;
  shelves_.shared =
      std::make_unique<Shared>(parts_.shared_key, shelves_.memory, parts_.clock,
                               [this](const std::string& tenant, const std::string& model,
                                      Wall made_by) { return forget(tenant, model, made_by); });
}

void CacheFeature::attach(int index, net::Loop& loop, redis::Client& client) {
  if (shelves_.shared) shelves_.shared->attach(index, loop, client);
}

// What another replica has cleared.
bool CacheFeature::forget(const std::string& tenant, const std::string& model, Wall made_by) {
  const auto job = [this, tenant, model, made_by] {
    if (tenant.empty() && model.empty()) shelves_.meanings.clear();
    (void)shelves_.memory.clear(tenant, model, made_by);
    if (!shelves_.disk) return;
    (void)shelves_.disk->clear(tenant, model, made_by);
    // What was being read from there meanwhile.
    (void)shelves_.memory.clear(tenant, model, made_by);
  };
  return parts_.workers.submit(job).has_value();
}

Result<void> CacheFeature::open() {
  if (limits_.disk.value == 0) return {};
  auto disk = Disk::open(parts_.folder, parts_.sealed, parts_.clock, limits_.disk.value);
  if (!disk) return pass(std::move(disk));
  shelves_.disk = std::move(*disk);
  return {};
}

void CacheFeature::configure(const CacheLimits& limits) {
  limits_ = limits;
  shelves_.memory.set_most(limits.memory.value);
  if (shelves_.disk) shelves_.disk->set_most(limits.disk.value);
}

void CacheFeature::declare_metrics(metrics::Registry& metrics) {
  using metrics::Kind;
  using metrics::SampleSink;
  metrics.sampled(
      Kind::Counter,
      {"causeway_cache_lookups_total", "Looks into the cache, by what came of them.", {"result"}},
      [this](SampleSink& sink) {
        sink.add({"hit"}, number(shelves_.hits.load()));
        sink.add({"meaning"}, number(shelves_.by_meaning.load()));
        sink.add({"miss"}, number(shelves_.misses.load()));
        sink.add({"joined"}, number(shelves_.joined.load()));
      });
  metrics.sampled(Kind::Gauge,
                  {"causeway_cache_bytes", "Answers that are kept, by where.", {"where"}},
                  [this](SampleSink& sink) {
                    sink.add({"memory"}, number(shelves_.memory.stats().bytes));
                    if (shelves_.disk) sink.add({"disk"}, number(shelves_.disk->stats().bytes));
                  });
  metrics.sampled(Kind::Counter,
                  {"causeway_cache_shared_total",
                   "Answers shared with other replicas: what was done.",
                   {"what"}},
                  [this](SampleSink& sink) {
                    if (!shelves_.shared) return;
                    const auto shared = shelves_.shared->stats();
                    sink.add({"hit"}, number(shared.hits));
                    sink.add({"miss"}, number(shared.misses));
                    sink.add({"put"}, number(shared.puts));
                    sink.add({"dropped"}, number(shared.dropped));
                    sink.add({"too_large"}, number(shared.too_large));
                    sink.add({"error"}, number(shared.errors));
                    sink.add({"unreadable"}, number(shared.unreadable));
                    sink.add({"cleared"}, number(shared.cleared));
                  });
  metrics.sampled(Kind::Counter,
                  {"causeway_cache_evicted_total", "Answers that went to make room in memory.", {}},
                  [this](SampleSink& sink) {
                    sink.add(std::initializer_list<std::string_view>{},
                             number(shelves_.memory.stats().evicted));
                  });
}

std::vector<AdminRoute> CacheFeature::routes() {
  using http::Method;
  return {{Method::Get, "/api/cache", "How many answers are kept, and how often they were there.",
           false, [this](AdminRequest) { return stats(); }},
          {Method::Delete, "/api/cache",
           "Takes kept answers out: ?tenant= and ?model= say which; without them all.", true,
           [this](AdminRequest request) { return clear(std::move(request)); }}};
}

Task<AdminReply> CacheFeature::stats() const {
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object();
  json.field("by_meaning", shelves_.by_meaning.load());
  json.field("questions", shelves_.meanings.size());
  json.field("hits", shelves_.hits.load()).field("misses", shelves_.misses.load());
  json.field("joined", shelves_.joined.load());
  const auto memory = shelves_.memory.stats();
  json.key("memory").begin_object();
  json.field("entries", memory.entries).field("bytes", memory.bytes);
  json.field("most_bytes", memory.most_bytes).field("evicted", memory.evicted);
  json.field("expired", memory.expired).end_object();
  if (shelves_.disk) {
    const auto disk = shelves_.disk->stats();
    json.key("disk").begin_object();
    json.field("entries", disk.entries).field("bytes", disk.bytes);
    json.field("most_bytes", disk.most_bytes).field("not_kept", disk.dropped).end_object();
  }
  if (shelves_.shared) write_shared(json, shelves_.shared->stats());
  json.end_object();
  co_return reply;
}

Task<AdminReply> CacheFeature::clear(AdminRequest request) {
  for (const auto& [name, value] : request.query) {
    if (name == "tenant" || name == "model") continue;
    auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                      "\"" + name.substr(0, 40) + "\" is not a part of this query.", "cache");
    error.error().param = name.substr(0, 40);
    co_return admin_error(error.error());
  }
  for (const char* name : {"tenant", "model"}) {
    if (!request.query.contains(name) || !request.query[name].empty()) continue;
    auto error =
        fail(ErrorKind::InvalidRequest, Origin::Client,
             "\"" + std::string(name) + "\" is empty. Leave it out to clear all.", "cache");
    error.error().param = name;
    co_return admin_error(error.error());
  }
  const std::string tenant = request.query["tenant"], model = request.query["model"];
  const std::size_t in_memory = shelves_.memory.clear(tenant, model);
  if (tenant.empty() && model.empty()) shelves_.meanings.clear();  // others are noticed when found
  std::size_t on_disk = 0;
  if (shelves_.disk) {
    Disk& disk = *shelves_.disk;
    auto task = offload(parts_.workers, parts_.post,
                        [&disk, tenant, model] { return disk.clear(tenant, model); });
    auto cleared = co_await std::move(task);
    if (!cleared) co_return admin_error(cleared.error());
    on_disk = *cleared;
  }
  std::optional<Result<Shared::Cleared>> shared;
  if (shelves_.shared) {
    auto clearing = clear_shared(tenant, model);
    shared = co_await std::move(clearing);
  }
  // What was being read from there meanwhile.
  (void)shelves_.memory.clear(tenant, model);
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object().field("cleared_in_memory", in_memory);
  json.field("cleared_on_disk", on_disk);
  if (shared) write_cleared(json, *shared);
  json.end_object();
  co_return reply;
}

Task<Result<Shared::Cleared>> CacheFeature::clear_shared(std::string tenant, std::string model) {
  struct Outcome {
    Signal done;
    std::optional<Result<Shared::Cleared>> result;
  };
  const auto outcome = std::make_shared<Outcome>();
  shelves_.shared->clear(std::move(tenant), std::move(model),
                         [outcome, post = parts_.post](Result<Shared::Cleared> result) {
                           post([outcome, result = std::move(result)]() mutable {
                             outcome->result = std::move(result);
                             outcome->done.set();
                           });
                         });
  co_await outcome->done;
  co_return std::move(*outcome->result);
}

}  // namespace causeway::cache
