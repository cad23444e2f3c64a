// A configuration that was read becomes a snapshot that can serve: names resolved, providers made,
// lists flattened. What is wrong is added to the problems with its place in the file.
#pragma once

#include <functional>
#include <memory>

#include "app/config.h"
#include "app/dialects.h"
#include "core/access_token.h"
#include "core/model_listing.h"
#include "core/section_table.h"
#include "core/snapshot.h"
#include "core/vocabularies.h"

namespace causeway {
class Engine;
}

namespace causeway::app {

class ReplicaSources;

using Environment = std::function<const char*(const char* name)>;

/// What snapshots refer to; all of it outlives them.
struct SnapshotParts {
  const Pipeline& pipeline;
  const SectionTable& sections;
  const Dialects& dialects;
  ModelListings& listings;
  AccessTokens& tokens;
  Engine* engine = nullptr;  // null: only a check
  Vocabularies* vocabularies = nullptr;
  Environment environment;
  ReplicaSources* replicas = nullptr;  // null: only a check
};

/// The number grows with every call of the process.
std::shared_ptr<const Snapshot> build_snapshot(const AppConfig& config, const SnapshotParts& parts,
                                               config::Problems& problems);

/// Where no file says anything: the embedded model, and the providers whose variables are set.
AppConfig default_config(const Environment& environment);
/// Adds a server of this machine that speaks OpenAI's API.
void add_local_server(AppConfig& config, const std::string& name, const std::string& base_url);

struct Vocabulary;
/// Reads a file and checks all that can be checked without serving it.
void check_config(const Vocabulary& vocabulary, const std::string& path,
                  const Environment& environment, config::Problems& problems);

/// All that can be checked of what was read, without serving it.
void check_parts(const Vocabulary& vocabulary, const AppConfig& config,
                 const Environment& environment, config::Problems& problems);

/// Kinds of providers, for the reader.
void register_kinds(config::Registry& registry);

}  // namespace causeway::app
