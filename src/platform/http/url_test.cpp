#include <gtest/gtest.h>

#include "platform/http/client.h"

namespace causeway::http {
namespace {

struct Parsed {
  Endpoint endpoint;
  std::string path;
};

Parsed good(std::string_view url) {
  Parsed out;
  auto endpoint = parse_url(url, out.path);
  EXPECT_TRUE(endpoint) << url << ": " << (endpoint ? "" : endpoint.error().message);
  if (endpoint) out.endpoint = *endpoint;
  return out;
}

TEST(Url, SplitsHostPortAndPath) {
  auto plain = good("http://10.0.0.7:8000/v1/");
  EXPECT_EQ(plain.endpoint.host, "10.0.0.7");
  EXPECT_EQ(plain.endpoint.port, 8000);
  EXPECT_FALSE(plain.endpoint.tls);
  EXPECT_EQ(plain.path, "/v1");
  EXPECT_EQ(plain.endpoint.authority(), "10.0.0.7:8000");

  auto secure = good("HTTPS://Api.Example.COM");
  EXPECT_EQ(secure.endpoint.host, "api.example.com");
  EXPECT_EQ(secure.endpoint.port, 443);
  EXPECT_TRUE(secure.endpoint.tls);
  EXPECT_EQ(secure.path, "");
  EXPECT_EQ(secure.endpoint.authority(), "api.example.com");

  auto six = good("http://[::1]:8080/a/b");
  EXPECT_EQ(six.endpoint.host, "::1");
  EXPECT_EQ(six.endpoint.authority(), "[::1]:8080");
  EXPECT_EQ(six.path, "/a/b");
  EXPECT_EQ(good("https://[fe80::1]").endpoint.authority(), "[fe80::1]");
  EXPECT_EQ(good("http://my_host.local").endpoint.port, 80);
}

TEST(Url, RefusesWhatIsNotOne) {
  for (std::string_view url : {"",
                               "api.example.com",
                               "ftp://host",
                               "http://",
                               "http:///path",
                               "http://host:0",
                               "http://host:65536",
                               "http://host:",
                               "http://host:80x",
                               "http://us er/",
                               "http://u:p@host/",
                               "http://host/?q=1",
                               "http://host/#f",
                               "http://[::1",
                               "http://[::1]x",
                               "http://[1.2.3.4]",
                               "http://a..b",
                               "http://.a",
                               "http://-a",
                               "http://ho\xc3\xa4st",
                               "http://host/\n",
                               "http://a%20b"}) {
    std::string path;
    auto endpoint = parse_url(url, path);
    EXPECT_FALSE(endpoint) << url;
    if (!endpoint) {
      EXPECT_EQ(endpoint.error().kind, ErrorKind::InvalidRequest);
      EXPECT_NE(endpoint.error().message.find("URL"), std::string::npos);
    }
  }
}

TEST(EndpointId, TellsApartWhatMustNotShareAConnection) {
  const Endpoint base = good("https://host/v1").endpoint;
  EXPECT_EQ(base.id, endpoint_id(base));
  auto differs = [&](auto change) {
    Endpoint other = base;
    change(other);
    return endpoint_id(other) != base.id;
  };
  EXPECT_TRUE(differs([](Endpoint& e) { e.tls = false; }));
  EXPECT_TRUE(differs([](Endpoint& e) { e.port = 444; }));
  EXPECT_TRUE(differs([](Endpoint& e) { e.unix_path = "/run/x"; }));
  EXPECT_TRUE(differs([](Endpoint& e) { e.address = "10.0.0.1"; }));
  EXPECT_TRUE(differs([](Endpoint& e) { e.ca_file = "/etc/ca.pem"; }));
  EXPECT_TRUE(differs([](Endpoint& e) { e.proxy_host = "proxy"; }));
  EXPECT_FALSE(differs([](Endpoint& e) { e.max_idle = 1; }));

  Endpoint one = base;
  one.proxy_host = "proxy";
  one.proxy_authorization = Secret("Basic c2VjcmV0");
  Endpoint two = one;
  two.proxy_authorization = Secret("Basic b3RoZXI=");
  EXPECT_NE(endpoint_id(one), endpoint_id(two));
  EXPECT_EQ(endpoint_id(one).find("c2VjcmV0"), std::string::npos);
}

TEST(EndpointId, AUnixSocketHasAHostFieldWithoutAPort) {
  Endpoint endpoint;
  endpoint.unix_path = "/run/model.sock";
  EXPECT_EQ(endpoint.authority(), "localhost");
  endpoint.host = "model";
  EXPECT_EQ(endpoint.authority(), "model");
}

}  // namespace
}  // namespace causeway::http
