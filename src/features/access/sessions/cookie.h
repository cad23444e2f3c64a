// What a browser says of itself in a request's head: the session's cookie, and from which page the
// request comes.
#pragma once

#include <string>
#include <string_view>

#include "platform/http/message.h"

namespace causeway::sessions {

inline constexpr std::string_view kCookie = "causeway_session";

/// The value of the session's cookie; empty where there is none.
std::string_view session_of(const http::RequestHead& head);

/// Whether the request comes from a page of this very host, or from no page at all (curl). Pages of
/// other hosts cannot make a browser leave `origin` out of a request that changes something.
bool from_own_page(const http::RequestHead& head);

/// Set-Cookie for a session that lasts at most `seconds`; 0 = the browser is to forget it.
std::string set_cookie(std::string_view session, long long seconds, const http::RequestHead* head);

}  // namespace causeway::sessions
