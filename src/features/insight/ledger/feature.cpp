#include "features/insight/ledger/feature.h"

#include <map>
#include <utility>

#include "platform/metrics/registry.h"
#include "platform/text/json_writer.h"
#include "platform/text/number.h"

namespace causeway::ledger {
namespace {

// Hosted time is stored this often, and whenever somebody asks.
constexpr auto kHostedEvery = std::chrono::seconds(60);

class HostedGuest final : public FoldGuest {
 public:
  HostedGuest(std::shared_ptr<HostedMeters> hosted, const Clock& clock)
      : hosted_(std::move(hosted)), clock_(clock), last_(clock.now()) {}
  bool due(bool asked) override {
    return !hosted_->empty() && (asked || clock_.now() - last_ >= kHostedEvery);
  }
  Result<void> store(store::Database& db) override { return hosted_->store(db); }
  void stored(bool kept) override {
    last_ = clock_.now();
    hosted_->stored(kept);
  }

 private:
  std::shared_ptr<HostedMeters> hosted_;
  const Clock& clock_;
  Monotonic last_;
};

std::unexpected<Error> wrong(std::string_view field, std::string_view why) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                    std::string(field) + " " + std::string(why), "invalid_query");
  error.error().param = field;
  return error;
}

Result<void> read_groups(std::string_view list, UsageQuery& query) {
  const std::pair<std::string_view, bool*> groups[] = {
      {"day", &query.by_day},           {"key", &query.by_key},
      {"tenant", &query.by_tenant},     {"model", &query.by_model},
      {"provider", &query.by_provider}, {"upstream", &query.by_upstream},
      {"source", &query.by_source}};
  while (!list.empty()) {
    const auto word = list.substr(0, list.find(','));
    list.remove_prefix(std::min(word.size() + 1, list.size()));
    bool known = false;
    for (const auto& [name, flag] : groups) {
      if (name == word) known = *flag = true;
    }
    if (!known) return wrong("by", "takes day, key, tenant, model, provider, upstream and source");
  }
  return {};
}

Result<UsageQuery> read_query(const AdminRequest& request) {
  UsageQuery query;
  std::string by = "day,tenant,key,model";
  for (const auto& [name, value] : request.query) {
    if (name == "key") {
      query.key = value;
    } else if (name == "tenant") {
      query.tenant = value;
    } else if (name == "model") {
      query.model = value;
    } else if (name == "provider") {
      query.provider = value;
    } else if (name == "by") {
      by = value;
    } else if (name == "from" || name == "to") {
      const auto day = day_from_date(value);
      if (!day) return wrong(name, "must be a day like 2026-11-24");
      (name == "from" ? query.from_day : query.to_day) = *day;
    } else {
      return wrong(name, "is not a part of this query");
    }
  }
  if (auto read = read_groups(by, query); !read) return pass(std::move(read));
  return query;
}

std::string_view to_text(UsageSource source) {
  switch (source) {
    case UsageSource::Reported:
      return "reported";
    case UsageSource::Estimated:
      return "estimated";
    case UsageSource::Saved:
      return "saved";
    case UsageSource::None:
      break;
  }
  return "none";
}

void write_totals(text::JsonWriter& json, const Totals& totals) {
  const auto& t = totals.tokens;
  json.field("requests", totals.requests).field("failed_requests", totals.failed);
  json.field("streamed_requests", totals.streamed).field("cut_requests", totals.cut_by_client);
  json.field("estimated_requests", totals.estimated);
  json.field("input_tokens", t[0] + t[1] + t[2]).field("cache_read_tokens", t[1]);
  json.field("cache_write_tokens", t[2]).field("output_tokens", t[3] + t[4]);
  json.field("reasoning_tokens", t[4]).field("audio_input_tokens", t[5]);
  json.field("audio_output_tokens", t[6]).field("tokens_saved", totals.tokens_saved);
  json.field("lost_attempts", totals.lost_attempts).field("lost_tokens", totals.lost_tokens);
  // Without any known price there is no cost; it is not 0.
  if (const auto micros = totals.cost_micros()) {
    json.key("cost").money(*micros).field("cost_micros", *micros);
  }
  json.field("unpriced_requests", totals.unpriced);
  json.field("cached_requests", totals.stored).field("cached_tokens", totals.stored_tokens);
  if (totals.stored_priced > 0) json.key("cost_saved").money(to_micros(totals.stored_cost));
  if (totals.requests > 0) {
    json.key("mean_seconds").fixed(totals.duration_us / totals.requests, 6);
  }
  if (totals.with_first > 0) {
    json.key("mean_seconds_to_first").fixed(totals.to_first_us / totals.with_first, 6);
  }
}

}  // namespace

LedgerFeature::LedgerFeature(Parts parts)
    : parts_(std::move(parts)),
      hosted_(std::make_shared<HostedMeters>(parts_.clock)),
      stage_(parts_.ledger, *hosted_, parts_.slots, parts_.settings, parts_.loops) {
  // Shared with the ledger, which may fold once more after this is gone.
  parts_.ledger.set_guest(std::make_shared<HostedGuest>(hosted_, parts_.clock));
}

void LedgerFeature::set_prices(PriceSettings settings) {
  {
    std::lock_guard lock(mutex_);
    currency_ = settings.currency;
  }
  stage_.set_rates(settings);
}

void LedgerFeature::declare_metrics(metrics::Registry& registry) {
  registry.sampled(metrics::Kind::Gauge,
                   {.name = "causeway_ledger_unfolded_records",
                    .help = "Settlements in the journal that the totals do not hold yet.",
                    .labels = {}},
                   [this](metrics::SampleSink& sink) {
                     sink.add({}, static_cast<double>(parts_.ledger.unfolded()));
                   });
  registry.sampled(
      metrics::Kind::Counter,
      {.name = "causeway_ledger_dropped_total",
       .help = "Settlements that found the journal full.",
       .labels = {}},
      [this](metrics::SampleSink& sink) { sink.add({}, static_cast<double>(stage_.dropped())); });
}

std::vector<AdminRoute> LedgerFeature::routes() {
  return {{http::Method::Get, "/api/usage",
           "Tokens and money per day, tenant, key and model, or as ?by= says; what is shown is on "
           "the disk.",
           false, [this](AdminRequest request) { return usage(std::move(request)); }}};
}

std::vector<Verb> LedgerFeature::verbs() { return {usage_verb()}; }

Task<AdminReply> LedgerFeature::usage(AdminRequest request) {
  auto query = read_query(request);
  if (!query) co_return admin_error(query.error());
  auto job = [this, wanted = std::move(*query)] { return usage_json(wanted); };
  auto task = offload(parts_.workers, parts_.post, std::move(job));
  auto body = co_await std::move(task);
  if (!body) co_return admin_error(body.error());
  AdminReply reply;
  reply.body = std::move(*body);
  co_return reply;
}

Result<std::string> LedgerFeature::usage_json(const UsageQuery& asked) {
  UsageQuery query = asked;
  std::string id = query.key.empty() ? std::string() : parts_.names.id_of(query.key);
  const bool unknown_key = !query.key.empty() && id.empty();
  if (!id.empty()) query.key = std::move(id);
  auto rows = parts_.ledger.usage(query);
  if (!rows) return pass(std::move(rows));
  // What a key that is gone by now has used is still there, under its id.
  if (unknown_key && rows->empty()) {
    return fail(ErrorKind::NotFound, Origin::Client,
                "there is no key \"" + query.key.substr(0, 100) +
                    "\", and nothing was used under this id; `causeway keys list` shows the keys",
                "key_not_found");
  }
  std::vector<HostedRow> hosted;
  auto read = parts_.ledger.store().read([&](store::Database& db) -> Result<void> {
    auto found = read_hosted(db, query.from_day, query.to_day);
    if (!found) return pass(std::move(found));
    hosted = std::move(*found);
    return {};
  });
  if (!read) return pass(std::move(read));
  std::map<std::string, std::string, std::less<>> key_names;
  std::string out;
  text::JsonWriter json(out);
  {
    std::lock_guard lock(mutex_);
    json.begin_object().field("currency", currency_);
  }
  json.field("complete", static_cast<std::int64_t>(rows->size()) < query.limit);
  json.key("usage").begin_array();
  for (const UsageRow& row : *rows) {
    json.begin_object();
    if (row.day) json.field("day", to_date(*row.day));
    if (query.by_tenant) json.field("tenant", row.tenant);
    if (query.by_key) {
      auto name = key_names.find(row.key);
      if (name == key_names.end()) {
        name = key_names.emplace(row.key, parts_.names.name_of(row.key)).first;
      }
      json.field("key", name->second).field("key_id", row.key);
    }
    if (query.by_model) json.field("model", row.model);
    if (query.by_provider) json.field("provider", row.provider);
    if (query.by_upstream) json.field("upstream", row.upstream);
    if (row.source) json.field("source", to_text(*row.source));
    write_totals(json, row.totals);
    json.end_object();
  }
  json.end_array().key("hosted").begin_array();
  for (const HostedRow& row : hosted) {
    json.begin_object().field("day", to_date(row.day)).field("provider", row.provider);
    json.key("busy_seconds").fixed(row.sums.busy_us, 6);
    json.key("idle_seconds").fixed(row.sums.idle_us, 6);
    json.key("busy_cost").money(to_micros(row.sums.busy_cost));
    json.key("idle_cost").money(to_micros(row.sums.idle_cost)).end_object();
  }
  json.end_array().end_object();
  return out;
}

}  // namespace causeway::ledger
