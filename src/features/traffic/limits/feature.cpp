#include "features/traffic/limits/feature.h"

#include <charconv>
#include <chrono>

#include "features/traffic/limits/limit.h"
#include "platform/text/json_writer.h"

namespace causeway::limits {
namespace {

constexpr std::size_t kMostRows = 1000;
constexpr std::int64_t kNanosPerMicro = 1000;

std::unexpected<Error> wrong(std::string_view name, std::string_view what) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                    '"' + std::string(name.substr(0, 40)) + "\" " + std::string(what), "limits");
  error.error().param = std::string(name.substr(0, 40));
  return error;
}

Result<Table::Query> read_query(const AdminRequest& request) {
  Table::Query query;
  query.limit_rows = kMostRows;
  for (const auto& [name, value] : request.query) {
    if (name == "limit") {
      query.limit = value;
    } else if (name == "subject") {
      query.subject = value;
    } else if (name == "near") {
      const auto [end, failed] =
          std::from_chars(value.data(), value.data() + value.size(), query.near);
      if (failed != std::errc() || end != value.data() + value.size() ||
          !(query.near >= 0 && query.near <= 1)) {
        return wrong(name, "must be from 0 to 1: the part of a limit that is used");
      }
    } else {
      return wrong(name, "is not a part of this query: limit, subject, near");
    }
  }
  return query;
}

void write_amount(text::JsonWriter& json, std::string_view name, Amount amount,
                  std::int64_t value) {
  if (amount == Amount::Money) {
    json.key(name).money(value / kNanosPerMicro);
  } else {
    json.field(name, value);
  }
}

}  // namespace

LimitsFeature::LimitsFeature(Parts parts, const LimitTable& table,
                             std::unique_ptr<BudgetFile> budgets)
    : parts_(parts),
      budgets_(std::move(budgets)),
      table_(parts_.clock, table.subjects, budgets_.get()),
      stage_(parts_.settings, parts_.slots, table_, parts_.log, parts_.loops, parts_.replicas) {}

LimitsFeature::~LimitsFeature() = default;

void LimitsFeature::attach(int index, net::Loop& loop, redis::Client& client) {
  SharedCounters::Options options;
  options.replica = budgets_->replica();
  auto shared = std::make_unique<SharedCounters>(loop, client, std::move(options));
  // One loop tells what was spent and taken while Redis could not be asked, or what it has
  // forgotten.
  if (index == 0) {
    shared->on_return([this, counters = shared.get()] {
      std::vector<SharedNews> news;
      for (const Table::Owed& owed : table_.take_owed()) {
        const auto window = std::chrono::ceil<std::chrono::milliseconds>(owed.window);
        news.push_back({SharedKind::Window, text_of(owed.key), window.count(), owed.amount});
      }
      for (const auto& spent : budgets_->running(parts_.clock.wall())) {
        news.push_back({SharedKind::Period, text_of(spent.key), spent.end_seconds, spent.spent});
      }
      counters->tell(news);
    });
  }
  stage_.attach(index, std::move(shared));
}

void LimitsFeature::keep_budgets() {
  if (!budgets_ || syncing_->exchange(true)) return;
  const auto done = [syncing = syncing_, budgets = budgets_] {
    budgets->sync();
    syncing->store(false);
  };
  if (!parts_.workers.submit(done)) syncing_->store(false);  // the next second is another chance
}

void LimitsFeature::declare_metrics(metrics::Registry& metrics) {
  using metrics::Kind;
  using metrics::SampleSink;
  metrics.sampled(
      Kind::Counter,
      {"causeway_limits_refused_total", "Requests refused, by the limit's name.", {"limit"}},
      [this](SampleSink& sink) {
        for (const auto& [name, count] : stage_.refused()) {
          sink.add({std::string_view(name)}, static_cast<double>(count));
        }
      });
  metrics.sampled(Kind::Counter,
                  {"causeway_limits_decided_total",
                   "Requests decided together with the other replicas, or by this one's share "
                   "while Redis does not answer.",
                   {"by"}},
                  [this](SampleSink& sink) {
                    const auto decided = stage_.decided();
                    sink.add({std::string_view("together")}, static_cast<double>(decided.together));
                    sink.add({std::string_view("share")}, static_cast<double>(decided.by_share));
                  });
  metrics.sampled(Kind::Gauge,
                  {"causeway_limits_subjects", "Users, keys, addresses that are counted.", {}},
                  [this](SampleSink& sink) {
                    sink.add(std::initializer_list<std::string_view>{},
                             static_cast<double>(table_.stats().subjects));
                  });
  metrics.sampled(
      Kind::Counter, {"causeway_limits_full_total", "Subjects for which there was no room.", {}},
      [this](SampleSink& sink) {
        sink.add(std::initializer_list<std::string_view>{},
                 static_cast<double>(table_.stats().full + (budgets_ ? budgets_->dropped() : 0)));
      });
}

std::vector<AdminRoute> LimitsFeature::routes() {
  return {{http::Method::Get, "/api/limits",
           "Who has used how much of which limit, nearest to its end first: ?limit=, ?subject=, "
           "?near=0.8.",
           false, [this](AdminRequest request) { return list(std::move(request)); }}};
}

Task<AdminReply> LimitsFeature::list(AdminRequest request) const {
  const auto query = read_query(request);
  if (!query) co_return admin_error(query.error());
  AdminReply reply;
  text::JsonWriter json(reply.body);
  const auto views = table_.list(*query);
  json.begin_object().key("limits").begin_array();
  for (const Table::View& view : views) {
    json.begin_object().field("limit", view.limit).field("policy", view.policy);
    json.field("subject", view.subject);
    json.field("amount", to_string(view.amount));
    write_amount(json, "used", view.amount, view.used);
    write_amount(json, "reserved", view.amount, view.reserved);
    write_amount(json, "most", view.amount, view.most);
    json.key("frees_in_seconds")
        .fixed(std::chrono::ceil<std::chrono::milliseconds>(view.until).count(), 3);
    json.field("refused", view.refused).end_object();
  }
  const auto stats = table_.stats();
  json.end_array().field("complete", views.size() < kMostRows).field("subjects", stats.subjects);
  const Counting counting = stage_.counting();
  using By = Counting::By;
  json.field("counted", counting.by == By::Alone     ? "alone"
                        : counting.by == By::Granted ? "together"
                                                     : "share");
  json.field("replicas", std::max<std::int64_t>(1, counting.replicas));
  json.end_object();
  co_return reply;
}

}  // namespace causeway::limits
