#include "platform/schema/json_schema.h"

#include <gtest/gtest.h>

namespace causeway::schema {
namespace {

std::string wrong(std::string_view schema, std::string_view value) {
  const auto rules = parse_json(schema), what = parse_json(value);
  EXPECT_TRUE(rules && what);
  return mismatch(*rules, *rules, *what);
}

TEST(JsonSchema, KeywordByKeyword) {
  struct Case {
    std::string_view schema, good, bad;
  };
  constexpr Case kCases[] = {
      {R"({"type":"object"})", "{}", "[]"},
      {R"({"type":"integer"})", "3.0", "3.5"},
      {R"({"type":["string","null"]})", "null", "1"},
      {R"({"enum":["a",1]})", "1", R"("b")"},
      {R"({"const":{"a":[1]}})", R"({"a":[1]})", R"({"a":[2]})"},
      {R"({"required":["a"]})", R"({"a":1})", "{}"},
      {R"({"properties":{"a":{"type":"string"}}})", R"({"b":1})", R"({"a":1})"},
      {R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1})", R"({"b":1})"},
      {R"({"additionalProperties":{"type":"number"}})", R"({"b":1})", R"({"b":"1"})"},
      {R"({"items":{"type":"boolean"}})", "[true]", "[true,0]"},
      {R"({"minItems":1,"maxItems":2})", "[1,2]", "[]"},
      {R"({"minLength":2,"maxLength":2})", "\"\xC3\xA4\xC3\xB6\"", R"("abc")"},
      {R"({"minimum":1,"maximum":2})", "2", "2.1"},
      {R"({"exclusiveMinimum":1})", "1.5", "1"},
      {R"({"exclusiveMaximum":2})", "1", "2"},
      {R"({"anyOf":[{"type":"string"},{"minimum":3,"type":"number"}]})", "3", "2"},
      {R"({"oneOf":[{"type":"string"},{"type":"number"}]})", "3", "null"},
      {R"({"allOf":[{"minimum":1},{"maximum":2}]})", "2", "3"},
      {R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"number"}}})", "2", "\"2\""},
      {R"({"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false})",
       R"({"next":{"next":{}}})", R"({"next":{"next":{"x":1}}})"},
      {"true", "1", ""},
      {"false", "", "1"},
      {R"({"format":"date","pattern":"^x$","not":{}})", "\"y\"", ""},
  };
  for (const auto& [schema, good, bad] : kCases) {
    if (!good.empty()) {
      EXPECT_EQ(wrong(schema, good), "") << schema;
    }
    if (!bad.empty()) {
      EXPECT_NE(wrong(schema, bad), "") << schema;
    }
  }
}

TEST(JsonSchema, SaysWhereAndNothingOfTheValue) {
  constexpr auto kSchema =
      R"({"type":"object","properties":{"days":{"items":{"type":"integer"}}},"additionalProperties":false})";
  EXPECT_EQ(wrong(kSchema, R"({"days":[1,"secret"]})"),
            "days: an item: of another type than \"integer\"");
  EXPECT_EQ(wrong(kSchema, R"({"secret":1})"), "an unknown member: not allowed");
}

TEST(JsonSchema, ASchemaThatNeverEndsIsWrongForAll) {
  EXPECT_NE(wrong(R"({"$ref":"#"})", "1"), "");
  EXPECT_NE(wrong(R"({"anyOf":[{"$ref":"#"},{"$ref":"#"}]})", "1"), "");
  EXPECT_NE(wrong(R"({"$ref":"#/nowhere"})", "1"), "");
  EXPECT_FALSE(parse_json(std::string(200, '[')));
}

}  // namespace
}  // namespace causeway::schema
