// Keys in the database: rows in and out, nothing else.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "features/access/keys/key.h"
#include "platform/base/error.h"
#include "platform/store/database.h"
#include "platform/store/store.h"

namespace causeway::keys::rows {

Result<void> migrate(store::Store& store);
/// All keys, the oldest first, with their secrets, the newest first.
Result<std::vector<std::shared_ptr<KeyRecord>>> load(store::Database& db);
/// A new key with its first secret.
Result<void> insert(store::Database& db, const KeyRecord& record);
/// Expiry, revocation and the set of secrets, as they are in the record.
Result<void> update(store::Database& db, const KeyRecord& record);

/// When keys were last used, by their ids.
using Uses = std::map<std::string, Wall, std::less<>>;
Result<Uses> load_uses(store::Database& db);
Result<void> store_uses(store::Database& db, const Uses& uses);

}  // namespace causeway::keys::rows
