// Providers as they are met while a source is read: deployments that share address, credentials
// and settings share a provider, and every provider has a name of its own that a target can have in
// front of its `/`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/importer/imported.h"
#include "app/importer/known_providers.h"

namespace causeway::app::importer {

class ProviderBook {
 public:
  explicit ProviderBook(Imported& imported) : imported_(imported) {}

  /// The name of the provider with these settings: of one that is there, or of a new one.
  std::string name_of(ImportedProvider wanted);
  /// PROVIDER/MODEL may be asked for, with `pattern` in the place of MODEL.
  void expose(const std::string& name, const std::string& pattern);
  const ImportedProvider* find(std::string_view name) const;

 private:
  Imported& imported_;
};

/// Letters, digits, `.`, `_` and `-`, at most 60 of them; what is something else becomes `-`.
std::string tidy_name(std::string_view text);
/// A name for the server at an address: "https://my-llm.example.org/v1" gives "my-llm".
std::string name_of_server(std::string_view url);
/// Whether that server is on this machine or in a private network.
bool is_near(std::string_view url);
/// The address without user and password, if it has them.
std::string without_user(std::string_view url);

/// A provider with its name, kind and address as it is usually reached, or at `url` if that is not
/// empty (in Causeway's notation).
ImportedProvider provider_at(const KnownProvider& known, const std::string& url);
/// Puts the secret, or where there is none what is usual for that service.
void add_key(ImportedProvider& provider, const KnownProvider& known, std::optional<Scalar> key);

/// Appends targets to a model; one that is there already gets the weight of both.
void add_target(ImportedModel& model, ImportedTarget target);

}  // namespace causeway::app::importer
