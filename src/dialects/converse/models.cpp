#include "dialects/converse/models.h"

#include <algorithm>
#include <array>

namespace causeway::converse {
namespace {

bool has(std::string_view model, std::string_view word) {
  return model.find(word) != std::string_view::npos;
}

ModelTraits claude(std::string_view model) {
  ModelTraits traits;
  traits.claude = true;
  if (has(model, "claude-3-7")) {
    traits.reasoning = Reasoning::Budget;
    return traits;
  }
  if (has(model, "claude-3") || has(model, "claude-v2") || has(model, "claude-instant")) {
    return traits;
  }
  constexpr std::array<std::string_view, 6> kBudgets = {"claude-sonnet-4-2", "claude-opus-4-2",
                                                        "claude-opus-4-1",   "claude-sonnet-4-5",
                                                        "claude-haiku-4-5",  "claude-opus-4-5"};
  const bool budget = std::any_of(kBudgets.begin(), kBudgets.end(),
                                  [&](std::string_view family) { return has(model, family); });
  traits.reasoning = budget ? Reasoning::Budget : Reasoning::Adaptive;
  traits.one_sampling = !has(model, "-4-2");
  return traits;
}

}  // namespace

ModelTraits traits_of(std::string_view model) {
  if (has(model, "claude")) return claude(model);
  ModelTraits traits;
  if (has(model, "gpt-oss")) traits.reasoning = Reasoning::Effort;
  if (has(model, "amazon.nova-2")) traits.reasoning = Reasoning::Nova;
  return traits;
}

}  // namespace causeway::converse
