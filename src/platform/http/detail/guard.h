// What we refuse beyond the grammar, so that no two parties on the way can see different messages:
// more than one Content-Length or one that is not plain digits, any Transfer-Encoding but exactly
// "chunked", both together, chunked in HTTP/1.0, a request without exactly one Host, a target that
// is not a path. (Folded lines, bare LF and too many or too long lines: HeadScanner.) In one
// visible place, over the fields as they arrived.
#pragma once

#include <span>

#include "platform/http/detail/parser.h"

namespace causeway::http::detail {

/// Fills content_length, chunked and keep_alive from the fields; false: `refusal` says why.
bool frame(std::span<const Field> fields, bool http10, Framing& framing, Refusal& refusal);

/// Host (exactly one, an HTTP/1.0 client may send none) and target of a request.
bool check_request(std::string_view target, std::span<const Field> fields, bool http10,
                   Refusal& refusal);

}  // namespace causeway::http::detail
