// Which features are in the program, and what app/ needs to know of some of them.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"
#include "engine/engine.h"
#include "engine/places.h"
#include "features/insight/alerts/feature.h"
#include "features/insight/ledger/price_book.h"

namespace causeway::app {

/// Path of the running program's own file.
std::string executable_path();

/// The models that the embedded providers of a configuration run, with those of the catalogue.
Result<std::vector<engine::ModelEntry>> embedded_models(const AppConfig& config,
                                                        const engine::Places& places);

/// What the configuration says of prices.
ledger::PriceSettings price_settings(const AppConfig& config);

/// Targets that are known to end, and when.
std::vector<alerts::Retiring> retiring_targets(const AppConfig& config);

}  // namespace causeway::app
