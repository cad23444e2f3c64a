// What the decoders of this dialect's requests share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/chat.h"
#include "platform/json/on_demand.h"

namespace causeway::openai {

namespace od = simdjson::ondemand;

/// Thrown for a part of a request that no other dialect can say.
struct Untranslatable {
  std::string field, why;
};

std::unexpected<Error> refused(const Untranslatable& part);

/// Fields without which the answer is right as well.
bool is_hint(std::string_view field);

/// "data:image/png;base64,…" → type and bytes; any other address stays one.
void set_address(std::string_view url, Media& media);

std::optional<std::uint32_t> count_of(od::value value);

/// Reads the body as edited and gives what read(object) makes of it.
template <class Read>
Result<Chat> decode_with(const Request& request, Read read) {
  std::string edited;
  std::string_view body = request.body();
  if (request.edited()) {
    edited = request.joined();
    const std::size_t size = edited.size();
    edited.append(simdjson::SIMDJSON_PADDING, '\0');
    body = {edited.data(), size};
  }
  try {
    return json::with_parser(body.size(), [&](od::parser& parser) {
      od::document document =
          parser.iterate(body.data(), body.size(), body.size() + simdjson::SIMDJSON_PADDING);
      return read(json::take(document.get_object()));
    });
  } catch (const Untranslatable& part) {
    return refused(part);
  } catch (const simdjson::simdjson_error& bad) {
    return fail(ErrorKind::Internal, Origin::Us,
                std::string("the request could not be read again: ") + bad.what());
  }
}

}  // namespace causeway::openai
