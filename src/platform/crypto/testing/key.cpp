#include "platform/crypto/testing/key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>

namespace causeway::crypto::testing {
namespace {

EVP_PKEY* rsa_key() {
  static const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_RSA_gen(2048),
                                                                       EVP_PKEY_free);
  return key.get();
}

std::string pem_of(EVP_PKEY* key) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string pem_of_new(EVP_PKEY* key) {
  std::string pem = pem_of(key);
  EVP_PKEY_free(key);
  return pem;
}

}  // namespace

const std::string& rsa_pem() {
  static const std::string pem = pem_of(rsa_key());
  return pem;
}

bool verifies(std::string_view bytes, std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* sign = reinterpret_cast<const unsigned char*>(signature.data());
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, rsa_key()) == 1 &&
         EVP_DigestVerify(context.get(), sign, signature.size(), data, bytes.size()) == 1;
}

std::string other_rsa_pem(unsigned bits) { return pem_of_new(EVP_RSA_gen(bits)); }
std::string ec_pem() { return pem_of_new(EVP_EC_gen("P-256")); }

}  // namespace causeway::crypto::testing
