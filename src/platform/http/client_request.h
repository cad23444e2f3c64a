// The bytes of a request's head. What comes from outside is checked once more here, so that no
// field value can ever begin a line of its own.
#pragma once

#include <string>

#include "platform/base/error.h"
#include "platform/http/client.h"

namespace causeway::http {

/// Writes the head into `out` (cleared first) and answers the length of the body. `authority` is
/// the endpoint's, which costs too much to be made each time. Fields that are the client's own
/// (Host, Content-Length, Transfer-Encoding, Connection) are left out. Error: InvalidRequest for a
/// method, target, name or value that cannot be sent.
Result<std::uint64_t> write_request_head(const Endpoint& endpoint, std::string_view authority,
                                         const ClientRequest& request, std::string& out);

}  // namespace causeway::http
