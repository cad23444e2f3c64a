// What a supervisor such as systemd is told about this program (the protocol of sd_notify: one
// datagram to the socket that NOTIFY_SOCKET names). Without one nothing happens.
#pragma once

#include <string_view>

namespace causeway::process {

/// Whether a supervisor started us that wants to be told. Standard error is a log then, which
/// others read.
bool is_supervised();

/// "READY=1", "STOPPING=1", "STATUS=…": lines. False when nobody was told.
bool tell_supervisor(std::string_view state);

/// Before a reload; "READY=1" ends it.
bool tell_supervisor_reloading();

}  // namespace causeway::process
