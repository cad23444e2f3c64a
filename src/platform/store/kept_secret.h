// A secret that a data folder keeps for good, made when first asked for.
#pragma once

#include <string>
#include <string_view>

#include "platform/base/secret.h"
#include "platform/store/folder.h"

namespace causeway::store {

/// The 32 bytes in the folder's file `name` ("key-pepper"), made where there is none yet, unless
/// they are `needed`: then what was made with them would be lost. Errors: Internal, with the codes
/// "kept_secret_missing" and "kept_secret_damaged".
Result<Secret> kept_secret(const DataFolder& folder, std::string_view name, bool needed);

}  // namespace causeway::store
