// Blocks in the store.
#pragma once

#include <vector>

#include "features/traffic/anomalies/blocks.h"
#include "platform/store/database.h"

namespace causeway::anomalies::rows {

Result<void> migrate(store::Store& store);
Result<std::vector<Block>> load(store::Database& db);
Result<void> put(store::Database& db, const Block& block);
Result<void> erase(store::Database& db, const std::string& who, const std::string& tenant);

}  // namespace causeway::anomalies::rows
