#include "app/pipeline.h"

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>
#include <string>

namespace causeway::app {
namespace {

// Head, request, attempt and event hooks run from top to bottom, done hooks from bottom to top.
constexpr std::array kOrder = {
    Place{"admit", "refuses what can be refused before anything is read or looked up"},
    Place{"anomalies", "an address that is blocked costs nothing; every other one is counted"},
    Place{"access_log", "its line is written last, when all others have said what they know"},
    Place{"trace", "sees what metrics and ledger made of the exchange"},
    Place{"alerts", "counts whole exchanges, with what they cost and who made the answer"},
    Place{"trace_said", "hears the provider's words, before others put real ones back"},
    Place{"metrics", "counts what the ledger has settled"},
    Place{"ledger", "settles first of all; a full journal must be known before work begins"},
    Place{"identify", "everything below depends on who calls"},
    Place{"anomalies_caller", "as soon as it is known who calls, also for what is not there"},
    Place{"resolve", "finds model and policy; from here on the policy's own list runs"},
    Place{"allow", "what the caller may not use must cost nothing more"},
    Place{"validate", "what no target could do is refused before one is chosen"},
    Place{"limits", "what is refused anyhow uses nothing up; what is served costs from here on"},
    Place{"faq", "what staff has answered needs no model; before anything is taken out or masked"},
    Place{"minimise", "what is not sent need not be looked through, nor weigh in the choice"},
    Place{"pii", "looks through texts as they will leave; rewrites them for each target"},
    Place{"cache", "looks for the answer to what a target would be sent; keeps it as it came"},
    Place{"target", "one that rests is left alone; what is stored needs none"},
    Place{"overload", "waits for a place at the target, of which nothing else keeps it away"},
    Place{"trace_sent", "notes what goes out, when all that rewrite it have done so"},
    Place{"choose", "orders the targets when all that bears on it is known"},
    Place{"call", "the attempt loop: the only place that sends, and sends again"},
};

}  // namespace

std::span<const Place> pipeline_order() { return kOrder; }

std::unique_ptr<Pipeline> make_pipeline(std::span<const std::unique_ptr<Feature>> features,
                                        SlotLayout slots) {
  std::map<std::string_view, Stage*> by_name;
  for (const auto& feature : features) {
    for (Stage* stage : feature->stages()) {
      if (!by_name.emplace(stage->name(), stage).second) {
        throw std::logic_error("two stages are called " + std::string(stage->name()));
      }
    }
  }
  auto pipeline = std::make_unique<Pipeline>();
  pipeline->slots = std::move(slots);
  for (const Place& place : kOrder) {
    if (place.stage == "call") continue;
    const auto found = by_name.find(place.stage);
    if (found == by_name.end()) {
      throw std::logic_error("no feature has the stage " + std::string(place.stage));
    }
    const auto index = static_cast<std::uint8_t>(pipeline->stages.size());
    Stage* stage = found->second;
    const unsigned hooks = stage->hooks();
    const Hook hook{stage, index, (hooks & kWaits) != 0};
    pipeline->stages.push_back(stage);
    if (hooks & kOnHead) pipeline->head.push_back(hook);
    if ((hooks & (kOnRequest | kWaits)) && stage->before_policy()) {
      pipeline->request_before_policy.push_back(hook);
    }
    if (hooks & kOnAttemptEnd) pipeline->attempt_end.push_back(hook);
    if (hooks & kOnUsage) pipeline->usage.push_back(hook);
    if (hooks & kOnSettle) pipeline->settle.push_back(hook);
    if (hooks & kOnDone) pipeline->done.push_back(hook);
    if (!(hooks & ~unsigned{kOnDone})) pipeline->always |= std::uint64_t{1} << index;
    by_name.erase(found);
  }
  if (!by_name.empty()) {
    throw std::logic_error("the stage " + std::string(by_name.begin()->first) +
                           " has no place in app/pipeline.cpp");
  }
  std::reverse(pipeline->done.begin(), pipeline->done.end());
  return pipeline;
}

}  // namespace causeway::app
