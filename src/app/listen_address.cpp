#include "app/listen_address.h"

#include "platform/net/address.h"
#include "platform/text/ascii.h"

namespace causeway::app {

Result<ListenAddress> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto wrong = [] {
    return fail(ErrorKind::InvalidRequest, Origin::Us,
                "must be IP:port, e.g. 127.0.0.1:8080 or [::1]:8080");
  };
  if (colon == std::string_view::npos) return wrong();
  const auto port = text::parse_int<std::uint16_t>(text.substr(colon + 1));
  std::string_view ip = text.substr(0, colon);
  if (ip.starts_with('[') && ip.ends_with(']')) {
    ip = ip.substr(1, ip.size() - 2);
  } else if (ip.find(':') != std::string_view::npos) {
    return wrong();
  }
  if (!port) return wrong();
  const auto address = net::Address::ip(std::string(ip), *port);
  if (!address) return wrong();
  return ListenAddress{std::string(ip), *port, address->is_loopback()};
}

std::string to_text(const ListenAddress& address) {
  const bool v6 = address.ip.find(':') != std::string::npos;
  return (v6 ? "[" + address.ip + "]" : address.ip) + ":" + std::to_string(address.port);
}

}  // namespace causeway::app
