#include <gtest/gtest.h>

#include <optional>

#include "dialects/converse/dialect.h"

namespace causeway::converse {
namespace {

Error classify(int status, std::string_view type, std::string_view message) {
  std::vector<http::Field> fields;
  if (!type.empty()) fields.push_back({"x-amzn-ErrorType", type});
  const std::string body = R"({"message":")" + std::string(message) + "\"}";
  return ConverseDialect().classify(status, fields, body);
}

TEST(ConverseErrors, TheNameDecidesNotTheStatus) {
  struct Row {
    int status;
    const char* type;
    ErrorKind kind;
    bool retryable;
    const char* code;
  };
  for (const Row& row : {
           Row{429, "ThrottlingException", ErrorKind::RateLimited, true, ""},
           Row{400, "ThrottlingException", ErrorKind::RateLimited, true, ""},
           Row{400, "ServiceQuotaExceededException", ErrorKind::QuotaExhausted, true, ""},
           Row{429, "ModelNotReadyException", ErrorKind::Overloaded, true, ""},
           Row{408, "ModelTimeoutException", ErrorKind::Timeout, true, ""},
           Row{424, "ModelErrorException", ErrorKind::UpstreamFailed, true, ""},
           Row{500, "InternalServerException", ErrorKind::UpstreamFailed, true, ""},
           Row{503, "ServiceUnavailableException", ErrorKind::Overloaded, true, ""},
           Row{400, "ValidationException", ErrorKind::InvalidRequest, false, ""},
           Row{404, "ResourceNotFoundException", ErrorKind::NotFound, false, ""},
           Row{403, "AccessDeniedException", ErrorKind::UpstreamFailed, true, "upstream_auth"},
           Row{403, "UnrecognizedClientException", ErrorKind::UpstreamFailed, true,
               "upstream_auth"},
           Row{403, "ExpiredTokenException", ErrorKind::UpstreamFailed, true, "upstream_auth"},
           Row{403, "InvalidSignatureException:http://internal.amazon.com/x/",
               ErrorKind::UpstreamFailed, true, "upstream_auth"},
           Row{400, "com.amazonaws.x#ThrottlingException", ErrorKind::RateLimited, true, ""},
           Row{418, "", ErrorKind::UpstreamFailed, false, ""},
           Row{502, "", ErrorKind::UpstreamFailed, true, ""},
       }) {
    const Error error = classify(row.status, row.type, "Some words.");
    EXPECT_EQ(error.kind, row.kind) << row.type;
    EXPECT_EQ(error.retryable, row.retryable) << row.type;
    EXPECT_EQ(error.code, row.code) << row.type;
    EXPECT_EQ(error.upstream_status, row.status);
  }
}

TEST(ConverseErrors, OnlyWhatIsTheCallersIsTold) {
  EXPECT_EQ(classify(400, "ValidationException", "temperature is wrong").message,
            "temperature is wrong");
  const Error denied = classify(403, "AccessDeniedException", "User arn:aws:iam::1:user/x may not");
  EXPECT_EQ(denied.message.find("arn:"), std::string::npos);
  EXPECT_NE(denied.detail.find("arn:"), std::string::npos);
}

TEST(ConverseErrors, WordsThatTellMore) {
  EXPECT_EQ(classify(400, "ValidationException", "Input is too long for requested model.").kind,
            ErrorKind::ContextTooLong);
  EXPECT_EQ(classify(429, "ThrottlingException", "Too many tokens per day, please wait.").kind,
            ErrorKind::QuotaExhausted);
}

TEST(ConverseErrors, TheBodyNamesTheTypeWhereNoFieldDoes) {
  const Error error = ConverseDialect().classify(
      400, {}, R"({"__type":"com.amazon.coral#ThrottlingException","Message":"slow"})");
  EXPECT_EQ(error.kind, ErrorKind::RateLimited);
}

}  // namespace
}  // namespace causeway::converse
