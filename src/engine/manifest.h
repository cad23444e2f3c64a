// The models that Causeway knows without being told: the `kind = model` sections of
// third_party/manifest, whose head describes the format. scripts/tools/fetch.py reads the same
// file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "platform/base/error.h"

namespace causeway::engine {

/// Errors: Internal with the line at fault; the file is part of the program.
Result<std::vector<ModelEntry>> parse_manifest(std::string_view text);

/// Unavailable when the file cannot be read.
Result<std::vector<ModelEntry>> read_manifest(const std::string& path);

/// The `kind = data` section of that name in the manifest at this path, with its source alone.
/// Errors: Unavailable when there is none.
Result<ModelEntry> data_file(const std::string& path, std::string_view name);

}  // namespace causeway::engine
