// The engine's own words for what core says of it (core/engine.h, core/engine_model.h).
#pragma once

#include "core/engine.h"
#include "core/engine_model.h"

namespace causeway::engine {

using causeway::Engine;
using ModelEntry = EngineModel;
using ModelKind = EngineModelKind;
using ModelSource = EngineModelSource;
using ModelStatus = EngineStatus;
using State = EngineState;

}  // namespace causeway::engine
