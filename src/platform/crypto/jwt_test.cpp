#include "platform/crypto/jwt.h"

#include <gtest/gtest.h>

#include "platform/crypto/testing/key.h"
#include "platform/crypto/text.h"

namespace causeway::crypto {
namespace {

std::string why_not(std::string pem) {
  const auto key = RsaKey::from_pem(Secret(std::move(pem)));
  return key ? "it is one" : key.error().message;
}

TEST(Jwt, IsSignedInTheCompactForm) {
  const auto key = RsaKey::from_pem(Secret(testing::rsa_pem()));
  ASSERT_TRUE(key) << key.error().message;
  const auto token = sign_jwt(*key, "id\"1", R"({"iss":"me"})");
  ASSERT_TRUE(token);
  const auto first = token->find('.'), last = token->rfind('.');
  EXPECT_EQ(from_base64url(token->substr(0, first)),
            R"({"alg":"RS256","typ":"JWT","kid":"id\"1"})");
  EXPECT_EQ(from_base64url(token->substr(first + 1, last - first - 1)), R"({"iss":"me"})");
  const std::string signature = from_base64url(token->substr(last + 1)).value();
  EXPECT_EQ(signature.size(), 256u);
  EXPECT_TRUE(testing::verifies(token->substr(0, last), signature));
  EXPECT_FALSE(testing::verifies(token->substr(1, last - 1), signature));
}

TEST(Jwt, AKeyWithoutAnIdHasNone) {
  const auto key = RsaKey::from_pem(Secret(testing::rsa_pem()));
  ASSERT_TRUE(key);
  const auto token = sign_jwt(*key, "", "{}");
  ASSERT_TRUE(token);
  EXPECT_EQ(from_base64url(token->substr(0, token->find('.'))), R"({"alg":"RS256","typ":"JWT"})");
}

TEST(RsaKey, SaysWhatIsWrong) {
  const std::string& pem = testing::rsa_pem();
  EXPECT_EQ(why_not(pem), "it is one");
  for (const auto& broken : {std::string(), std::string("nothing"), pem.substr(0, 300)}) {
    EXPECT_EQ(why_not(broken), "is no private key in PEM, or one with a password");
  }
  EXPECT_EQ(why_not(testing::other_rsa_pem(1024)), "has fewer than 2048 bits");
  EXPECT_EQ(why_not(testing::ec_pem()), "is no RSA key");
}

}  // namespace
}  // namespace causeway::crypto
