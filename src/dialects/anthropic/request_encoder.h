// The neutral Chat as a request to the Messages API, wherever that is served.
#pragma once

#include <string>
#include <string_view>

#include "core/chat.h"
#include "platform/base/error.h"

namespace causeway::anthropic {

/// Which model, or where the path says that, which form of the API.
struct FirstMember {
  std::string_view name, value;
};

/// `model` decides what may be asked for. Errors: as of Dialect::encode().
Result<std::string> encode_messages(const Chat& chat, std::string_view model,
                                    const FirstMember& first, LeftOut& left_out);

}  // namespace causeway::anthropic
