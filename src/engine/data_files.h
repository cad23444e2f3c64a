// The pinned files of data (third_party/manifest, kind = data): where they lie, and their fetch in
// the background when one is wanted that is not there.
#pragma once

#include <memory>

#include "core/data_files.h"
#include "engine/places.h"

namespace causeway::process {
class Spawner;
}

namespace causeway::engine {

/// `spawner` outlives it.
std::unique_ptr<DataFiles> make_data_files(Places places, process::Spawner& spawner);

/// Only looks: for tools that fetch nothing. Unavailable with the command that fetches it.
Result<std::string> find_data(std::string_view name, const Places& places);

}  // namespace causeway::engine
