#include "features/traffic/cache/feature.h"

#include "platform/text/json_writer.h"

namespace causeway::cache {
namespace {

template <class Number>
double number(Number value) {
  return static_cast<double>(value);
}

}  // namespace

CacheFeature::CacheFeature(Parts parts, const CacheLimits& limits)
    : parts_(std::move(parts)),
      limits_(limits),
      shelves_(limits.memory.value, limits.questions),
      stage_(parts_.settings, parts_.slots, shelves_, parts_.workers) {}

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
    // What was being read from there meanwhile.
    (void)shelves_.memory.clear(tenant, model);
  }
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object().field("cleared_in_memory", in_memory);
  json.field("cleared_on_disk", on_disk).end_object();
  co_return reply;
}

}  // namespace causeway::cache
