// A switch that is off where nothing is said, and on in a section that says anything; a list with a
// word for none.
#include <gtest/gtest.h>

#include "platform/config/config.h"

namespace causeway::config::test {
namespace {

struct Part {
  bool on = false;
  int size = 1;
};
void describe(Fields& f, Part& c) {
  f.word("off", c.on, false, "Nothing.");
  f.word("on", c.on, true, "As it is.");
  f.field("on", c.on, "Whether.").in_mapping(true);
  f.field("size", c.size, "How large.");
}

constexpr Section<std::vector<Part>> kList{"list", "off"};

struct Top {
  Part part;
  Sections sections;
};
void describe(Fields& f, Top& c) {
  f.field("part", c.part, "A part.");
  f.sections(c.sections, "top");
}

Registry registry() {
  Registry made;
  made.section("top", kList, "Parts.");
  return made;
}

Top read(const std::string& text, std::string* told = nullptr) {
  Problems problems("f");
  Top top = Schema<Top>(registry()).read(text, problems);
  if (told) {
    *told = problems.text();
  } else {
    EXPECT_EQ(problems.text(), "") << text;
  }
  return top;
}

TEST(ConfigOn, IsOnInAMappingThatDoesNotNameIt) {
  EXPECT_TRUE(read("part: { size: 2 }\n").part.on);
  EXPECT_TRUE(read("part: {}\n").part.on);
  EXPECT_TRUE(read("part: on\n").part.on);
  EXPECT_TRUE(read("part: { on: true }\n").part.on);
}

TEST(ConfigOn, IsOffWhereNothingOrOffIsSaid) {
  EXPECT_FALSE(read("").part.on);
  EXPECT_FALSE(read("part:\n").part.on) << "all that stood there is commented out";
  EXPECT_FALSE(read("part: off\n").part.on);
  EXPECT_FALSE(read("part: { on: false, size: 2 }\n").part.on);
}

TEST(ConfigOn, IsInSchemaAndReference) {
  const Schema<Top> schema{registry()};
  EXPECT_NE(schema.reference("T").find("| `on` | true or false | `true` | Whether. |"),
            std::string::npos)
      << schema.reference("T");
  EXPECT_NE(schema.json_schema("T").find("\"default\": true"), std::string::npos);
}

TEST(ConfigNone, WordStandsForAnEmptyList) {
  const auto size = [](const Top& top) {
    const auto* list = top.sections.get(kList);
    return list ? static_cast<int>(list->size()) : -1;
  };
  EXPECT_EQ(size(read("part: on\n")), -1);
  EXPECT_EQ(size(read("list: off\n")), 0);
  EXPECT_EQ(size(read("list: []\n")), 0);
  const Top two = read("list: [ { size: 2 }, off ]\n");
  ASSERT_EQ(size(two), 2);
  EXPECT_TRUE(two.sections.get(kList)->front().on);
  EXPECT_FALSE(two.sections.get(kList)->back().on);
}

TEST(ConfigNone, OtherWordsAreWrong) {
  std::string told;
  read("list: false\n", &told);
  EXPECT_EQ(told, "f:1:7: list: expected off or a list, found false; did you mean \"off\"?\n");
}

TEST(ConfigNone, IsInSchemaAndReference) {
  const Schema<Top> schema{registry()};
  EXPECT_NE(schema.reference("T").find("| `list` | `off` or list of"), std::string::npos)
      << schema.reference("T");
  EXPECT_NE(schema.json_schema("T").find("\"const\": \"off\""), std::string::npos);
}

}  // namespace
}  // namespace causeway::config::test
