#include "features/insight/traces/query.h"

#include <algorithm>
#include <cstdio>

#include "platform/config/values.h"
#include "platform/text/ascii.h"

namespace causeway::traces {
namespace {

using namespace std::chrono;

constexpr std::size_t kMostListed = 1000;

struct Named {
  std::string_view name;
  Field field;
};
constexpr Named kNamed[] = {
    {"key", Field::Key},
    {"tenant", Field::Tenant},
    {"user", Field::User},
    {"model", Field::Model},
    {"target", Field::Target},
    {"policy", Field::Policy},
    {"status", Field::Status},
    {"error", Field::Error},
    {"code", Field::Code},
    {"found", Field::Found},
    {"dialect", Field::Dialect},
    {"operation", Field::Operation},
    {"failed_target", Field::FailedTarget},
};

std::unexpected<Error> wrong(std::string_view field, std::string_view why) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                    std::string(field) + " " + std::string(why), "invalid_query");
  error.error().param = field;
  return error;
}

std::int64_t micros(Wall time) {
  return duration_cast<microseconds>(time.time_since_epoch()).count();
}

template <class T>
Result<void> read_number(std::string_view name, std::string_view value, T& to) {
  const auto number = text::parse_int<T>(value);
  if (!number || *number < 0) return wrong(name, "must be a whole number");
  to = *number;
  return {};
}

Result<void> read_cost(std::string_view value, Filter& filter) {
  const auto cost = text::parse_double(value);
  if (!cost || *cost < 0 || *cost > 1e9) return wrong("min_cost", "must be an amount, e.g. 0.05");
  filter.min_cost = static_cast<std::int64_t>(*cost * 1e6);
  return {};
}

Result<void> read_one(const std::string& name, const std::string& value, Wall now, Filter& filter) {
  for (const Named& named : kNamed) {
    if (named.name != name) continue;
    filter.names.emplace_back(named.field, value);
    return {};
  }
  if (name == "errors") {
    if (value == "1") filter.names.emplace_back(Field::Error, "*");
    return {};
  }
  if (name == "since" || name == "until") {
    const auto time = read_time(value, now);
    if (!time) {
      return wrong(name, "must be a time like 2026-11-26T13:15:00Z, a day, or how long ago: 15m");
    }
    if (name == "since") filter.from = std::max(filter.from, *time);
    if (name == "until") filter.to = std::min(filter.to, *time - 1);
    return {};
  }
  if (name == "cursor") {
    std::int64_t before = 0;
    auto read = read_number(name, value, before);
    filter.to = std::min(filter.to, before - 1);
    return read;
  }
  if (name == "limit") {
    auto read = read_number(name, value, filter.limit);
    filter.limit = std::clamp<std::size_t>(filter.limit, 1, kMostListed);
    return read;
  }
  if (name == "min_ms") {
    auto read = read_number(name, value, filter.min_micros);
    filter.min_micros = std::min<std::uint64_t>(filter.min_micros, 1'000'000'000) * 1000;
    return read;
  }
  if (name == "min_cost") return read_cost(value, filter);
  if (name == "id") {
    filter.id = value;
  } else if (name == "contains") {
    filter.contains = value;
  } else {
    return wrong(name, "is not a part of this query");
  }
  return {};
}

}  // namespace

std::optional<std::int64_t> read_time(std::string_view text, Wall now) {
  if (const auto ago = config::parse_duration(text)) {
    return micros(now) - duration_cast<microseconds>(*ago).count();
  }
  int y = 0, h = 0, m = 0, s = 0, used = 0;
  unsigned mo = 0, d = 0;
  const std::string zoned(text);
  const char* at = zoned.c_str();
  if (std::sscanf(at, "%4d-%2u-%2u%n", &y, &mo, &d, &used) != 3) return std::nullopt;
  const year_month_day date{year(y), month(mo), day(d)};
  if (!date.ok() || used != 10) return std::nullopt;
  if (zoned.size() > 10) {
    used = 0;
    if (std::sscanf(at + 10, "T%2d:%2d:%2dZ%n", &h, &m, &s, &used) != 3 || used != 10 ||
        zoned.size() != 20 || h > 23 || m > 59 || s > 60) {
      return std::nullopt;
    }
  }
  return micros(sys_days(date) + hours(h) + minutes(m) + seconds(s));
}

Result<Filter> read_filter(const AdminRequest& request, Wall now) {
  Filter filter;
  for (const auto& [name, value] : request.query) {
    if (auto read = read_one(name, value, now, filter); !read) return pass(std::move(read));
  }
  if (!filter.contains.empty() && !request.full) {
    return fail(ErrorKind::Forbidden, Origin::Client,
                "This key may only read what was noted of requests, not what was said in them.",
                "read_only_key");
  }
  return filter;
}

}  // namespace causeway::traces
