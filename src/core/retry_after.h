// How long a provider's answer asks to be left alone. Bounded to one hour.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string_view>

#include "platform/http/message.h"

namespace causeway {

/// retry-after-ms, retry-after (seconds, or an HTTP date; the time now is that of the field `date`,
/// else this machine's).
std::optional<std::chrono::milliseconds> retry_after(std::span<const http::Field> fields);

/// A span of time as OpenAI writes it: "6m0s", "1.5s", "20ms"; a plain number is seconds.
std::optional<std::chrono::milliseconds> duration_of(std::string_view text);

/// For a 429 without these: until the provider's limits are filled again, by the fields
/// x-ratelimit-reset-NAME (a span of time) or anthropic-ratelimit-NAME-reset (RFC 3339). Of those
/// that say so the limits with nothing remaining, else all; the latest counts. The time now is that
/// of the answer's Date, since clocks differ, else ours.
std::optional<std::chrono::milliseconds> until_rate_limit_reset(
    std::span<const http::Field> fields);

}  // namespace causeway
