#include "providers/bedrock/sigv4.h"

#include <gtest/gtest.h>

namespace causeway::bedrock {
namespace {

using namespace std::chrono;

class SigV4Test : public ::testing::Test {
 protected:
  /// The end of the Authorization field: the signature.
  std::string signature(std::string_view path, std::string_view body) {
    request_.path = path;
    request_.body = body;
    signed_ = sign(request_, credentials_);
    return signed_.authorization.substr(signed_.authorization.rfind('=') + 1);
  }

  // Who signs and when: AWS's own test suite for this algorithm.
  Credentials credentials_{"AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), {}};
  ToSign request_{.method = "POST",
                  .host = "example.amazonaws.com",
                  .path = "/",
                  .body = "",
                  .region = "us-east-1",
                  .service = "service",
                  .time = sys_days(year(2015) / 8 / 30) + 12h + 36min};
  Signed signed_;
};

TEST_F(SigV4Test, SignsAsTheVectorsOfItsAuthor) {
  EXPECT_EQ(signature("/", ""),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");  // post-vanilla
  request_.method = "GET";
  EXPECT_EQ(signature("/", ""),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");  // get-vanilla
  EXPECT_EQ(signed_.date, "20150830T123600Z");
  EXPECT_EQ(signed_.authorization.substr(0, signed_.authorization.rfind(',')),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date");
}

// The values were made by botocore 1.44.8's SigV4Auth.
TEST_F(SigV4Test, SignsPathsOfModelsAsTheOfficialClient) {
  request_.host = "bedrock-runtime.us-east-1.amazonaws.com";
  request_.service = "bedrock";
  EXPECT_EQ(signature("/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse",
                      R"({"messages":[]})"),
            "45ed9094cb7bbcb4417afabcd8b554f2bc1514d87c579c214ff36778c9bda300");
}

TEST_F(SigV4Test, SignsTemporaryCredentials) {
  request_.host = "bedrock-runtime.eu-central-1.amazonaws.com";
  request_.service = "bedrock";
  request_.region = "eu-central-1";
  credentials_.session_token = Secret("the/session+token==");
  EXPECT_EQ(signature("/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Ainference-"
                      "profile%2Feu.amazon.nova-lite-v1%3A0/converse-stream",
                      "{\"x\":\"\u00fc\"}"),
            "d7b141c24f34cfd0c89402d21c25c78311bdaca358cdea22980a43a72859cd3a");
  EXPECT_NE(signed_.authorization.find("SignedHeaders=host;x-amz-date;x-amz-security-token,"),
            std::string::npos);
}

TEST_F(SigV4Test, EveryPartOfTheRequestCounts) {
  const std::string first = signature("/a", "x");
  EXPECT_NE(signature("/b", "x"), first);
  EXPECT_NE(signature("/a", "y"), first);
  request_.time += seconds(1);
  EXPECT_NE(signature("/a", "x"), first);
}

}  // namespace
}  // namespace causeway::bedrock
