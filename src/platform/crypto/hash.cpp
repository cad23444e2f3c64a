#include "platform/crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>

namespace causeway::crypto {
namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Md = std::unique_ptr<EVP_MD, Freer<EVP_MD_free>>;
using MdContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using Mac = std::unique_ptr<EVP_MAC, Freer<EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Freer<EVP_MAC_CTX_free>>;
using Kdf = std::unique_ptr<EVP_KDF, Freer<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Freer<EVP_KDF_CTX_free>>;

// These calls fail only without memory or without OpenSSL's default provider.
void require(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "causeway: OpenSSL failed: %s\n", what);
  std::abort();
}

struct Sha256 {
  Md md{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  MdContext context{EVP_MD_CTX_new()};
  Sha256() { require(md && context, "SHA-256"); }
};

}  // namespace

Digest sha256(std::string_view bytes) {
  thread_local const Sha256 held;
  Digest out;
  unsigned size = 0;
  EVP_MD_CTX* context = held.context.get();
  require(EVP_DigestInit_ex(context, held.md.get(), nullptr) == 1 &&
              EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1 &&
              EVP_DigestFinal_ex(context, out.data(), &size) == 1 && size == out.size(),
          "SHA-256");
  return out;
}

struct Hmac::Impl {
  MacContext context;
};

Hmac::Hmac(std::string_view key) : impl_(std::make_unique<Impl>()) {
  const Mac mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  require(mac != nullptr, "HMAC");
  impl_->context.reset(EVP_MAC_CTX_new(mac.get()));
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  // An empty key would mean "keep the key" to OpenSSL: a block of zeros is the same HMAC key.
  const std::string zero(64, '\0');
  if (key.empty()) key = zero;
  require(EVP_MAC_init(impl_->context.get(), reinterpret_cast<const unsigned char*>(key.data()),
                       key.size(), params) == 1,
          "HMAC key");
}

Hmac::Hmac(const Hmac& other) : impl_(std::make_unique<Impl>()) {
  impl_->context.reset(EVP_MAC_CTX_dup(other.impl_->context.get()));
  require(impl_->context != nullptr, "HMAC copy");
}

Hmac::Hmac(Hmac&&) noexcept = default;
Hmac& Hmac::operator=(Hmac&&) noexcept = default;
Hmac::~Hmac() = default;

Digest Hmac::operator()(std::string_view bytes) const {
  Digest out;
  std::size_t size = 0;
  EVP_MAC_CTX* context = impl_->context.get();
  require(EVP_MAC_init(context, nullptr, 0, nullptr) == 1 &&
              EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(bytes.data()),
                             bytes.size()) == 1 &&
              EVP_MAC_final(context, out.data(), &size, out.size()) == 1 && size == out.size(),
          "HMAC");
  return out;
}

std::string hkdf(std::string_view secret, std::string_view salt, std::string_view info,
                 std::size_t bytes) {
  const Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const KdfContext context(EVP_KDF_CTX_new(kdf.get()));
  char digest[] = "SHA256";
  const auto octets = [](const char* name, std::string_view value) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(value.data()), value.size());
  };
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      octets(OSSL_KDF_PARAM_KEY, secret),
      octets(OSSL_KDF_PARAM_SALT, salt),
      octets(OSSL_KDF_PARAM_INFO, info),
      OSSL_PARAM_construct_end(),
  };
  std::string out(bytes, '\0');
  require(context && EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(out.data()),
                                    out.size(), params) == 1,
          "HKDF");
  return out;
}

std::string random_bytes(std::size_t bytes) {
  std::string out(bytes, '\0');
  require(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)) == 1,
          "random numbers");
  return out;
}

}  // namespace causeway::crypto
