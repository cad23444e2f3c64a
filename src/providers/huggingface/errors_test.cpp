#include "providers/huggingface/errors.h"

#include <gtest/gtest.h>

#include "dialects/openai/dialect.h"

namespace causeway::huggingface {
namespace {

using std::chrono::milliseconds;

Error read(int status, std::string_view body, std::span<const http::Field> fields = {}) {
  Error error = openai::OpenAiDialect().classify(status, fields, body);
  refine(status, body, error);
  return error;
}

TEST(HuggingFaceErrors, AnEndpointThatStartsIsWaitedFor) {
  const Error cold = read(503, R"({"error":"503 Service Unavailable"})");
  EXPECT_EQ(cold.kind, ErrorKind::Overloaded);
  EXPECT_TRUE(cold.retryable);
  EXPECT_EQ(cold.retry_after, milliseconds(30'000));
  EXPECT_EQ(read(503, R"({"error":"loading","estimated_time":12.5})").retry_after,
            milliseconds(12'500));
  EXPECT_EQ(read(503, R"({"error":"loading","estimated_time":1e300})").retry_after,
            milliseconds(3'600'000));
  EXPECT_EQ(read(503, R"({"error":"loading","estimated_time":-5})").retry_after,
            milliseconds(30'000));
  const http::Field told[] = {{"retry-after", "7"}};
  EXPECT_EQ(read(503, "", told).retry_after, milliseconds(7000));
}

TEST(HuggingFaceErrors, TypesOfTheTextGenerationServer) {
  EXPECT_EQ(read(429, R"({"error":"Model is overloaded","error_type":"overloaded"})").kind,
            ErrorKind::Overloaded);
  const Error failed = read(424, R"({"error":"CUDA","error_type":"generation"})");
  EXPECT_EQ(failed.kind, ErrorKind::UpstreamFailed);
  EXPECT_TRUE(failed.retryable);
  const Error wrong = read(422, R"({"error":"`top_p` must be < 1","error_type":"validation"})");
  EXPECT_EQ(wrong.kind, ErrorKind::InvalidRequest);
  EXPECT_EQ(wrong.message, "`top_p` must be < 1");
  EXPECT_EQ(read(422, R"({"error":"`inputs` must have less than 4095 tokens. Given: 9000",)"
                      R"("error_type":"validation"})")
                .kind,
            ErrorKind::ContextTooLong);
}

}  // namespace
}  // namespace causeway::huggingface
