// How a request's body is read once: what walks it, and what is said of one that is not JSON.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "core/json_walk.h"

namespace causeway::openai {

/// `at`: where the fault is, null = not known.
Error not_json(std::string_view body, const std::string& reason, const char* at);
/// A fault of the first pass, which tells no place: it is looked for.
Error not_json(std::string_view body, simdjson::error_code error);

/// Calls walk(document), which may throw Refused.
template <class Walk>
Result<void> read_with(std::string_view body, Walk walk) {
  Result<void> result;
  json::with_parser(body.size(), [&](od::parser& parser) {
    od::document document;
    const auto error =
        parser.iterate(body.data(), body.size(), body.size() + simdjson::SIMDJSON_PADDING)
            .get(document);
    if (error) {
      result = std::unexpected(not_json(body, error));
      return;
    }
    try {
      walk(document);
    } catch (Refused& refused) {
      result = std::unexpected(std::move(refused.error));
    } catch (const simdjson::simdjson_error& bad) {
      const char* at = nullptr;
      if (document.current_location().get(at)) at = nullptr;
      result = std::unexpected(not_json(body, simdjson::error_message(bad.error()), at));
    }
  });
  return result;
}

}  // namespace causeway::openai
