#include "platform/crypto/jwt.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <utility>

#include "platform/crypto/text.h"
#include "platform/text/json_writer.h"

namespace causeway::crypto {
namespace {

constexpr int kLeastBits = 2048;  // RFC 7518, section 3.3

// OpenSSL would ask for a password on the terminal.
int no_password(char*, int, int, void*) { return -1; }

std::unexpected<Error> not_usable(const char* message) {
  ERR_clear_error();
  return fail(ErrorKind::InvalidRequest, Origin::Us, message);
}

}  // namespace

Result<RsaKey> RsaKey::from_pem(const Secret& pem) {
  const std::string_view text = pem.reveal();
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  if (!bio) return not_usable("cannot be read");
  EVP_PKEY* read = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr);
  if (!read) return not_usable("is no private key in PEM, or one with a password");
  std::shared_ptr<void> key(read, [](void* one) { EVP_PKEY_free(static_cast<EVP_PKEY*>(one)); });
  if (EVP_PKEY_get_base_id(read) != EVP_PKEY_RSA) return not_usable("is no RSA key");
  if (EVP_PKEY_get_bits(read) < kLeastBits) return not_usable("has fewer than 2048 bits");
  return RsaKey(std::move(key));
}

Result<std::string> RsaKey::sign(std::string_view bytes) const {
  auto* key = static_cast<EVP_PKEY*>(key_.get());
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
  std::size_t size = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data,
                     bytes.size()) != 1) {
    ERR_clear_error();
    return fail(ErrorKind::Internal, Origin::Us, "A token could not be signed.", "signing_failed");
  }
  signature.resize(size);
  return signature;
}

Result<std::string> sign_jwt(const RsaKey& key, std::string_view key_id, std::string_view claims) {
  std::string header = R"({"alg":"RS256","typ":"JWT")";
  if (!key_id.empty()) {
    header += R"(,"kid":)";
    text::append_json_string(header, key_id);
  }
  header += '}';
  std::string token = to_base64url(header) + "." + to_base64url(claims);
  auto signature = key.sign(token);
  if (!signature) return signature;
  return token + "." + to_base64url(*signature);
}

}  // namespace causeway::crypto
