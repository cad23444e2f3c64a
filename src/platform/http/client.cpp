#include "platform/http/client.h"

#include "platform/http/client_call.h"
#include "platform/http/client_connect.h"
#include "platform/http/client_error.h"
#include "platform/http/pool.h"

namespace causeway::http {
namespace {

class LoopClient final : public Client {
 public:
  explicit LoopClient(net::Loop& loop) : loop_(loop), connector_(loop), pools_(loop) {}

  Task<Result<std::unique_ptr<ClientStream>>> call(const Endpoint& endpoint,
                                                   const ClientRequest& request,
                                                   Cancel& cancel) override {
    if (cancel.requested()) co_return cancelled_error();
    std::string made;
    if (endpoint.id.empty()) made = endpoint_id(endpoint);
    const std::string& id = endpoint.id.empty() ? made : endpoint.id;
    auto call = std::make_unique<ClientCall>(loop_, request.timeouts, cancel);
    if (auto idle = pools_.take_idle(id)) {
      call->reuse(std::move(idle));
    } else {
      auto slot = pools_.reserve(endpoint, id);
      if (!slot) {
        co_return client_error(ErrorKind::Overloaded, "too_many_connections",
                               "too many connections to the upstream are open", id);
      }
      auto opened = co_await call->open(connector_, std::move(slot), endpoint, id);
      if (!opened) co_return pass(std::move(opened));
    }
    auto answered = co_await call->exchange(endpoint, request);
    if (!answered) co_return pass(std::move(answered));
    co_return call;
  }

  Stats stats() const override { return pools_.stats(); }
  void close_idle() override { pools_.close_idle(); }

 private:
  net::Loop& loop_;
  Connector connector_;
  Pools pools_;
};

}  // namespace

std::unique_ptr<Client> make_client(net::Loop& loop) { return std::make_unique<LoopClient>(loop); }

}  // namespace causeway::http
