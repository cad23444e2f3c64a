#include "platform/http/message.h"

#include <gtest/gtest.h>

namespace causeway::http {
namespace {

TEST(Message, NamesAreComparedWithoutCase) {
  EXPECT_TRUE(same_name("Content-Type", "content-TYPE"));
  EXPECT_FALSE(same_name("Content-Type", "content_type"));
  EXPECT_FALSE(same_name("a", "ab"));
  EXPECT_FALSE(same_name("[", "{"));  // differ by the bit that tells the cases apart
}

TEST(Message, FindGivesTheFirst) {
  const Field fields[] = {{"a", "1"}, {"B", "2"}, {"b", "3"}};
  EXPECT_EQ(find(fields, "b"), "2");
  EXPECT_EQ(find(fields, "c"), std::nullopt);
}

TEST(Message, MethodsAreCaseSensitive) {
  EXPECT_EQ(method_of("GET"), Method::Get);
  EXPECT_EQ(method_of("get"), Method::Other);
  EXPECT_EQ(to_string(Method::Delete), "DELETE");
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(299), "Unknown");
}

}  // namespace
}  // namespace causeway::http
