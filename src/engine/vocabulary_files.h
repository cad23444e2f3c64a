// The published vocabularies as files: where they lie (third_party/manifest, kind = data), read
// when they are first wanted and kept, fetched in the background when they are not there.
#pragma once

#include <memory>

#include "core/vocabularies.h"
#include "engine/places.h"

namespace causeway::process {
class Spawner;
}

namespace causeway::engine {

/// `spawner` outlives it.
std::unique_ptr<Vocabularies> make_vocabularies(Places places, process::Spawner& spawner);

}  // namespace causeway::engine
