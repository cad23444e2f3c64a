// How a request's body is read: once as it came, where a walk makes its index, and again as edited
// when it is decoded for a target of another dialect. Includes simdjson: only for .cpp files.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "core/chat.h"
#include "core/json_walk.h"

namespace causeway {

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

/// Thrown for a part of a request that no other dialect can say.
struct Untranslatable {
  std::string field, why;
};

std::unexpected<Error> refused(const Untranslatable& part);

/// Reads the body as edited and gives what read(object) makes of it; read may throw Untranslatable,
/// or Refused where something is not what the dialect says.
template <class Decoded = Chat, class Read>
Result<Decoded> decode_with(const Request& request, Read read) {
  std::string edited;
  std::string_view body = request.body();
  if (request.edited()) {
    edited = request.joined();
    const std::size_t size = edited.size();
    edited.append(simdjson::SIMDJSON_PADDING, '\0');
    body = {edited.data(), size};
  }
  try {
    return json::with_parser(body.size(), [&](od::parser& parser) -> Decoded {
      od::document document =
          parser.iterate(body.data(), body.size(), body.size() + simdjson::SIMDJSON_PADDING);
      return read(json::take(document.get_object()));
    });
  } catch (const Untranslatable& part) {
    return refused(part);
  } catch (Refused& wrong) {
    return std::unexpected(std::move(wrong.error));
  } catch (const simdjson::simdjson_error& bad) {
    return fail(ErrorKind::Internal, Origin::Us,
                std::string("the request could not be read again: ") + bad.what());
  }
}

}  // namespace causeway
