// From settings to a connection that serves: socket, TLS, password, database, trial.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "platform/base/cancel.h"
#include "platform/base/error.h"
#include "platform/base/task.h"
#include "platform/net/stream.h"
#include "platform/redis/reply.h"
#include "platform/redis/settings.h"

namespace causeway::net {
class Loop;
class Resolver;
class TlsClient;
}  // namespace causeway::net

namespace causeway::redis::detail {

/// Unavailable with code shared_state_lost: "the shared state " and `why`; `more` is
/// for the log.
std::unexpected<Error> lost(std::string why, std::string more = {}, Origin origin = Origin::Us);

/// A command's bytes.
std::string format(std::span<const std::string_view> args);

/// The caller keeps the deadline (it requests `stop`) and the references until the end. `reader` is
/// the connection's from its first byte on.
Task<Result<std::unique_ptr<net::Stream>>> open(net::Loop& loop, net::Resolver& resolver,
                                                net::TlsClient& tls, const Settings& settings,
                                                Cancel& stop, ReplyReader& reader);

}  // namespace causeway::redis::detail
