#include "platform/http/client_connect.h"

#include "platform/http/client_error.h"
#include "platform/http/detail/parser.h"
#include "platform/net/connect.h"

namespace causeway::http {
namespace {

constexpr detail::HeadLimits kProxyLimits{16 * 1024, 64, 8 * 1024};

std::unexpected<Error> proxy_error(std::string message, std::string more) {
  return client_error(ErrorKind::ConnectFailed, "proxy_failed", std::move(message),
                      std::move(more));
}

std::string connect_head(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  const std::string target =
      (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
  std::string head = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!endpoint.proxy_authorization.empty()) {
    head.append("Proxy-Authorization: ").append(endpoint.proxy_authorization.reveal());
    head.append("\r\n");
  }
  return head + "\r\n";
}

/// What the proxy's answer to CONNECT means.
Result<void> judge(const detail::ResponseParser& parser, std::size_t arrived,
                   const std::string& proxy) {
  const int status = parser.head().status;
  if (status == 407) {
    return proxy_error("the proxy wants other credentials", proxy + ": status 407");
  }
  if (status < 200 || status > 299) {
    return proxy_error("the proxy refused the connection to the upstream",
                       proxy + ": status " + std::to_string(status));
  }
  if (arrived != parser.size()) {
    return proxy_error("the proxy sent bytes before the upstream could have", proxy);
  }
  return {};
}

/// Asks an HTTP proxy for a tunnel to the endpoint, over a connection to the proxy.
Task<Result<void>> open_tunnel(net::Stream& stream, const Endpoint& endpoint) {
  const std::string proxy = endpoint.proxy_host + ":" + std::to_string(endpoint.proxy_port);
  const std::string head = connect_head(endpoint);
  const std::string_view piece = head;
  if (auto sent = co_await net::write(stream, {&piece, 1}); !sent) {
    co_return proxy_error("the connection to the proxy broke", proxy + ": " + sent.error.message());
  }
  detail::ResponseParser parser(kProxyLimits);
  std::string buffer(kProxyLimits.head_bytes, '\0');
  std::size_t filled = 0;
  while (true) {
    const auto got =
        co_await net::read(stream, std::span(buffer).subspan(filled, buffer.size() - filled));
    if (!got || got.bytes == 0) {
      co_return proxy_error("the proxy closed the connection",
                            proxy + ": " + (got ? "end of file" : got.error.message()));
    }
    filled += got.bytes;
    const detail::Parsed parsed = parser.parse(std::string_view(buffer).substr(0, filled));
    if (parsed == detail::Parsed::Done) co_return judge(parser, filled, proxy);
    if (parsed == detail::Parsed::Refused || filled == buffer.size()) {
      co_return proxy_error("the proxy's answer is not valid HTTP/1.1",
                            proxy + ": " + std::string(parser.refusal().why));
    }
  }
}

}  // namespace

Task<Result<std::unique_ptr<net::Stream>>> connect(Connector& connector, const Endpoint& endpoint,
                                                   const std::string& id, Cancel& stop) {
  // Named, since g++ 12 destroys an aggregate's temporary twice within a co_await.
  net::TlsClient::Peer peer{endpoint.host, endpoint.ca_file, id};
  if (!endpoint.unix_path.empty()) {
    auto local = co_await net::connect_unix(connector.loop, endpoint.unix_path, stop);
    if (!local) co_return pass(std::move(local));
    if (!endpoint.tls) co_return std::move(*local);
    co_return co_await connector.tls.handshake(std::move(*local), std::move(peer), stop);
  }
  const bool by_proxy = !endpoint.proxy_host.empty();
  const std::string& named = endpoint.address.empty() ? endpoint.host : endpoint.address;
  const std::string& host = by_proxy ? endpoint.proxy_host : named;
  const std::uint16_t port = by_proxy ? endpoint.proxy_port : endpoint.port;
  auto stream = co_await net::connect_tcp(connector.loop, connector.resolver, host, port, stop);
  if (!stream) co_return pass(std::move(stream));
  if (!endpoint.tls) co_return std::move(*stream);
  if (by_proxy) {
    stop.on_request([below = stream->get()] { below->cancel(); });
    auto tunnel = co_await open_tunnel(**stream, endpoint);
    stop.on_request(nullptr);
    if (stop.requested()) co_return cancelled_error();
    if (!tunnel) co_return pass(std::move(tunnel));
  }
  co_return co_await connector.tls.handshake(std::move(*stream), std::move(peer), stop);
}

}  // namespace causeway::http
