// The published vocabularies as files (engine/data_files.h): read when they are first wanted, and
// kept.
#pragma once

#include <memory>

#include "core/data_files.h"
#include "core/vocabularies.h"

namespace causeway::engine {

/// `files` outlives it.
std::unique_ptr<Vocabularies> make_vocabularies(DataFiles& files);

}  // namespace causeway::engine
