// From a name and a port to a connected socket: all addresses of the name in turn, so that one that
// does not answer costs a moment and not the call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "platform/base/cancel.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/task.h"
#include "platform/net/stream.h"

namespace causeway::net {

class Loop;
class Resolver;

/// Tries the addresses one after the other until `stop` is requested. The caller keeps the deadline
/// (it requests `stop`); an address that is not the last gets 2.5 s at most. Errors: ConnectFailed
/// (code dns_failed or connect_failed), Cancelled when `stop` was requested.
Task<Result<std::unique_ptr<Stream>>> connect_tcp(Loop& loop, Resolver& resolver, std::string host,
                                                  std::uint16_t port, Cancel& stop);

/// Errors: ConnectFailed (code connect_failed), Cancelled.
Task<Result<std::unique_ptr<Stream>>> connect_unix(Loop& loop, std::string path, Cancel& stop);

}  // namespace causeway::net
