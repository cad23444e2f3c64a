#include "platform/net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <unordered_map>

#include "platform/net/detail/tls_stream.h"

namespace causeway::net {
namespace {

using detail::SessionPtr;
using detail::SessionStore;
using detail::SslPtr;
using detail::TlsStream;

constexpr std::size_t kMaxContexts = 64;

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, ContextFree>;

struct Context {
  ContextPtr ssl;
  timespec changed{};  // of the CA file, when it was read
};

std::unexpected<Error> tls_error(std::string message, std::string more) {
  auto failed = fail(ErrorKind::ConnectFailed, Origin::Upstream, std::move(message), "tls_failed");
  failed.error().retryable = true;
  failed.error().detail = std::move(more);
  return failed;
}

std::string openssl_text(unsigned long code) {
  char text[256] = {};
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

std::string certificate_problem(long verdict) {
  const std::string certificate = "the upstream's TLS certificate ";
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return certificate + "has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return certificate + "is not valid yet";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return certificate + "is for another host";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return certificate + "is signed by an authority that is not trusted here";
    case X509_V_ERR_CERT_REVOKED:
      return certificate + "was revoked";
    default:
      return certificate + "is not acceptable";
  }
}

std::string handshake_problem(unsigned long failure) {
  switch (ERR_GET_REASON(failure)) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION:
      return "the upstream speaks only TLS versions older than 1.2, which are refused";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_ENCRYPTED_LENGTH_TOO_LONG:
      return "the upstream does not speak TLS on this port";
    default:
      return "the TLS handshake with the upstream failed";
  }
}

std::unexpected<Error> explain(TlsStream& stream, const std::string& host, std::error_code error) {
  const long verdict = SSL_get_verify_result(stream.ssl());
  if (verdict != X509_V_OK) {
    return tls_error(certificate_problem(verdict),
                     host + ": " + X509_verify_cert_error_string(verdict));
  }
  if (stream.failure()) {
    return tls_error(handshake_problem(stream.failure()),
                     host + ": " + openssl_text(stream.failure()));
  }
  return tls_error("the upstream closed the connection during the TLS handshake",
                   host + ": " + error.message());
}

int new_session(SSL* ssl, SSL_SESSION* session) {
  auto* stream = static_cast<TlsStream*>(SSL_get_app_data(ssl));
  if (!stream) return 0;
  stream->remember(SessionPtr(session));
  return 1;  // the session is ours now
}

bool set_host(SSL* ssl, const std::string& host) {
  char address[sizeof(in6_addr)];
  const bool literal = inet_pton(AF_INET, host.c_str(), address) == 1 ||
                       inet_pton(AF_INET6, host.c_str(), address) == 1;
  if (literal) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  std::string name = host;
  if (name.ends_with('.')) name.pop_back();
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, name.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

}  // namespace

struct TlsClient::Impl {
  std::unordered_map<std::string, Context> contexts;  // by CA file
  std::shared_ptr<SessionStore> sessions = std::make_shared<SessionStore>();
  Stats stats;

  Result<SSL_CTX*> context(const std::string& ca_file);
};

/// Made at first use, and again when the file has changed.
Result<SSL_CTX*> TlsClient::Impl::context(const std::string& ca_file) {
  struct stat status{};
  if (!ca_file.empty() && ::stat(ca_file.c_str(), &status) != 0) {
    return tls_error("the file of trusted certificate authorities cannot be read", ca_file);
  }
  if (contexts.size() >= kMaxContexts && !contexts.contains(ca_file)) contexts.clear();
  Context& known = contexts[ca_file];
  const bool current = known.changed.tv_sec == status.st_mtim.tv_sec &&
                       known.changed.tv_nsec == status.st_mtim.tv_nsec;
  if (known.ssl && current) return known.ssl.get();
  ERR_clear_error();
  ContextPtr made(SSL_CTX_new(TLS_client_method()));
  if (!made) return tls_error("TLS could not be set up", openssl_text(ERR_peek_error()));
  SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(made.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(made.get(), 1);  // a record's head and rest in one step
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(made.get(),
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(made.get(), &new_session);
  const int loaded = ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(made.get())
                         : SSL_CTX_load_verify_locations(made.get(), ca_file.c_str(), nullptr);
  if (loaded != 1) {
    return tls_error("the file of trusted certificate authorities holds no usable certificate",
                     ca_file + ": " + openssl_text(ERR_peek_error()));
  }
  known = {std::move(made), status.st_mtim};
  return known.ssl.get();
}

TlsClient::TlsClient() : impl_(std::make_unique<Impl>()) {}
TlsClient::~TlsClient() = default;
TlsClient::Stats TlsClient::stats() const { return impl_->stats; }

Task<Result<std::unique_ptr<Stream>>> TlsClient::handshake(std::unique_ptr<Stream> below, Peer peer,
                                                           Cancel& stop) {
  if (stop.requested()) co_return fail(ErrorKind::Cancelled, Origin::Client, "cancelled");
  auto context = impl_->context(peer.ca_file);
  if (!context) co_return pass(std::move(context));
  SslPtr ssl(SSL_new(*context));
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  if (!ssl || !set_host(ssl.get(), peer.host) ||
      SSL_set_alpn_protos(ssl.get(), kHttp11, sizeof kHttp11 - 1) != 0) {
    co_return tls_error("TLS could not be set up", openssl_text(ERR_peek_error()));
  }
  if (SSL_SESSION* session = impl_->sessions->get(peer.session_key)) {
    SSL_set_session(ssl.get(), session);
  }
  SSL_set_connect_state(ssl.get());
  auto stream = std::make_unique<TlsStream>(std::move(below), std::move(ssl), impl_->sessions,
                                            std::move(peer.session_key));
  stop.on_request([&stream] { stream->cancel(); });
  const std::error_code error =
      (co_await detail::IoAwaiter{[&stream](Op& op) { return stream->start_handshake(op); }}).error;
  stop.on_request(nullptr);
  if (stop.requested()) co_return fail(ErrorKind::Cancelled, Origin::Client, "cancelled");
  if (error) co_return explain(*stream, peer.host, error);
  ++impl_->stats.handshakes;
  if (SSL_session_reused(stream->ssl())) ++impl_->stats.resumed;
  co_return stream;
}

}  // namespace causeway::net
