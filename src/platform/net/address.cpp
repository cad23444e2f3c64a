#include "platform/net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace causeway::net {
namespace {

template <class T>
T& as(sockaddr_storage& storage) {
  return reinterpret_cast<T&>(storage);
}
template <class T>
const T& as(const sockaddr_storage& storage) {
  return reinterpret_cast<const T&>(storage);
}

}  // namespace

Result<Address> Address::ip(const std::string& literal, std::uint16_t port) {
  Address address;
  auto& v4 = as<sockaddr_in>(address.storage_);
  if (inet_pton(AF_INET, literal.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    address.length_ = sizeof v4;
    address.set_port(port);
    return address;
  }
  auto& v6 = as<sockaddr_in6>(address.storage_);
  const std::size_t zone = literal.find('%');
  if (inet_pton(AF_INET6, literal.substr(0, zone).c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    if (zone != std::string::npos) v6.sin6_scope_id = if_nametoindex(literal.c_str() + zone + 1);
    address.length_ = sizeof v6;
    address.set_port(port);
    return address;
  }
  return fail(ErrorKind::InvalidRequest, Origin::Us, "'" + literal + "' is not an IP address");
}

Result<Address> Address::unix_socket(const std::string& path) {
  Address address;
  auto& un = as<sockaddr_un>(address.storage_);
  if (path.empty() || path.size() >= sizeof un.sun_path) {
    return fail(ErrorKind::InvalidRequest, Origin::Us,
                "the path of a Unix socket must have 1 to 107 bytes: '" + path + "'");
  }
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  address.length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

Address Address::from(const sockaddr* source, socklen_t length) {
  Address address;
  address.length_ = std::min<socklen_t>(length, sizeof address.storage_);
  std::memcpy(&address.storage_, source, address.length_);
  return address;
}

bool Address::is_loopback() const {
  if (family() == AF_UNIX) return true;
  if (family() == AF_INET) {
    return (ntohl(as<sockaddr_in>(storage_).sin_addr.s_addr) >> 24) == 127;
  }
  if (family() != AF_INET6) return false;
  const in6_addr& v6 = as<sockaddr_in6>(storage_).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

std::uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(as<sockaddr_in>(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(as<sockaddr_in6>(storage_).sin6_port);
  return 0;
}

void Address::set_port(std::uint16_t port) {
  if (family() == AF_INET) as<sockaddr_in>(storage_).sin_port = htons(port);
  if (family() == AF_INET6) as<sockaddr_in6>(storage_).sin6_port = htons(port);
}

std::string Address::text() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &as<sockaddr_in>(storage_).sin_addr, buffer, sizeof buffer);
  } else if (family() == AF_INET6) {
    const in6_addr& v6 = as<sockaddr_in6>(storage_).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
      inet_ntop(AF_INET, &v6.s6_addr[12], buffer, sizeof buffer);
    } else {
      inet_ntop(AF_INET6, &v6, buffer, sizeof buffer);
    }
  } else if (family() == AF_UNIX) {
    return as<sockaddr_un>(storage_).sun_path;
  }
  return buffer;
}

}  // namespace causeway::net
