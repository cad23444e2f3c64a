// TensorZero's gateway: tensorzero.toml with models, their providers, functions and the gateway's
// own settings.
#pragma once

#include "app/importer/draft.h"

namespace causeway::app::importer {

Imported import_tensorzero(const Value& root);

/// `[models.X.providers.Y]` as a target; nothing: remarked why.
std::optional<ImportedTarget> read_tensorzero_provider(Draft& draft, const Value& provider,
                                                       const std::string& path,
                                                       const Value* defaults);
/// "openai::gpt-4o", TensorZero's short form of a model and its provider; nothing: it is not one.
std::optional<ImportedTarget> short_target(Draft& draft, const std::string& text,
                                           const Value* defaults, config::Position at);
/// `non_streaming.total_ms` and `streaming.ttft_ms` of a table `timeouts`.
Waits take_tensorzero_waits(const Value& table);

}  // namespace causeway::app::importer
