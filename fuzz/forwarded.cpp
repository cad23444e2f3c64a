// X-Forwarded-For as anybody may write it, behind an address: who the caller is is always the
// peer, or an address that stands in the field.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "platform/net/network.h"

using namespace causeway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const std::string_view peer = text.substr(0, line), field = text.substr(line + 1);
  static const std::vector<net::Network> trusted{*net::Network::parse("10.0.0.0/8"),
                                                 *net::Network::parse("::1"),
                                                 *net::Network::parse("2001:db8::/32")};
  const std::string_view client = net::client_address(peer, field, trusted);
  if (client != peer) {
    const bool inside = client.data() >= field.data() &&
                        client.data() + client.size() <= field.data() + field.size();
    if (!inside || !net::address_bytes(client)) std::abort();
    const auto from = net::address_bytes(peer);
    if (!from || !net::in_any(trusted, *from)) std::abort();
  }
  (void)net::Network::parse(field);
  return 0;
}
