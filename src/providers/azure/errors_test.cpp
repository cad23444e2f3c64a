#include "providers/azure/errors.h"

#include <gtest/gtest.h>

#include "dialects/openai/dialect.h"

namespace causeway::azure {
namespace {

Error read(std::string_view body) {
  Error error = openai::OpenAiDialect().classify(400, {}, body);
  refine(body, error);
  return error;
}

TEST(AzureErrors, NamesTheFiltersThatStruck) {
  const Error error = read(R"({"error":{"message":"Filtered.","code":"content_filter",
    "innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{
      "hate":{"filtered":true,"severity":"high"},"jailbreak":{"detected":true,"filtered":true},
      "violence":{"filtered":false,"severity":"safe"}}}}})");
  EXPECT_EQ(error.kind, ErrorKind::ContentFiltered);
  EXPECT_EQ(error.code, "content_filter");
  EXPECT_FALSE(error.retryable);
  EXPECT_EQ(error.message, "Filtered. Filters: hate (high), jailbreak.");
}

TEST(AzureErrors, KnowsAFilterByItsInnerErrorAlone) {
  const Error error = read(R"({"error":{"message":"No.","code":"400",
    "inner_error":{"code":"ResponsibleAIPolicyViolation"}}})");
  EXPECT_EQ(error.kind, ErrorKind::ContentFiltered);
  EXPECT_EQ(error.message, "No.");
}

TEST(AzureErrors, LeavesOtherErrorsAsTheyAre) {
  for (const std::string_view body :
       {R"({"error":{"message":"Bad.","code":"invalid","innererror":{"code":"other"}}})",
        R"({"error":{"message":"Bad."}})", R"({"error":"Bad."})", "[]", ""}) {
    const Error error = read(body);
    EXPECT_EQ(error.kind, ErrorKind::InvalidRequest) << body;
  }
}

}  // namespace
}  // namespace causeway::azure
