// Secrets of the source: a reference to an environment variable stays one, in Causeway's form, and
// a secret that stands there in clear is never copied anywhere: a variable takes its place.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "app/importer/imported.h"
#include "app/importer/source.h"

namespace causeway::app::importer {

/// The variable that a text refers to: `os.environ/X`, `env::X`, `{{X}}`, `{{env.X}}`, `${X}`.
std::optional<std::string> variable_in(std::string_view text);
/// A text that may be such a reference and is no secret: an address, a region.
Scalar setting_from(std::string_view text);

class Secrets {
 public:
  /// `root` is looked through, so that no variable that it refers to is given another meaning.
  Secrets(const Value& root, Imported& imported);

  /// This variable means something already.
  void reserve(const std::string& variable) { taken_.insert(variable); }
  /// The secret in `value`, which thereby is dealt with; a remark where it stood there in clear.
  /// `variable` is what it is to be called then ("OPENAI_API_KEY").
  Scalar take(const Value& value, const std::string& about, std::string variable);

 private:
  void collect(const Value& value);

  Imported& imported_;
  std::set<std::string> taken_;                  // names of variables that mean something already
  std::map<std::string, std::string> in_clear_;  // secret → its variable
};

/// "my-provider" → "MY_PROVIDER_API_KEY".
std::string variable_for(std::string_view provider, std::string_view ending = "_API_KEY");

}  // namespace causeway::app::importer
