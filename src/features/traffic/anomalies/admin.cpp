#include "features/traffic/anomalies/admin.h"

#include <time.h>

#include <algorithm>
#include <boost/json.hpp>

#include "features/traffic/anomalies/feature.h"
#include "platform/config/values.h"
#include "platform/text/json_writer.h"

namespace causeway::anomalies {
namespace {

namespace bj = boost::json;

constexpr auto kUsual = std::chrono::hours(1);
constexpr auto kLongest = std::chrono::days(3650);
constexpr std::size_t kLongestReason = 500;

std::unexpected<Error> wrong(std::string_view field, std::string_view why) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                    std::string(field) + " " + std::string(why), "invalid_block");
  error.error().param = field;
  return error;
}

std::string time_text(Wall time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  tm parts{};
  std::array<char, 32> text{};
  ::gmtime_r(&seconds, &parts);
  const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

std::string_view text_of(Kind kind) {
  constexpr std::array<std::string_view, kKinds> kNames = {"address", "user", "key"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace

Result<Block> read_block(std::string_view body, std::string_view actor, Wall now) {
  bj::error_code failed;
  const bj::value value = bj::parse(bj::string_view(body.data(), body.size()), failed);
  if (failed || !value.is_object()) return wrong("the body", "must be a JSON object");
  std::string who, tenant, length, reason;
  for (const auto& member : value.as_object()) {
    const std::string_view name(member.key().data(), member.key().size());
    std::string* into = name == "who"      ? &who
                        : name == "tenant" ? &tenant
                        : name == "for"    ? &length
                        : name == "reason" ? &reason
                                           : nullptr;
    if (!into) return wrong(name.substr(0, 100), "is not a field of this request");
    if (!member.value().is_string()) return wrong(name, "must be a text");
    *into = std::string(member.value().as_string());
  }
  auto subject = parse_subject(who, tenant);
  if (!subject) return pass(std::move(subject));
  if (is_too_wide(*subject)) {
    return wrong("who",
                 "is a network wider than /8 (IPv4) or /16 (IPv6), which would block almost "
                 "everybody; name smaller ones");
  }
  std::chrono::nanoseconds life = kUsual;
  if (!length.empty()) {
    const auto said = config::parse_duration(length);
    if (!said || *said < std::chrono::seconds(1) || *said > kLongest) {
      return wrong("for", "must be a duration between 1s and 3650d, like 1h");
    }
    life = *said;
  }
  const bool control = std::ranges::any_of(
      reason, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (reason.size() > kLongestReason || control) {
    return wrong("reason", "must have at most 500 bytes and no control characters");
  }
  return Block{std::move(*subject),
               now,
               now + std::chrono::ceil<std::chrono::milliseconds>(life),
               0,
               std::move(reason),
               std::string(actor.empty() ? "operator" : actor)};
}

std::string write_blocks(std::string_view name, const std::vector<Block>& blocks, Wall now) {
  std::string body;
  text::JsonWriter json(body);
  json.begin_object().key(name).begin_array();
  for (const Block& block : blocks) {
    json.begin_object().field("who", block.subject.who);
    json.field("kind", text_of(block.subject.kind));
    json.key("tenant");
    if (block.subject.tenant.empty()) {
      json.null();
    } else {
      json.string(block.subject.tenant);
    }
    json.field("since", time_text(block.since)).field("until", time_text(block.until));
    const auto left = std::chrono::ceil<std::chrono::seconds>(block.until - now).count();
    json.field("seconds_left", std::max<std::int64_t>(left, 0)).field("step", block.step);
    json.field("reason", block.reason);
    json.field("by", block.actor.empty() ? std::string("anomalies") : block.actor);
    json.end_object();
  }
  json.end_array().end_object();
  return body;
}

AnomaliesFeature::AnomaliesFeature(Parts parts, const AnomalySettings& settings)
    : parts_(std::move(parts)), blocks_(parts_.store), guard_(blocks_, parts_.log) {
  guard_.configure(settings);
}

void AnomaliesFeature::declare_metrics(metrics::Registry& metrics) {
  using anomalies::text_of;
  using metrics::Kind;
  using metrics::SampleSink;
  constexpr std::array kAll = {anomalies::Kind::Address, anomalies::Kind::User,
                               anomalies::Kind::Key};
  metrics.sampled(Kind::Gauge, {"causeway_blocks_active", "Who is blocked now.", {"kind"}},
                  [this, kAll](SampleSink& sink) {
                    const auto active = blocks_.active(parts_.clock.wall());
                    for (const auto kind : kAll) {
                      sink.add({text_of(kind)},
                               static_cast<double>(active[static_cast<std::size_t>(kind)]));
                    }
                  });
  metrics.sampled(Kind::Counter,
                  {"causeway_spikes_total", "Blocks for far more requests than usual.", {"kind"}},
                  [this, kAll](SampleSink& sink) {
                    for (const auto kind : kAll) {
                      sink.add({text_of(kind)}, static_cast<double>(guard_.spikes(kind)));
                    }
                  });
  metrics.sampled(Kind::Counter,
                  {"causeway_blocked_requests_total",
                   "Requests that were refused since who sent them is blocked.",
                   {"kind"}},
                  [this, kAll](SampleSink& sink) {
                    for (const auto kind : kAll) {
                      sink.add({text_of(kind)}, static_cast<double>(guard_.refused(kind)));
                    }
                  });
}

std::vector<AdminRoute> AnomaliesFeature::routes() {
  using http::Method;
  return {{Method::Get, "/api/blocks", "Who is blocked, until when and why.", false,
           [this](AdminRequest) { return list(); }},
          {Method::Post, "/api/blocks", "Blocks an address, a network, a user or a key.", true,
           [this](AdminRequest request) { return add(std::move(request)); }},
          {Method::Delete, "/api/blocks",
           "Takes a block away: ?who= as the list has it, and ?tenant= of a user.", true,
           [this](AdminRequest request) { return remove(std::move(request)); }}};
}

Task<AdminReply> AnomaliesFeature::list() const {
  const Wall now = parts_.clock.wall();
  AdminReply reply;
  reply.body = write_blocks("blocks", blocks_.list(now), now);
  co_return reply;
}

Task<AdminReply> AnomaliesFeature::add(AdminRequest request) {
  const Wall now = parts_.clock.wall();
  auto block = read_block(request.body, request.actor, now);
  if (!block) co_return admin_error(block.error());
  // Keys may be waiting for the disk as well.
  auto job = [this, wanted = *block]() mutable -> Result<Block> {
    if (wanted.subject.kind == Kind::Key) {
      auto name = parts_.key_name(std::string_view(wanted.subject.who).substr(4));
      if (!name) return pass(std::move(name));
      wanted.subject = subject_of_key(*name);
    }
    if (auto added = blocks_.add(wanted); !added) return pass(std::move(added));
    return wanted;
  };
  auto task = offload(parts_.workers, parts_.post, std::move(job));
  block = co_await std::move(task);
  if (!block) co_return admin_error(block.error());
  parts_.log.info("blocked by an operator", {{"who", block->subject.who},
                                             {"tenant", block->subject.tenant},
                                             {"by", block->actor},
                                             {"reason", block->reason}});
  AdminReply reply;
  reply.status = 201;
  std::vector<Block> one;
  one.push_back(*block);
  reply.body = write_blocks("added", one, now);
  co_return reply;
}

Task<AdminReply> AnomaliesFeature::remove(AdminRequest request) {
  for (const auto& [name, value] : request.query) {
    if (name == "who" || name == "tenant") continue;
    auto error = wrong(name.substr(0, 40), "is not a part of this query");
    co_return admin_error(error.error());
  }
  auto subject = parse_subject(request.query["who"], request.query["tenant"]);
  if (!subject) co_return admin_error(subject.error());
  auto job = [this, wanted = *subject]() mutable -> Result<std::vector<Block>> {
    auto removed = blocks_.remove(wanted);
    if (!removed || !removed->empty() || wanted.kind != Kind::Key) return removed;
    // By its id; a key that is not there any more is known by the name that the list has.
    const auto name = parts_.key_name(std::string_view(wanted.who).substr(4));
    return name ? blocks_.remove(subject_of_key(*name)) : std::move(removed);
  };
  auto task = offload(parts_.workers, parts_.post, std::move(job));
  auto removed = co_await std::move(task);
  if (!removed) co_return admin_error(removed.error());
  if (removed->empty()) {
    auto error = fail(ErrorKind::NotFound, Origin::Client,
                      "\"" + subject->who + "\" is not blocked.", "block_not_found");
    co_return admin_error(error.error());
  }
  for (const Block& block : *removed) {
    if (!block.subject.network) guard_.rates().forget(block.subject.mark(blocks_.marks()));
    parts_.log.info(
        "a block was taken away",
        {{"who", block.subject.who}, {"tenant", block.subject.tenant}, {"by", request.actor}});
  }
  AdminReply reply;
  reply.body = write_blocks("removed", *removed, parts_.clock.wall());
  co_return reply;
}

}  // namespace causeway::anomalies
