// The admin port: finds the route, checks the admin key, runs the handler. Its answers are small;
// it lives on the control loop, away from the loops that serve applications.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/listen_address.h"
#include "core/admin.h"
#include "platform/http/server.h"

namespace causeway::app {

/// What a presented key opens on the admin port.
enum class AdminRight : std::uint8_t { None, Read, Full };

struct AdminCaller {
  AdminRight right = AdminRight::None;
  std::string actor;
  std::string session{};           // of the browser that says so; "" = a key
  std::optional<Error> refused{};  // why nothing is done but what needs no key
  std::string peer{};
  const http::RequestHead* head = nullptr;
};

class AdminServer {
 public:
  using Authenticate = std::function<AdminCaller(const http::RequestHead&)>;

  AdminServer(net::Loop& loop, std::vector<AdminRoute> routes, Authenticate authenticate);
  ~AdminServer();

  Result<void> start(const ListenAddress& address);
  std::uint16_t port() const;
  void close();
  bool idle() const;

  /// The routing and its checks without a socket, for verbs in their own process.
  Task<AdminReply> handle(http::Method method, std::string target, std::string body,
                          AdminCaller caller) const;

  const std::vector<AdminRoute>& routes() const { return routes_; }

 private:
  Task<void> serve(http::ServerStream& stream);
  const AdminRoute* find(AdminRequest& request, bool& other_method) const;

  net::Loop& loop_;
  std::vector<AdminRoute> routes_;
  Authenticate authenticate_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace causeway::app
