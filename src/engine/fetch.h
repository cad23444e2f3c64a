// Gets a model's file to where it belongs: a pinned artifact by the fetch tool of scripts/tools, an
// address of the user's by our own client. One interface for both.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "engine/engine.h"
#include "engine/places.h"
#include "platform/base/error.h"

namespace causeway::process {
class Spawner;
}

namespace causeway::engine {

/// On some other thread.
struct FetchCallbacks {
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;  // total 0 = not known
  std::function<void(Result<void>)> on_end;                                  // exactly once
};

/// A fetch under way; destroying it cancels it. on_end may still be called shortly afterwards.
class Fetch {
 public:
  virtual ~Fetch() = default;
};

/// Whether there is a way to fetch the file; InvalidRequest with the reason otherwise.
Result<void> can_fetch(const ModelEntry& entry, const Places& places);

/// can_fetch() must have said yes.
std::unique_ptr<Fetch> start_fetch(const ModelEntry& entry, const Places& places,
                                   process::Spawner& spawner, FetchCallbacks callbacks);

/// Reads one line of the fetch tool's `--progress json`. False when it is no progress.
bool read_progress_line(std::string_view line, std::uint64_t& done, std::uint64_t& total);

}  // namespace causeway::engine
