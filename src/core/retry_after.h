// How long a provider's answer asks to be left alone. Bounded to one hour.
#pragma once

#include <chrono>
#include <optional>
#include <span>

#include "platform/http/message.h"

namespace causeway {

/// retry-after-ms, retry-after (seconds; an HTTP date is ignored).
std::optional<std::chrono::milliseconds> retry_after(std::span<const http::Field> fields);

/// For a 429 without these: until Anthropic's limits are filled again, by the fields
/// anthropic-ratelimit-NAME-reset (RFC 3339). Of those that say so the limits with nothing
/// remaining, else all; the latest counts. The time now is that of the answer's Date, since clocks
/// differ, else ours.
std::optional<std::chrono::milliseconds> until_rate_limit_reset(
    std::span<const http::Field> fields);

}  // namespace causeway
