// The table of operations: which one a request means.
#include <gtest/gtest.h>

#include "core/operation.h"

namespace causeway {
namespace {

const Dialect* dialect(int number) { return reinterpret_cast<const Dialect*>(number * 64); }

Operations table() {
  Operations operations;
  const auto add = [&](const char* path, int number, const char* only_with = "",
                       const char* or_with = "") {
    operations.add({http::Method::Get,
                    path,
                    OperationKind::ListModels,
                    BodyKind::None,
                    dialect(number),
                    {},
                    only_with,
                    or_with});
  };
  add("/v1/models", 1);
  add("/v1/models/*", 1);
  add("/v1/messages", 2);
  add("/v1/models", 2, "anthropic-version");
  add("/v1/models", 3, "x-goog-api-key", "key");
  return operations;
}

TEST(Operations, AFieldOfItsOwnTellsTwoDialectsApart) {
  const Operations operations = table();
  const http::Field field{"Anthropic-Version", "2023-06-01"};
  EXPECT_EQ(operations.find(http::Method::Get, "/v1/models").operation->dialect, dialect(1));
  EXPECT_EQ(operations.find(http::Method::Get, "/v1/models", {&field, 1}).operation->dialect,
            dialect(2));
  EXPECT_EQ(operations.find(http::Method::Get, "/v1/models/a", {&field, 1}).operation->dialect,
            dialect(1));
}

TEST(Operations, SoDoesAParameterOfItsOwn) {
  const Operations operations = table();
  const auto dialect_with = [&](std::string_view query) {
    return operations.find(http::Method::Get, "/v1/models", {}, query).operation->dialect;
  };
  EXPECT_EQ(dialect_with("pageSize=5&key=k"), dialect(3));
  EXPECT_EQ(dialect_with("key="), dialect(3));
  EXPECT_EQ(dialect_with("monkey=k&key"), dialect(1));
}

TEST(Operations, APathThatIsNotServedHasTheErrorsOfItsNeighbours) {
  const Operations operations = table();
  EXPECT_EQ(operations.dialect_of("/v1/"), dialect(1));
  EXPECT_EQ(operations.dialect_of("/odd"), dialect(1));
  EXPECT_EQ(operations.dialect_of("/v1/models"), dialect(1));
  EXPECT_EQ(operations.dialect_of("/v1/messages/odd"), dialect(2));
}

}  // namespace
}  // namespace causeway
