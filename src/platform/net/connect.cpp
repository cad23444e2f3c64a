#include "platform/net/connect.h"

#include "platform/net/dns.h"
#include "platform/net/loop.h"

namespace causeway::net {
namespace {

using namespace std::chrono_literals;

// Two lost SYNs (they are sent again after 1 s); longer is more likely a black hole than a slow
// way.
constexpr auto kOneAddress = 2500ms;

std::unexpected<Error> cancelled() {
  return fail(ErrorKind::Cancelled, Origin::Client, "cancelled");
}

std::unexpected<Error> connect_error(std::error_code error, std::string where) {
  std::string why = "it cannot be reached";
  if (error == std::errc::connection_refused) why = "connection refused";
  if (error == std::errc::timed_out || error == std::errc::operation_canceled) {
    why = "it does not answer";
  }
  if (error == std::errc::no_such_file_or_directory) why = "its socket does not exist";
  if (error == std::errc::too_many_files_open) why = "this program has too many open files";
  auto failed = fail(ErrorKind::ConnectFailed, Origin::Upstream,
                     "could not connect to the upstream: " + why, "connect_failed");
  failed.error().retryable = true;
  failed.error().detail = std::move(where) + ": " + error.message();
  return failed;
}

/// Ends a connect that takes too long. Its time runs from its making.
class Patience final : public Swept {
 public:
  Patience(Loop& loop, Stream& stream) : end_(loop.now() + kOneAddress), stream_(stream) {
    loop.watch(*this);
  }
  void sweep(Monotonic now) override {
    if (now < end_) return;
    unlink();
    stream_.cancel();
  }

 private:
  Monotonic end_;
  Stream& stream_;
};

}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect_tcp(Loop& loop, Resolver& resolver, std::string host,
                                                  std::uint16_t port, Cancel& stop) {
  auto addresses = co_await resolver.resolve(host, port, stop);
  if (!addresses) co_return pass(std::move(addresses));
  std::error_code error;
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    const Address& address = (*addresses)[i];
    if (stop.requested()) co_return cancelled();
    std::unique_ptr<Socket> socket = make_socket(loop);
    stop.on_request([&socket] { socket->cancel(); });
    std::optional<Patience> patience;
    if (i + 1 < addresses->size()) patience.emplace(loop, *socket);
    error = (co_await connect(*socket, address)).error;
    stop.on_request(nullptr);
    if (stop.requested()) co_return cancelled();
    if (!error) {
      if (i > 0) resolver.prefer(host, address);
      co_return socket;
    }
  }
  co_return connect_error(error, host + ":" + std::to_string(port));
}

Task<Result<std::unique_ptr<Stream>>> connect_unix(Loop& loop, std::string path, Cancel& stop) {
  auto address = Address::unix_socket(path);
  if (!address) co_return pass(std::move(address));
  if (stop.requested()) co_return cancelled();
  std::unique_ptr<Socket> socket = make_socket(loop);
  stop.on_request([&socket] { socket->cancel(); });
  const std::error_code error = (co_await connect(*socket, *address)).error;
  stop.on_request(nullptr);
  if (stop.requested()) co_return cancelled();
  if (error) co_return connect_error(error, "unix:" + path);
  co_return socket;
}

}  // namespace causeway::net
