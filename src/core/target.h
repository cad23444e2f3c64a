// What an application's model name stands for: targets, each a provider and the name that the
// provider knows the model by, and rules by which some requests go to other ones.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway {

class Provider;

enum class Zone : std::uint8_t { Internal, External };

/// Who is tried first; the others stand behind as fallbacks.
enum class Strategy : std::uint8_t {
  Fallback,   // as listed
  Weighted,   // drawn by weight
  LeastBusy,  // the less busy of two drawn by weight: fewer calls under way times their usual time
  Fastest,    // the least time to the first byte, as measured lately
  Cheapest,   // by price
  Sticky,     // the same one for the same user
  Prefix,     // the same one for prompts that begin alike, within a bound on its load
};

constexpr std::string_view to_string(Strategy strategy) {
  switch (strategy) {
    case Strategy::Fallback:
      return "fallback";
    case Strategy::Weighted:
      return "weighted";
    case Strategy::LeastBusy:
      return "least_busy";
    case Strategy::Fastest:
      return "fastest";
    case Strategy::Cheapest:
      return "cheapest";
    case Strategy::Sticky:
      return "sticky";
    case Strategy::Prefix:
      return "prefix";
  }
  return "";
}

/// What a request may need of a target, as a set.
enum Need : std::uint8_t {
  kNeedsVision = 1,
  kNeedsTools = 2,
  kNeedsSchema = 4,  // an answer of a given JSON schema
  kNeedsAudio = 8,
  kNeedsDocuments = 16,
};
using Needs = std::uint8_t;

/// What a provider lets one of its keys do; 0 = not known.
struct QuotaLimits {
  std::uint32_t requests_per_minute = 0;
  std::uint64_t tokens_per_minute = 0;  // of prompts and answers together
};

struct Target {
  std::string name;  // "openai/gpt-4.1"
  const Provider* provider = nullptr;
  std::string upstream_model;
  double weight = 1;
  std::uint64_t key = 0;  // of the name, made once: what loops learn of a target is found by it

  // A provider with several replicas or API keys has a target for each of them; they have the same
  // name and place.
  std::string member;                      // "10.0.0.7:8000", "key-2"; empty where there is but one
  std::uint64_t member_key = 0;            // of name and member: how it fares is found by it
  std::uint16_t place = 0;                 // in the list of the configuration
  Strategy balance = Strategy::LeastBusy;  // among the members of one place

  bool exposed = false;         // not of the configuration: a caller has named the provider's model
  QuotaLimits quota;            // of the provider's member, for all of its models together
  std::uint64_t quota_key = 0;  // of provider and member: what is left of it is found by it

  std::uint32_t context = 0;                              // tokens that fit; 0 = unknown
  Needs without = 0;                                      // what it cannot do
  std::optional<std::int64_t> input_price, output_price;  // picodollars per token
};

/// `member` is empty where the provider has but one.
inline Target make_target(std::string name, const Provider* provider, std::string upstream_model,
                          double weight = 1, std::string member = {}) {
  Target target;
  target.name = std::move(name);
  target.provider = provider;
  target.upstream_model = std::move(upstream_model);
  target.weight = weight;
  target.key = std::hash<std::string>()(target.name);
  target.member = std::move(member);
  target.member_key = target.key;
  if (!target.member.empty()) {
    target.member_key = std::hash<std::string>()(target.name + '\n' + target.member);
  }
  return target;
}

/// Whether the answer of the first target of a list is judged by how probable the model itself
/// found its tokens, and given only where it was sure enough; else the next target is asked.
struct Escalation {
  double below = 0;          // geometric mean of the tokens' probabilities; 0 = nothing is judged
  std::uint32_t tokens = 0;  // of these first ones; 0 = of all
  explicit operator bool() const { return below > 0; }
};

struct Condition;  // of the feature that routes

/// Some requests of a model go another way.
struct Rule {
  std::string name;
  std::shared_ptr<const Condition> when;
  Strategy strategy = Strategy::Fallback;
  Escalation escalate;
  std::vector<Target> targets;
  bool asks_what_is_found = false;  // its condition bears on what pii finds
};

struct Model {
  std::string name;
  Strategy strategy = Strategy::Fallback;
  Escalation escalate;
  std::vector<Target> targets;  // where no rule holds
  std::vector<Rule> rules;      // the first that holds decides
  std::int64_t created = 0;     // Unix seconds
  std::string owned_by;
};

/// Whether `is_so` holds for one of the targets that a request for this model may go to.
template <class Predicate>
bool any_target(const Model& model, Predicate is_so) {
  return std::ranges::any_of(model.targets, is_so) ||
         std::ranges::any_of(model.rules, [&](const Rule& rule) {
           return std::ranges::any_of(rule.targets, is_so);
         });
}

}  // namespace causeway
