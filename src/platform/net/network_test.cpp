#include "platform/net/network.h"

#include <gtest/gtest.h>

#include <vector>

namespace causeway::net {
namespace {

bool contains(std::string_view network, std::string_view address) {
  return Network::parse(network)->contains(*address_bytes(address));
}

TEST(Network, ContainsWhatItsBitsSay) {
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(contains("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(contains("127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(contains("127.0.0.1", "127.0.0.2"));
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(contains("2001:db8::/32", "2001:db8:ffff::1"));
  EXPECT_FALSE(contains("2001:db8::/32", "2001:db9::1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("::/0", "8.8.8.8"));
}

TEST(Network, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "/", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::1/129", "::1/-1", "host", "10.0.0.0/8x",
        "1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20:21:22"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
}

TEST(ClientAddress, IsWhatTrustedProxiesSay) {
  const std::vector<Network> none;
  const std::vector<Network> proxies{*Network::parse("10.0.0.0/8"), *Network::parse("::1")};
  EXPECT_EQ(client_address("10.0.0.1", "1.2.3.4", none), "10.0.0.1");
  EXPECT_EQ(client_address("9.9.9.9", "1.2.3.4", proxies), "9.9.9.9") << "it is no proxy of ours";
  EXPECT_EQ(client_address("10.0.0.1", "", proxies), "10.0.0.1");
  EXPECT_EQ(client_address("10.0.0.1", "1.2.3.4", proxies), "1.2.3.4");
  EXPECT_EQ(client_address("10.0.0.1", "6.6.6.6, 1.2.3.4 , 10.2.2.2", proxies), "1.2.3.4")
      << "what stands before it a caller may have written itself";
  EXPECT_EQ(client_address("::1", "[2001:db8::7]:443", proxies), "2001:db8::7");
  EXPECT_EQ(client_address("10.0.0.1", "1.2.3.4:5555", proxies), "1.2.3.4");
  EXPECT_EQ(client_address("10.0.0.1", "1.2.3.4, unknown", proxies), "10.0.0.1");
  EXPECT_EQ(client_address("10.0.0.1", "10.3.3.3, 10.2.2.2", proxies), "10.3.3.3");
  EXPECT_EQ(client_address("10.0.0.1", ",,,", proxies), "10.0.0.1");
  EXPECT_EQ(client_address("10.0.0.1", "[", proxies), "10.0.0.1");
}

}  // namespace
}  // namespace causeway::net
