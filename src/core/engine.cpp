#include "core/engine.h"

namespace causeway {

std::string_view to_string(EngineState state) {
  switch (state) {
    case EngineState::Absent:
      return "absent";
    case EngineState::Fetching:
      return "fetching";
    case EngineState::Stopped:
      return "stopped";
    case EngineState::Starting:
      return "starting";
    case EngineState::Ready:
      return "ready";
    case EngineState::Stopping:
      return "stopping";
    case EngineState::Failed:
      return "failed";
  }
  return "unknown";
}

}  // namespace causeway
