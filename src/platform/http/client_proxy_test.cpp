#include "platform/http/client_proxy.h"

#include <map>

#include "platform/http/client_test_support.h"

namespace causeway::http::testing {
namespace {

using Variables = std::map<std::string, std::string>;

Environment environment_of(Variables variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

/// "host:port" of the proxy that is taken, "" for none, "!" for an error.
std::string proxy_for(std::string_view url, Variables variables) {
  std::string path;
  auto endpoint = parse_url(url, path);
  EXPECT_TRUE(endpoint);
  const std::string id = endpoint->id;
  if (!proxy_from_environment(*endpoint, environment_of(std::move(variables)))) return "!";
  if (endpoint->proxy_host.empty()) {
    EXPECT_EQ(endpoint->id, id);
    return "";
  }
  EXPECT_NE(endpoint->id, id);
  return endpoint->proxy_host + ":" + std::to_string(endpoint->proxy_port);
}

TEST(ProxyFromEnvironment, TakesTheVariableOfTheScheme) {
  const Variables both = {{"HTTPS_PROXY", "http://secure:3128"}, {"http_proxy", "plain:8080/"}};
  EXPECT_EQ(proxy_for("https://api.example.com", both), "secure:3128");
  EXPECT_EQ(proxy_for("http://api.example.com", both), "plain:8080");
  EXPECT_EQ(proxy_for("https://api.example.com", {{"http_proxy", "plain"}}), "");
  EXPECT_EQ(proxy_for("http://a.b", {{"http_proxy", "low"}, {"HTTP_PROXY", "up"}}), "low:80");
  EXPECT_EQ(proxy_for("http://a.b", {{"http_proxy", ""}, {"HTTP_PROXY", "up"}}), "up:80");
  EXPECT_EQ(proxy_for("http://a.b", {{"http_proxy", "http://[::1]:3128"}}), "::1:3128");
}

TEST(ProxyFromEnvironment, NeverForLoopback) {
  const Variables all = {{"HTTPS_PROXY", "http://p:1"}, {"HTTP_PROXY", "http://p:1"}};
  for (const char* url : {"http://localhost:8000", "http://127.0.0.1", "https://127.9.9.9",
                          "http://[::1]:80", "http://api.localhost"}) {
    EXPECT_EQ(proxy_for(url, all), "") << url;
  }
}

TEST(ProxyFromEnvironment, RefusesWhatItCannotUseWithoutShowingIt) {
  for (const char* value : {"socks5://u:secret@h:1", "https://u:secret@proxy", "http://u:secret@",
                            "http://u:%zz@h", "http://u:secret@h:x"}) {
    std::string path;
    auto endpoint = parse_url("https://api.example.com", path);
    auto result = proxy_from_environment(*endpoint, environment_of({{"HTTPS_PROXY", value}}));
    ASSERT_FALSE(result) << value;
    EXPECT_EQ(result.error().message.find("secret"), std::string::npos);
    EXPECT_NE(result.error().message.find("HTTPS_PROXY"), std::string::npos);
  }
}

TEST(ProxyFromEnvironment, MakesCredentials) {
  std::string path;
  auto endpoint = parse_url("https://api.example.com", path);
  ASSERT_TRUE(proxy_from_environment(*endpoint,
                                     environment_of({{"HTTPS_PROXY", "http://al%40x:p%3Aw@h:1"}})));
  EXPECT_EQ(endpoint->proxy_authorization.reveal(), "Basic YWxAeDpwOnc=");
}

TEST(ProxyFromEnvironment, NoProxy) {
  struct Case {
    const char* list;
    const char* host;
    bool excluded;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"*", "anything", true},
           {"", "anything", false},
           {"example.com", "example.com", true},
           {"example.com", "API.example.COM", true},
           {"example.com", "badexample.com", false},
           {"example.com", "example.com.evil.net", false},
           {".example.com", "api.example.com", true},
           {"*.example.com", "api.example.com", true},
           {"a.net, b.net  c.net", "c.net", true},
           {"example.com:8443", "example.com", true},
           {"example.com:443", "example.com", false},
           {"10.0.0.0/8", "10.1.2.3", true},
           {"10.0.0.0/8", "11.1.2.3", false},
           {"10.0.0.0/9", "10.128.0.1", false},
           {"192.168.1.128/25", "192.168.1.200", true},
           {"192.168.1.128/25", "192.168.1.100", false},
           {"0.0.0.0/0", "8.8.8.8", true},
           {"0.0.0.0/0", "fd00::1", false},
           {"10.0.0.0/8", "10.example.com", false},
           {"10.0.0.0/33", "10.0.0.0", false},
           {"fd00::/8", "fd12::1", true},
           {"fd00::/8", "fe80::1", false},
           {"10.1.2.3", "10.1.2.3", true},
           {"10.1.2.3:8443", "10.1.2.3", true},
           {"10.1.2.3:1", "10.1.2.3", false},
           {"2.3", "10.1.2.3", false},
           {"::2", "0:0::2", true},
           {"[::2]", "::2", true},
           {"[::2]:8443", "::2", true},
           {"[::2]:1", "::2", false},
       }) {
    EXPECT_EQ(excluded_from_proxy(one.list, one.host, 8443), one.excluded)
        << one.list << " for " << one.host;
  }
}

TEST_F(ClientTest, AsksAProxyForThePlainUrl) {
  RawServer proxy([](Peer& peer, int) { peer.answer(peer.read_request()); });
  Endpoint endpoint;
  endpoint.host = "upstream.example";  // is never looked up
  endpoint.port = 8000;
  endpoint.proxy_host = "127.0.0.1";
  endpoint.proxy_port = proxy.port();
  endpoint.proxy_authorization = Secret("Basic eDp5");
  const Answer answer = fetch(endpoint);
  EXPECT_TRUE(
      answer.body.starts_with("POST http://upstream.example:8000/v1/chat/completions HTTP/1.1\r\n"
                              "Host: upstream.example:8000\r\nProxy-Authorization: Basic eDp5\r\n"))
      << answer.body << answer.code();
}

TEST_F(ClientTest, TellsWhatTheProxySaidToConnect) {
  struct Case {
    const char* answer;
    const char* message;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
            "credentials"},
           {"HTTP/1.1 502 Bad Gateway\r\n\r\n", "refused"},
           {"HTTP/1.1 200 OK\r\n\r\nEARLY", "before the upstream"},
           {"nonsense\r\n\r\n", "not valid HTTP"},
           {"", "closed"},
       }) {
    RawServer proxy([&](Peer& peer, int) {
      EXPECT_TRUE(peer.read_head().starts_with("CONNECT upstream.example:443 HTTP/1.1\r\n"));
      peer.write(one.answer);
    });
    Endpoint endpoint;
    endpoint.host = "upstream.example";
    endpoint.port = 443;
    endpoint.tls = true;
    endpoint.proxy_host = "127.0.0.1";
    endpoint.proxy_port = proxy.port();
    const Answer answer = fetch(endpoint);
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->kind, ErrorKind::ConnectFailed);
    EXPECT_EQ(answer.code(), "proxy_failed");
    EXPECT_NE(answer.error->message.find(one.message), std::string::npos) << answer.error->message;
    EXPECT_EQ(client->stats().open, 0u);
  }
}

}  // namespace
}  // namespace causeway::http::testing
