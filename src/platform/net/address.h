// An IP address with its port, or the path of a Unix socket: what a socket connects to or binds.
// Literals only; names are DNS's business.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "platform/base/error.h"

namespace causeway::net {

class Address {
 public:
  /// "127.0.0.1", "::1", "fe80::1%eth0"; no brackets. Error: InvalidRequest.
  static Result<Address> ip(const std::string& literal, std::uint16_t port);
  /// A path of at most 107 bytes. Error: InvalidRequest.
  static Result<Address> unix_socket(const std::string& path);
  /// What the kernel reports; a copy of `length` bytes.
  static Address from(const sockaddr* address, socklen_t length);

  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return length_; }
  int family() const { return storage_.ss_family; }
  bool is_ip() const { return family() == AF_INET || family() == AF_INET6; }
  bool is_loopback() const;
  std::uint16_t port() const;
  void set_port(std::uint16_t port);
  /// "127.0.0.1" or "::1" without the port ("::ffff:1.2.3.4" becomes "1.2.3.4"); a Unix socket's
  /// path.
  std::string text() const;

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

}  // namespace causeway::net
