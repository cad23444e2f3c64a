// The Engine of the program: one runner for each model, on one loop of its own choice, children
// spawned through the program's Spawner.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backoff.h"
#include "engine/engine.h"
#include "engine/places.h"

namespace causeway::process {
class Spawner;
}

namespace causeway::engine {

struct EngineOptions {
  Places places;
  std::string data_folder;     // a place for the private socket folder where
                               // $XDG_RUNTIME_DIR is not set
  std::size_t max_loaded = 4;  // children at once; the longest idle one makes room
  bool fetch_on_first_use = true;
  Backoff::Settings backoff;
  std::chrono::milliseconds tick{50};
  std::function<void(std::string_view line)> log;  // on the engine's loop: changes of state
};

/// `loop` carries the control; it and `spawner` outlive the engine. Errors: Unavailable when there
/// is no folder for the sockets, InvalidRequest for two models of one name.
Result<std::unique_ptr<Engine>> make_engine(EngineOptions options, std::vector<ModelEntry> models,
                                            net::Loop& loop, process::Spawner& spawner);

}  // namespace causeway::engine
