// What error answers of providers mean, in the forms that OpenAI, vLLM and llama-server write.
#include <gtest/gtest.h>

#include "core/error.h"
#include "dialects/openai/dialect.h"

namespace causeway::openai {
namespace {

Error classify(int status, std::string_view body, std::vector<http::Field> fields = {}) {
  return OpenAiDialect().classify(status, fields, body);
}

TEST(Classify, ALongPromptIsTheSameWhoeverSaysIt) {
  const auto openai = classify(
      400, R"({"error":{"message":"too long","type":"invalid_request_error","param":"messages",
               "code":"context_length_exceeded"}})");
  EXPECT_EQ(openai.kind, ErrorKind::ContextTooLong);
  EXPECT_EQ(openai.param, "messages");
  const auto llama = classify(
      400, R"({"error":{"code":400,"message":"request (6021 tokens) exceeds the context size",
               "type":"exceed_context_size_error","n_prompt_tokens":6021,"n_ctx":4096}})");
  EXPECT_EQ(llama.kind, ErrorKind::ContextTooLong);
  EXPECT_EQ(error_code(llama), error_code(openai)) << "a status in place of a code says nothing";
  EXPECT_EQ(llama.message, "request (6021 tokens) exceeds the context size");
  EXPECT_FALSE(llama.retryable);
}

TEST(ErrorBody, ATimeoutIsOfWhoMadeUsWait) {
  const auto body = [](Origin origin) {
    Error error = std::move(fail(ErrorKind::Timeout, origin, "m").error());
    return std::to_string(http_status(error)) + OpenAiDialect().error_body(error, "r");
  };
  EXPECT_TRUE(body(Origin::Client).starts_with("408")) << body(Origin::Client);
  EXPECT_NE(body(Origin::Client).find("invalid_request_error"), std::string::npos);
  EXPECT_TRUE(body(Origin::Us).starts_with("504")) << body(Origin::Us);
  EXPECT_NE(body(Origin::Us).find("upstream_error"), std::string::npos);
}

TEST(Classify, MoneyIsNotHaste) {
  EXPECT_EQ(classify(429, R"({"error":{"message":"m","code":"insufficient_quota"}})").kind,
            ErrorKind::QuotaExhausted);
  const auto haste = classify(429, R"({"error":{"message":"m","code":"rate_limit_exceeded"}})",
                              {{"Retry-After", "7"}});
  EXPECT_EQ(haste.kind, ErrorKind::RateLimited);
  EXPECT_EQ(haste.retry_after, std::chrono::seconds(7));
  EXPECT_TRUE(haste.retryable);
}

TEST(Classify, OurCredentialsAreNotTheCallersBusiness) {
  const auto error =
      classify(401, R"({"error":{"message":"Incorrect API key provided: sk-abc","code":"x"}})");
  EXPECT_TRUE(error.retryable) << "another target may have better ones";
  EXPECT_EQ(error.message.find("sk-abc"), std::string::npos);
}

TEST(Classify, WhatIsNoJsonIsKeptForTheLogOnly) {
  const auto error = classify(502, "<html>Bad gateway</html>");
  EXPECT_TRUE(error.retryable);
  EXPECT_EQ(error.message.find("html"), std::string::npos);
  EXPECT_NE(error.detail.find("Bad gateway"), std::string::npos);
}

}  // namespace
}  // namespace causeway::openai
