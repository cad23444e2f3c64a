#include "platform/crypto/aead.h"

#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

#include "platform/crypto/hash.h"

namespace causeway::crypto {
namespace {

void require(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "causeway: AES-256-GCM: %s\n", what);
  std::abort();
}

// Fetching the cipher and making a context cost more than sealing a short record.
struct Held {
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  Held() { require(cipher && context, "not available"); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
  }
};

const Held& held() {
  thread_local const Held objects;
  return objects;
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(char* text) { return reinterpret_cast<unsigned char*>(text); }

std::unexpected<Error> unreadable() {
  return fail(ErrorKind::Internal, Origin::Us,
              "a sealed record cannot be read: it was changed, moved or sealed with another key",
              "unreadable");
}

}  // namespace

std::string aead_seal(const Secret& key, std::string_view additional, std::string_view plain) {
  require(key.reveal().size() == kAeadKeyBytes, "a key has 32 bytes");
  require(plain.size() < std::size_t{std::numeric_limits<int>::max()} - kAeadOverhead, "too long");
  std::string out = random_bytes(kAeadNonceBytes);
  out.resize(plain.size() + kAeadOverhead);
  char* cipher_text = out.data() + kAeadNonceBytes;
  EVP_CIPHER_CTX* context = held().context;
  int size = 0;
  require(EVP_EncryptInit_ex2(context, held().cipher, bytes(key.reveal()), bytes(out.data()),
                              nullptr) == 1 &&
              EVP_EncryptUpdate(context, nullptr, &size, bytes(additional),
                                static_cast<int>(additional.size())) == 1 &&
              EVP_EncryptUpdate(context, bytes(cipher_text), &size, bytes(plain),
                                static_cast<int>(plain.size())) == 1,
          "sealing failed");
  int rest = 0;
  require(EVP_EncryptFinal_ex(context, bytes(cipher_text + size), &rest) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes,
                                  cipher_text + plain.size()) == 1,
          "sealing failed");
  return out;
}

Result<std::string> aead_open(const Secret& key, std::string_view additional,
                              std::string_view sealed) {
  require(key.reveal().size() == kAeadKeyBytes, "a key has 32 bytes");
  if (sealed.size() < kAeadOverhead || sealed.size() > std::numeric_limits<int>::max()) {
    return unreadable();
  }
  const std::string_view text = sealed.substr(kAeadNonceBytes, sealed.size() - kAeadOverhead);
  const std::string_view tag = sealed.substr(sealed.size() - kAeadTagBytes);
  std::string out(text.size(), '\0');
  EVP_CIPHER_CTX* context = held().context;
  int size = 0;
  int rest = 0;
  const bool fine = EVP_DecryptInit_ex2(context, held().cipher, bytes(key.reveal()), bytes(sealed),
                                        nullptr) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes,
                                        const_cast<char*>(tag.data())) == 1 &&
                    EVP_DecryptUpdate(context, nullptr, &size, bytes(additional),
                                      static_cast<int>(additional.size())) == 1 &&
                    EVP_DecryptUpdate(context, bytes(out.data()), &size, bytes(text),
                                      static_cast<int>(text.size())) == 1 &&
                    EVP_DecryptFinal_ex(context, bytes(out.data() + size), &rest) == 1;
  if (!fine) {
    explicit_bzero(out.data(), out.size());
    return unreadable();
  }
  return out;
}

}  // namespace causeway::crypto
