#include "features/insight/alerts/parts.h"

#include <algorithm>

#include "features/insight/alerts/measure.h"

namespace causeway::alerts {
namespace {

constexpr double kLeastShare = 0.25;
constexpr double kMore = 1.2;  // times as many tokens as before

struct Part {
  std::string_view name;
  double grown = 0;  // microseconds a request
};

struct Times {
  const Counts& now;
  const Counts& before;
  double grown(Column column) const { return now.mean(column) - before.mean(column); }
  double times(Column column) const {
    return before.mean(column) > 0 ? now.mean(column) / before.mean(column) : 1;
  }
};

// A whole answer does not tell when its first token was there. Where streams of the same kind have
// grown, it is taken to have grown in the same parts.
double first_of_whole(const Times& t) {
  const bool tell = t.now[kStreams] > 0 && (t.before[kStreams] > 0 || t.before[kAnswered] == 0);
  if (!tell) return 0;
  const double first = std::max(0.0, t.grown(kFirst));
  const double whole = std::max(0.0, t.grown(kWhole));
  const double behind = std::max(0.0, t.grown(kGeneration) - t.grown(kWhole));
  return first + behind > 0 ? whole * first / (first + behind) : 0;
}

// A model's time is taken to be in proportion to its tokens: what more of them explains is no fault
// of the provider. In a whole answer both kinds of tokens are in the same time.
void add_provider_parts(const Times& t, std::vector<Part>& parts) {
  double first = std::max(0.0, t.grown(kFirst));
  double generation = std::max(0.0, t.grown(kGeneration));
  const double whole =
      t.now[kAnswered] > 0 ? 1 - std::min(1.0, double(t.now[kStreams] / t.now[kAnswered])) : 1;
  double by_input = 0, by_input_whole = 0, by_output = 0;
  if (t.times(kInput) > kMore) {
    by_input = std::min(first, t.before.mean(kFirst) * (t.times(kInput) - 1));
    by_input_whole = generation * whole;
    by_input_whole =
        std::min(by_input_whole, t.before.mean(kGeneration) * whole * (t.times(kInput) - 1));
  }
  if (t.times(kOutput) > kMore) {
    by_output = std::min(generation, t.before.mean(kGeneration) * (t.times(kOutput) - 1));
  }
  if (const double both = by_input_whole + by_output; both > generation && both > 0) {
    by_input_whole *= generation / both;
    by_output *= generation / both;
  }
  first -= by_input;
  generation -= by_input_whole + by_output;
  const double moved = std::min(generation, first_of_whole(t));
  first += moved;
  generation -= moved;
  parts.push_back({"longer_prompts", by_input + by_input_whole});
  parts.push_back({"longer_answers", by_output});
  parts.push_back({"first_token", first});
  parts.push_back({"generation", generation});
}

std::string instead(std::string text, bool known, const std::string& before) {
  return known ? std::move(text) + " instead of " + before : std::move(text);
}

// Of streams where there are any: only they tell when generating began.
double per_token(const Counts& counts) {
  if (counts[kStreamed] > 0) return (counts[kGeneration] - counts[kWhole]) / counts[kStreamed];
  return counts[kOutput] > 0 ? counts[kGeneration] / counts[kOutput] : 0.0;
}

double to_first(const Counts& counts) {
  return counts[kStreams] > 0 ? counts[kFirst] / counts[kStreams] : 0.0;
}

std::string text_of(std::string_view part, const Times& t, const std::string& who) {
  const bool known = t.before[kAnswered] > 0;
  const auto time = [&](Column column) {
    return instead(said_time(t.now.mean(column)), known, said_time(t.before.mean(column)));
  };
  const auto tokens = [&](Column column) {
    return instead(said_number(t.now.mean(column)), known, said_number(t.before.mean(column)));
  };
  if (part == "queue") return "queue: requests wait " + time(kQueue) + " in Causeway";
  if (part == "network") return "network: connecting to " + who + " takes " + time(kNetwork);
  if (part == "first_token") {
    return "slow first token: " + who + " takes " +
           instead(said_time(to_first(t.now)), t.before[kStreams] > 0,
                   said_time(to_first(t.before))) +
           " to begin";
  }
  if (part == "longer_prompts") return "longer prompts: " + tokens(kInput) + " tokens a request";
  if (part == "longer_answers") return "longer answers: " + tokens(kOutput) + " tokens a request";
  if (part == "failed_tries") {
    return "tries that fail: " + time(kLost) + " are lost before " + who + " answers";
  }
  if (t.now[kOutput] == 0) return "slow generation: " + who + " takes " + time(kGeneration);
  return "slow generation: " + who + " takes " +
         instead(said_time(per_token(t.now)) + " a token", known && t.before[kOutput] > 0,
                 said_time(per_token(t.before)));
}

std::string_view advice_of(std::string_view part) {
  if (part == "queue") {
    return "Scale: more slots or replicas, or a second target that takes what is too much.";
  }
  if (part == "network") {
    return "Look at name service, network and TLS on the way there; fail over to another target "
           "meanwhile.";
  }
  if (part == "longer_prompts") return "Shorten prompts (policy section `minimise`), or scale.";
  if (part == "longer_answers") return "Shorten answers (max_tokens, the prompt's own words).";
  if (part == "failed_tries") return "Put the failing target last until it is well.";
  return "Fail over to another target; where the provider is yours, scale it.";
}

}  // namespace

std::vector<Cause> time_parts(const Counts& now, const Counts& before, const std::string& who) {
  const Times t{now, before};
  std::vector<Part> parts{
      {"queue", t.grown(kQueue)}, {"network", t.grown(kNetwork)}, {"failed_tries", t.grown(kLost)}};
  add_provider_parts(t, parts);
  double all = 0;
  for (Part& part : parts) all += part.grown = std::max(0.0, part.grown);
  std::vector<Cause> causes;
  std::ranges::sort(parts, std::greater(), &Part::grown);
  for (const Part& part : parts) {
    if (all == 0 || part.grown < kLeastShare * all) break;
    causes.push_back({"latency_part", std::string(part.name), part.grown / all,
                      text_of(part.name, t, who), std::string(advice_of(part.name))});
  }
  return causes;
}

}  // namespace causeway::alerts
