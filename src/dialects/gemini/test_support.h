// What the tests of this dialect share: bodies with readable bytes behind them.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/testing/random_chat.h"
#include "dialects/gemini/dialect.h"

namespace causeway::gemini::testing {

class DialectTest : public ::testing::Test {
 protected:
  static Operation operation(OperationKind kind, std::string_view method) {
    Operation made;
    made.kind = kind;
    made.path = "/v1beta/models/*" + std::string(method);
    made.dialect = &kDialect;
    return made;
  }

  std::string_view padded(const std::string& body) {
    padded_ = body + std::string(64, '\0');
    return std::string_view(padded_).substr(0, body.size());
  }

  Result<void> read(const std::string& body) {
    index_.clear();
    return kDialect.read(operation_, "m", padded(body), index_);
  }

  Result<Chat> decode(const std::string& body) {
    if (auto done = read(body); !done) return std::unexpected(done.error());
    return kDialect.decode(operation_, Request(index_));
  }

  std::string encode(const Chat& chat, std::string_view model = "gemini-2.5-flash") {
    left_out_ = {};
    auto body = kDialect.encode(chat, model, left_out_);
    EXPECT_TRUE(body) << body.error().message;
    return body ? *body : "";
  }

  Result<causeway::testing::ReadAnswer> whole(const std::string& body) {
    causeway::testing::ReadingSink sink;
    const auto done = kDialect.decoder(false)->whole(padded(body), sink);
    if (!done) return std::unexpected(done.error());
    return sink.answer;
  }

  static inline const GeminiDialect kDialect;
  Operation operation_ = operation(OperationKind::Chat, kGenerate);
  RequestIndex index_;
  std::string padded_;
  LeftOut left_out_;
};

}  // namespace causeway::gemini::testing
