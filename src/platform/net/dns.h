// Names to addresses, on the loop and without blocking it (c-ares). Asks for IPv4 and IPv6 at once,
// honours /etc/hosts (or the file that CARES_HOSTS of the environment names) and resolv.conf, and
// keeps answers as long as their time to live says. One resolver per loop; it must end before the
// loop does, and after every lookup has.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "platform/base/cancel.h"
#include "platform/base/error.h"
#include "platform/base/task.h"
#include "platform/net/address.h"

namespace causeway::net {

class Loop;

class Resolver {
 public:
  struct Options {
    std::string servers;                      // "127.0.0.1:5353,…" instead of resolv.conf's
    std::chrono::milliseconds timeout{2000};  // of one query to one server; doubles with each try
    int tries = 3;                            // per server
    std::size_t max_names = 1024;             // remembered at once
  };

  explicit Resolver(Loop& loop);
  Resolver(Loop& loop, Options options);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// The addresses of a name or of an IP literal, in the order in which to try them (RFC 6724);
  /// never empty. "localhost" needs no server. Lookups of one name that run at the same time are
  /// one query. Errors: ConnectFailed (code dns_failed), Cancelled, Overloaded when max_names
  /// lookups are running.
  Task<Result<std::vector<Address>>> resolve(std::string host, std::uint16_t port, Cancel& stop);

  /// This address worked where earlier ones did not: it comes first until the answer expires.
  void prefer(const std::string& host, const Address& address);

  struct Stats {
    std::size_t names = 0, queries_total = 0;
  };
  Stats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace causeway::net
