#include "platform/redis/script.h"

#include <openssl/evp.h>

#include <array>
#include <vector>

namespace causeway::redis {
namespace {

// Redis names scripts by SHA-1; nothing's safety hangs on it.
std::string sha1(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out += kDigits[digest[i] >> 4];
    out += kDigits[digest[i] & 15];
  }
  return out;
}

}  // namespace

Script::Script(std::string source) : source_(std::move(source)), sha_(sha1(source_)) {}

Task<Result<Reply>> Script::run(Client& client, std::span<const std::string_view> keys,
                                std::span<const std::string_view> args) {
  const std::string count = std::to_string(keys.size());
  std::vector<std::string_view> words{"EVALSHA", sha_, count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), args.begin(), args.end());
  auto reply = co_await client.command(words);
  if (!reply || reply->error_code() != "NOSCRIPT") co_return std::move(reply);
  if (loading_ > 0) {
    reply = co_await client.command(words);
    if (!reply || reply->error_code() != "NOSCRIPT") co_return std::move(reply);
  }
  words[0] = "EVAL";
  words[1] = source_;
  ++loading_;
  reply = co_await client.command(words);
  --loading_;
  co_return std::move(reply);
}

}  // namespace causeway::redis
