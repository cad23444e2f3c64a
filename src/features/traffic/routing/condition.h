// When a rule of a model holds: what the configuration asks for, and what is known of a request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/exchange.h"
#include "core/target.h"
#include "features/traffic/routing/complexity.h"
#include "platform/config/describe.h"

namespace causeway {

/// All that is set must hold; what has several values, one of them.
struct Condition {
  std::vector<std::string> tenants, keys, roles;           // patterns
  config::Map<std::string> metadata;                       // of the request: patterns
  std::vector<std::string> data;                           // classes that the application names
  std::vector<std::string> found;                          // kinds of personal data that pii found
  std::vector<std::string> operations;                     // "chat", "embeddings", …
  std::vector<Need> needs;                                 // all of them
  std::optional<std::uint64_t> tokens_over, tokens_under;  // of the prompt, estimated
  std::optional<routing::Complexity> complexity;           // of what is asked, by its score
  double easy_below = routing::kUsualThreshold;
  std::vector<std::string> languages;  // of the question: "de", "unknown"
};

namespace routing {
config::Names<Complexity> names_of(Complexity);
}

config::Names<Need> names_of(Need);
void describe(config::Fields& f, Condition& c);

namespace routing {

std::string_view to_string(Need need);

/// What a request needs of a target.
Needs needs_of(const RequestIndex& index);

/// The classes of data that the application names: the field x-causeway-data, with commas between
/// them, and `data` in the request's metadata.
std::vector<std::string> data_classes(const Exchange& exchange);

/// Whether it holds for this request, when all stages that bear on it have run.
bool holds(const Condition& when, const Exchange& exchange);

}  // namespace routing
}  // namespace causeway
