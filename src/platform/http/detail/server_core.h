// What the connections of one server share, and what a connection must know of its server.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "platform/http/detail/workspace.h"
#include "platform/http/server.h"
#include "platform/net/loop.h"

namespace causeway::http::detail {

class Connection;

struct ServerCore {
  ServerCore(net::Loop& on, ServerLimits with, Server::Handler serve, RefusalBody refuse);
  ~ServerCore();

  /// Takes bytes from the loop's budget; false when it is used up.
  bool reserve(std::size_t bytes) {
    if (stats.buffered_bytes + bytes > limits.buffered_bytes) return false;
    stats.buffered_bytes += bytes;
    return true;
  }
  void release(std::size_t bytes) { stats.buffered_bytes -= bytes; }

  /// The connection's coroutine is over: it is destroyed a moment later, since it may be on the
  /// stack right now.
  void ended(Connection& connection);

  net::Loop& loop;
  const ServerLimits limits;
  const Server::Handler handler;
  const RefusalBody refusal_body;
  WorkspacePool pool;
  Server::Stats stats;
  std::string date;  // the Date field's line, set anew every second
  bool draining = false;
  std::list<std::unique_ptr<Connection>> connections;
  std::list<std::unique_ptr<Connection>> over;
};

}  // namespace causeway::http::detail
