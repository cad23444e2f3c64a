// Where the engine's things lie: the cache that all of a user's runs share, the files shipped with
// the program, the engine's own program.
#pragma once

#include <string>

#include "engine/engine.h"
#include "platform/base/error.h"

namespace causeway::engine {

struct Places {
  std::string cache;      // ${CAUSEWAY_CACHE:-${XDG_CACHE_HOME:-~/.cache}/causeway}
  std::string share;      // holds third_party/manifest, scripts/tools, models that were shipped
                          // (files/, as in the cache); empty = not found
  std::string looked_at;  // for people: where `share` was looked for
  std::string logs;       // folder for the children's log files; empty = none
  std::string program;  // llama-server as the user named it; empty = looked for, see find_program()

  std::string manifest() const { return share + "/third_party/manifest"; }
  std::string fetch_tool() const { return share + "/scripts/tools/fetch.py"; }
};

/// As the environment says. `program` is our own executable: what is shipped lies in
/// $CAUSEWAY_SHARE, in ../share/causeway beside its folder, or in a source tree above it.
Places find_places(const std::string& program);

/// Why the models of the manifest are not known, and what mends it, as a sentence; empty when the
/// file is there.
std::string catalogue_problem(const Places& places);

/// The engine's program, looked for anew each time, since it may still be being built: the one that
/// was named; the one in the cache; the one installed with ours (../lib/causeway, avx2/ there first
/// where the processor has it). Unavailable with the command that mends it.
Result<std::string> find_program(const Places& places);

/// Where the model's file is, shipped with the program or in the cache, or will be.
std::string model_path(const ModelEntry& entry, const Places& places);

/// The path of the model's file, when it is there and begins as a GGUF file does. Otherwise
/// Unavailable with the command that mends it.
Result<std::string> find_model(const ModelEntry& entry, const Places& places);

}  // namespace causeway::engine
