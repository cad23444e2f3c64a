// A byte stream to an endpoint: socket, proxy tunnel and TLS, as the endpoint asks for.
#pragma once

#include <memory>

#include "platform/base/cancel.h"
#include "platform/http/client.h"
#include "platform/net/dns.h"
#include "platform/net/stream.h"
#include "platform/net/tls.h"

namespace causeway::http {

struct Connector {
  explicit Connector(net::Loop& on) : loop(on), resolver(on) {}
  net::Loop& loop;
  net::Resolver resolver;
  net::TlsClient tls;
};

/// `endpoint` and `id` must outlive the task. The caller keeps the deadline and requests `stop`.
/// Errors: ConnectFailed (code dns_failed, connect_failed, proxy_failed or tls_failed), Cancelled
/// when `stop` was requested.
Task<Result<std::unique_ptr<net::Stream>>> connect(Connector& connector, const Endpoint& endpoint,
                                                   const std::string& id, Cancel& stop);

}  // namespace causeway::http
