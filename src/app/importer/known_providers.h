// The services that other gateways have names for, and how Causeway reaches each.
#pragma once

#include <string_view>

namespace causeway::app::importer {

struct KnownProvider {
  std::string_view name;      // what the provider is called in causeway.yaml: "groq"
  std::string_view kind;      // Causeway's
  std::string_view base_url;  // empty: the kind has one, or the source must say it
  std::string_view variable;  // where its key is usually found; empty: it needs none
  bool needs_url = false;     // a server of one's own: without an address it is nowhere
};

/// By any of its names ("together_ai", "together-ai", "together"); null where it is not known.
const KnownProvider* known_provider(std::string_view name);
/// Whose model that is, by how its name begins ("gpt-…", "claude-…"); null where nobody can tell.
const KnownProvider* provider_of_model(std::string_view model);
/// The one whose name stands in a label that somebody chose ("open-ai-virtual-1"); null: none.
const KnownProvider* provider_in_label(std::string_view label);

}  // namespace causeway::app::importer
