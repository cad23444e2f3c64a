// TLS to upstreams, with certificates made here: what is accepted, what is refused, and that the
// refusal says why.
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdio>

#include "platform/http/client_test_support.h"

namespace causeway::http::testing {
namespace {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Free<SSL_free>>;

struct Identity {
  Key key;
  Certificate certificate;
};

void extend(X509* certificate, X509* issuer, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// A certificate valid for an hour from `from` seconds ago; its own issuer when there is none.
Identity issue(const char* name, const Identity* issuer, const char* alternative, long from = 600) {
  Identity made{Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  static long serial = 0;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600 - from);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509* signer = issuer ? issuer->certificate.get() : certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  if (!issuer) extend(certificate, signer, NID_basic_constraints, "critical,CA:TRUE");
  if (alternative) extend(certificate, signer, NID_subject_alt_name, alternative);
  X509_sign(certificate, issuer ? issuer->key.get() : made.key.get(), EVP_sha256());
  return made;
}

/// A file that is removed at the end.
class PemFile {
 public:
  explicit PemFile(const Identity& identity) {
    const int fd = ::mkstemp(path_);
    FILE* file = ::fdopen(fd, "w");
    PEM_write_X509(file, identity.certificate.get());
    std::fclose(file);
  }
  ~PemFile() { ::unlink(path_); }
  std::string path() const { return path_; }

 private:
  char path_[40] = "/tmp/causeway_ca_XXXXXX";
};

/// The server's side of one TLS connection, over a Peer's socket.
class TlsPeer {
 public:
  TlsPeer(SSL_CTX* context, Peer& peer) : peer_(peer), ssl_(SSL_new(context)) {
    SSL_set_fd(ssl_.get(), peer.fd());
    accepted_ = SSL_accept(ssl_.get()) == 1;
  }
  bool accepted() const { return accepted_; }
  SSL* ssl() { return ssl_.get(); }

  std::string read_request() {
    std::string text;
    std::size_t body = 0, end = std::string::npos;
    while (accepted_ && (end == std::string::npos || text.size() < end + 4 + body)) {
      char buffer[16384];
      const int count = SSL_read(ssl_.get(), buffer, sizeof buffer);
      if (count <= 0) return {};
      text.append(buffer, static_cast<std::size_t>(count));
      end = text.find("\r\n\r\n");
      const std::size_t at = text.find("Content-Length: ");
      if (end != std::string::npos && at < end) body = std::stoul(text.substr(at + 16));
    }
    return text;
  }
  void write(std::string_view text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
  }
  void answer(std::string_view body) {
    write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
          std::string(body));
  }
  void close_notify() { SSL_shutdown(ssl_.get()); }

 private:
  Peer& peer_;
  Session ssl_;
  bool accepted_ = false;
};

Context server_context(const Identity& identity) {
  Context context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_use_certificate(context.get(), identity.certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), identity.key.get());
  const unsigned char id[] = "test";
  SSL_CTX_set_session_id_context(context.get(), id, sizeof id);
  return context;
}

struct ClientTlsTest : ClientTest {
  Identity authority = issue("Test authority", nullptr, nullptr);
  Identity identity = issue("server", &authority, "DNS:localhost,IP:127.0.0.1");
  PemFile ca{authority};

  Endpoint secure(const RawServer& server, const std::string& host = "127.0.0.1") {
    Endpoint endpoint = server.endpoint();
    endpoint.host = host;
    endpoint.tls = true;
    endpoint.ca_file = ca.path();
    endpoint.id = endpoint_id(endpoint);
    return endpoint;
  }
};

/// A server that echoes requests until the other side ends.
RawServer::Script tls_echo(SSL_CTX* context) {
  return [context](Peer& peer, int) {
    TlsPeer tls(context, peer);
    for (std::string r = tls.read_request(); !r.empty(); r = tls.read_request()) tls.answer(r);
  };
}

TEST_F(ClientTlsTest, SpeaksToAHostWithTheRightCertificate) {
  const Context context = server_context(identity);
  for (const char* host : {"127.0.0.1", "localhost"}) {
    RawServer server(tls_echo(context.get()));
    for (int i = 0; i < 3; ++i) {
      const Answer answer = fetch(secure(server, host));
      EXPECT_EQ(answer.status, 200) << answer.code() << (answer.error ? answer.error->detail : "");
      EXPECT_TRUE(answer.body.starts_with("POST /v1/chat/completions HTTP/1.1\r\nHost: "));
    }
    EXPECT_EQ(server.connections(), 1);
  }
}

TEST_F(ClientTlsTest, CarriesLargeBodiesBothWays) {
  const Context context = server_context(identity);
  RawServer server(tls_echo(context.get()));
  Ask ask;
  ask.body = {std::string(2'000'000, 'x'), "small", std::string(50'000, 'y'), "", "z"};
  std::string all;
  for (const std::string& piece : ask.body) all += piece;
  for (const bool whole : {true, false}) {
    ask.whole = whole;
    const Answer answer = fetch(secure(server), ask);
    EXPECT_EQ(answer.code(), "") << (answer.error ? answer.error->detail : "");
    EXPECT_TRUE(answer.body.ends_with("\r\n\r\n" + all));
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ClientTlsTest, SendsNameAndProtocolAndResumesSessions) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Context context = server_context(identity);
    SSL_CTX_set_max_proto_version(context.get(), version);
    std::atomic<int> resumed = 0;
    std::mutex mutex;
    std::string name;
    SSL_CTX_set_alpn_select_cb(
        context.get(),
        [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned,
           void*) {
          *out = in + 1;
          *size = in[0];
          return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
    std::string protocol;
    RawServer server([&](Peer& peer, int) {
      TlsPeer tls(context.get(), peer);
      tls.read_request();
      const std::lock_guard lock(mutex);
      resumed += SSL_session_reused(tls.ssl());
      if (const char* sent = SSL_get_servername(tls.ssl(), TLSEXT_NAMETYPE_host_name)) name = sent;
      const unsigned char* chosen = nullptr;
      unsigned size = 0;
      SSL_get0_alpn_selected(tls.ssl(), &chosen, &size);
      protocol.assign(reinterpret_cast<const char*>(chosen), size);
      tls.answer("ok");
      tls.close_notify();
    });
    const Endpoint endpoint = secure(server, "localhost");
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(fetch(endpoint).body, "ok");
      EXPECT_TRUE(loop.run_until([&] { return client->stats().open == 0; }, 5s));
    }
    EXPECT_EQ(resumed, 2);
    EXPECT_EQ(name, "localhost");
    EXPECT_EQ(protocol, "http/1.1");
  }
}

TEST_F(ClientTlsTest, RefusesCertificatesAndSaysWhy) {
  const Identity stranger = issue("Another authority", nullptr, nullptr);
  struct Case {
    Identity identity;
    const char* message;
  };
  std::vector<Case> cases;
  cases.push_back({issue("old", &authority, "IP:127.0.0.1", 7200), "has expired"});
  cases.push_back({issue("early", &authority, "IP:127.0.0.1", -600), "not valid yet"});
  cases.push_back({issue("other", &authority, "DNS:other.example,IP:127.0.0.2"), "another host"});
  cases.push_back({issue("127.0.0.1", &authority, nullptr), "another host"});
  cases.push_back({issue("x", &stranger, "IP:127.0.0.1"), "not trusted"});
  cases.push_back({issue("self", nullptr, "IP:127.0.0.1"), "not trusted"});
  for (const Case& one : cases) {
    const Context context = server_context(one.identity);
    RawServer server(tls_echo(context.get()));
    const Answer answer = fetch(secure(server));
    ASSERT_TRUE(answer.error) << one.message;
    EXPECT_EQ(answer.error->kind, ErrorKind::ConnectFailed);
    EXPECT_EQ(answer.code(), "tls_failed");
    EXPECT_NE(answer.error->message.find(one.message), std::string::npos)
        << answer.error->message << " / " << answer.error->detail;
    EXPECT_EQ(client->stats().open, 0u);
  }
}

TEST_F(ClientTlsTest, DoesNotTrustOurAuthorityWithoutItsFile) {
  const Context context = server_context(identity);
  RawServer server(tls_echo(context.get()));
  Endpoint endpoint = secure(server);
  endpoint.ca_file.clear();
  endpoint.id = endpoint_id(endpoint);
  EXPECT_NE(fetch(endpoint).error->message.find("not trusted"), std::string::npos);
  endpoint.ca_file = "/nonexistent/ca.pem";
  endpoint.id = endpoint_id(endpoint);
  EXPECT_NE(fetch(endpoint).error->message.find("cannot be read"), std::string::npos);
  endpoint.ca_file = "/dev/null";
  endpoint.id = endpoint_id(endpoint);
  EXPECT_NE(fetch(endpoint).error->message.find("no usable certificate"), std::string::npos);
}

TEST_F(ClientTlsTest, RefusesOldProtocols) {
  const Context context = server_context(identity);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
  SSL_CTX_set_cipher_list(context.get(), "DEFAULT@SECLEVEL=0");
  RawServer server(tls_echo(context.get()));
  const Answer answer = fetch(secure(server));
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.code(), "tls_failed");
  EXPECT_NE(answer.error->message.find("older than 1.2"), std::string::npos)
      << answer.error->message << " / " << answer.error->detail;
}

TEST_F(ClientTlsTest, TellsAPortWithoutTls) {
  RawServer plain([](Peer& peer, int) {
    char byte;
    ::recv(peer.fd(), &byte, 1, 0);
    peer.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    peer.shutdown_write();
    peer.wait_for_end();
  });
  const Answer answer = fetch(secure(plain));
  EXPECT_NE(answer.error->message.find("does not speak TLS"), std::string::npos)
      << answer.error->detail;
  RawServer closing([](Peer& peer, int) {
    char byte;
    ::recv(peer.fd(), &byte, 1, 0);
  });
  EXPECT_NE(fetch(secure(closing)).error->message.find("closed the connection"), std::string::npos);
}

TEST_F(ClientTlsTest, AHandshakeThatStallsTimesOutAndCanBeCancelled) {
  RawServer server([](Peer& peer, int) { EXPECT_TRUE(peer.wait_for_end()); });
  Ask ask;
  ask.timeouts.connect = 50ms;
  EXPECT_EQ(fetch(secure(server), ask).code(), "connect_timeout");
  EXPECT_EQ(client->stats().open, 0u);
  Answer answer;
  spawn(run_call(*client, secure(server), {}, cancel, answer));
  run_for(20ms);
  EXPECT_FALSE(answer.done);
  cancel.request();
  EXPECT_TRUE(loop.run_until([&] { return answer.done; }, 5s));
  EXPECT_EQ(answer.error->kind, ErrorKind::Cancelled);
  EXPECT_EQ(client->stats().open, 0u);
}

TEST_F(ClientTlsTest, AnEndWithoutCloseNotifyIsACut) {
  const Context context = server_context(identity);
  for (const bool orderly : {true, false}) {
    RawServer server([&](Peer& peer, int) {
      TlsPeer tls(context.get(), peer);
      tls.read_request();
      tls.write("HTTP/1.1 200 OK\r\n\r\nuntil the end");
      if (orderly) tls.close_notify();
      peer.shutdown_write();
      peer.wait_for_end();
    });
    Ask ask;
    ask.whole = false;
    const Answer answer = fetch(secure(server), ask);
    EXPECT_EQ(answer.body, "until the end");
    EXPECT_EQ(answer.error.has_value(), !orderly);
    if (!orderly) {
      EXPECT_EQ(answer.error->kind, ErrorKind::UpstreamBroken);
    }
  }
}

TEST_F(ClientTlsTest, SaysGoodbyeWhenItDropsAnIdleConnection) {
  const Context context = server_context(identity);
  std::atomic<int> verdict = -1;
  RawServer server([&](Peer& peer, int) {
    TlsPeer tls(context.get(), peer);
    tls.read_request();
    tls.answer("ok");
    char byte;
    const int count = SSL_read(tls.ssl(), &byte, 1);
    verdict = SSL_get_error(tls.ssl(), count);
  });
  EXPECT_EQ(fetch(secure(server)).body, "ok");
  EXPECT_EQ(client->stats().idle, 1u);
  client->close_idle();
  EXPECT_TRUE(loop.run_until([&] { return verdict >= 0; }, 5s));
  EXPECT_EQ(verdict, SSL_ERROR_ZERO_RETURN);
}

TEST_F(ClientTlsTest, HearsARefusalWhileItSends) {
  const Context context = server_context(identity);
  RawServer server([&](Peer& peer, int) {
    TlsPeer tls(context.get(), peer);
    char buffer[1000];
    SSL_read(tls.ssl(), buffer, sizeof buffer);
    tls.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
    std::this_thread::sleep_for(50ms);
  });
  Ask ask;
  ask.body = {std::string(20'000'000, 'x')};
  const Answer answer = fetch(secure(server), ask);
  EXPECT_EQ(answer.status, 413) << answer.code();
  EXPECT_EQ(answer.body, "big");
  EXPECT_EQ(client->stats().open, 0u);
}

TEST_F(ClientTlsTest, GoesThroughAProxysTunnel) {
  const Context context = server_context(identity);
  std::string asked;
  RawServer proxy([&](Peer& peer, int) {
    asked = peer.read_head();
    peer.write("HTTP/1.1 200 Connection established\r\n\r\n");
    TlsPeer tls(context.get(), peer);
    for (std::string r = tls.read_request(); !r.empty(); r = tls.read_request()) tls.answer(r);
  });
  Endpoint endpoint = secure(proxy, "localhost");
  endpoint.port = 443;
  endpoint.proxy_host = "127.0.0.1";
  endpoint.proxy_port = proxy.port();
  endpoint.proxy_authorization = Secret("Basic eDp5");
  endpoint.id = endpoint_id(endpoint);
  for (int i = 0; i < 2; ++i) {
    const Answer answer = fetch(endpoint);
    EXPECT_TRUE(
        answer.body.starts_with("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"))
        << answer.body << answer.code();
    EXPECT_EQ(answer.body.find("Proxy-Authorization"), std::string::npos);
  }
  EXPECT_EQ(proxy.connections(), 1);
  EXPECT_EQ(asked,
            "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n"
            "Proxy-Authorization: Basic eDp5\r\n\r\n");
}

}  // namespace
}  // namespace causeway::http::testing
