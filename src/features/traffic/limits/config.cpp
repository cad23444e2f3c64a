#include "features/traffic/limits/config.h"

#include <algorithm>

#include "features/traffic/limits/period.h"

namespace causeway::limits {

config::Names<Per> names_of(Per) {
  return {{"key", Per::Key},     {"user", Per::User},       {"tenant", Per::Tenant},
          {"model", Per::Model}, {"address", Per::Address}, {"all", Per::All}};
}

std::string_view to_string(Per per) {
  switch (per) {
    case Per::Key:
      return "key";
    case Per::User:
      return "user";
    case Per::Tenant:
      return "tenant";
    case Per::Model:
      return "model";
    case Per::Address:
      return "address";
    case Per::All:
      break;
  }
  return "all";
}

config::Names<Each> names_of(Each) { return {{"day", Each::Day}, {"month", Each::Month}}; }

config::Names<Unpriced> names_of(Unpriced) {
  return {{"allow", Unpriced::Allow}, {"refuse", Unpriced::Refuse}};
}

namespace {

std::string wrong_time_zone(const std::string& name) {
  return is_time_zone(name) ? "" : "must be a name of the IANA data base, like Europe/Berlin";
}

std::string what_is_wrong(const LimitConfig& limit) {
  const int amounts = int(limit.requests.has_value()) + int(limit.tokens.has_value()) +
                      int(limit.concurrent.has_value()) + int(limit.money.has_value());
  if (amounts != 1) return "must say one of requests, tokens, concurrent and money";
  if (limit.per.empty()) return "must say per whom it counts";
  if (limit.per.size() > 1 && std::ranges::find(limit.per, Per::All) != limit.per.end()) {
    return "counts all together, and others apart: `all` stands alone in `per`";
  }
  if (limit.unpriced == Unpriced::Refuse && !limit.money) {
    return "counts no money: `unpriced: refuse` is for one that does";
  }
  if (limit.concurrent) {
    return limit.window || limit.each ? "counts what runs now: it has no window" : "";
  }
  if (limit.window && limit.each) {
    return "says both `window` and `each`: only one of them may stand";
  }
  if (!limit.window && !limit.each) {
    return "must say `window` (up to an hour), or `each: day` or `each: month`";
  }
  if (limit.money && limit.money->micros <= 0) return "must allow more money than none";
  if (limit.burst && (!limit.requests || !limit.window)) {
    return "has a burst, which is for requests in a window";
  }
  if (limit.burst && *limit.burst > *limit.requests) return "has a burst above its requests";
  return "";
}

}  // namespace

void describe(config::Fields& f, LimitConfig& c) {
  using namespace std::chrono_literals;
  f.field("name", c.name, "What it is called in answers; else it is made of what it says.");
  f.field("per", c.per,
          "Whom it counts apart: key, user, tenant, model, address, or all together. Several: each "
          "combination; `all` stands alone. A user of whom nothing is known is the key.")
      .or_single();
  f.field("requests", c.requests, "So many requests.").range(1, 1'000'000'000);
  f.field("tokens", c.tokens, "So many tokens, of prompts and answers together.")
      .range(1, 1'000'000'000'000);
  f.field("concurrent", c.concurrent, "So many requests at the same time.").range(1, 1'000'000);
  f.field("money", c.money, "So much money, in the currency of `prices`.");
  f.field("window", c.window,
          "In any so much time: never more than the amount, wherever one begins to count.")
      .range(1s, 1h);
  f.field("each", c.each, "In the place of `window`: a day or month of the calendar.");
  f.field("time_zone", c.time_zone, "Whose calendar.").check(wrong_time_zone);
  f.field("burst", c.burst, "Of requests, so many at once; the others spread over the window.")
      .range(1, 1'000'000);
  f.field("soft", c.soft, "From this part of the amount on it is told, once in each period.")
      .range(0.01, 1.0);
  f.field("unpriced", c.unpriced,
          "Of money only: what happens to a model whose price is not known.");
  f.check<LimitConfig>(
      c, [](const LimitConfig& limit, config::Position at, config::Problems& problems) {
        const std::string wrong = what_is_wrong(limit);
        if (!wrong.empty()) problems.add(at, "this limit " + wrong);
      });
}

void describe(config::Fields& f, LimitTable& c) {
  f.field("subjects", c.subjects,
          "So many users, keys, addresses are counted at the same time, about 800 bytes each. One "
          "more is refused until another has been quiet for its window: being unknown is no way "
          "around a limit.")
      .range(1'000, 10'000'000);
}

void in_policy(LimitList& limits, std::string_view policy) {
  for (LimitConfig& limit : limits) limit.policy = policy;
}

}  // namespace causeway::limits
