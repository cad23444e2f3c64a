#include "app/dialects.h"
#include "app/snapshot_builder.h"
#include "app/vocabulary.h"
#include "features/access/keys/ring.h"
#include "providers/embedded/config.h"

namespace causeway::app {

keys::ConfigKey config_key(const KeyConfig& config) {
  keys::ConfigKey key;
  key.key.name = config.name;
  key.key.kind = keys::kind_from_text(config.kind).value_or(keys::KeyKind::Application);
  key.key.tenant = config.tenant;
  key.key.user = config.user;
  key.key.roles = config.roles;
  for (const auto& attribute : config.attributes) {
    key.key.attributes.emplace(attribute.name, attribute.value);
  }
  key.key.models = config.models;
  key.secret = config.secret;
  return key;
}

void check_keys(const AppConfig& config, config::Problems& problems) {
  std::vector<keys::ConfigKey> keys;
  for (const auto& key : config.keys) {
    if (key.secret.reveal().empty()) continue;  // which has been said where it was read
    // One by one first, so that the problem has the place of its key.
    auto one = keys::KeyRing::check_config_keys({config_key(key)});
    if (!one) {
      problems.add(key.at, one.error().message);
    } else {
      keys.push_back(config_key(key));
    }
  }
  if (auto all = keys::KeyRing::check_config_keys(keys); !all) {
    problems.add(config.keys.back().at, all.error().message);
  }
}

void check_parts(const Vocabulary& vocabulary, const AppConfig& config,
                 const Environment& environment, config::Problems& problems) {
  check_keys(config, problems);
  Pipeline pipeline;
  ModelListings listings;
  AccessTokens tokens;
  Dialects dialects;
  (void)build_snapshot(
      config,
      {pipeline, vocabulary.sections, dialects, listings, tokens, nullptr, nullptr, environment},
      problems);
}

void check_config(const Vocabulary& vocabulary, const std::string& path,
                  const Environment& environment, config::Problems& problems) {
  const AppConfig config = vocabulary.schema->read_file(path, problems);
  check_parts(vocabulary, config, environment, problems);
}

}  // namespace causeway::app
