// Keys as JSON: what the admin routes take and give.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "features/access/keys/key.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/text/json_writer.h"

namespace causeway::keys {

/// The fields of a key, without its brackets. `now` decides between live and expired.
void write_key(text::JsonWriter& json, const KeyRecord& record, Wall now);

/// {"name", "tenant", "user", "roles", "attributes", "models", "kind", "expires_in" or "expires"}:
/// all but the name may be left out. InvalidRequest names the field that is unknown or wrong.
Result<NewKey> read_new_key(std::string_view body, Wall now);

/// {"grace": "1h"}; an empty body or no field is the default, one hour. At most 90 days.
Result<std::chrono::seconds> read_grace(std::string_view body);

/// {"expires_in": "30d"} or {"expires": "2027-01-31T00:00:00Z"}; null = never.
Result<std::optional<Wall>> read_expiry(std::string_view body, Wall now);

/// "2027-01-31T00:00:00Z".
std::string to_rfc3339(Wall time);

}  // namespace causeway::keys
