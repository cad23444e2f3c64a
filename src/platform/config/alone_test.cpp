// A list that stands instead of the mapping around it.
#include <gtest/gtest.h>

#include "platform/config/config.h"

namespace causeway::config::test {
namespace {

struct Where {
  std::vector<std::string> urls;
  std::string file;
};
void describe(Fields& f, Where& c) {
  f.field("urls", c.urls, "Listed.")
      .check([](const std::string& text) { return text.empty() ? "is empty" : ""; })
      .alone();
  f.field("file", c.file, "In a file.");
  f.check<Where>(c, [](const Where& where, Position at, Problems& problems) {
    if (where.urls.empty() == where.file.empty()) problems.add(at, "one of urls and file");
  });
}

struct Top {
  std::optional<Where> where;
};
void describe(Fields& f, Top& c) { f.field("where", c.where, "Places."); }

Top read(const std::string& text, std::string& told) {
  const Registry registry;
  Problems problems("f");
  Top top = Schema<Top>(registry).read(text, problems);
  told = problems.text();
  return top;
}

std::string told(const std::string& text) {
  std::string told;
  read(text, told);
  return told;
}

TEST(ConfigAlone, ListOrMapping) {
  std::string told;
  const std::vector<std::string> both{"a", "b"};
  EXPECT_EQ(read("where: [a, b]\n", told).where->urls, both);
  EXPECT_EQ(told, "");
  EXPECT_EQ(read("where: { urls: [a, b] }\n", told).where->urls, both);
  EXPECT_EQ(read("where: { file: f }\n", told).where->file, "f");
  EXPECT_EQ(told, "");
}

TEST(ConfigAlone, ErrorsHaveTheirPlace) {
  EXPECT_EQ(told("where: [a, '']\n"), "f:1:12: where[1]: is empty\n");
  EXPECT_EQ(told("where: []\n"), "f:1:8: one of urls and file\n");
  EXPECT_EQ(told("where: a\n"), "f:1:8: where: expected a list or a mapping, found a text\n");
}

TEST(ConfigAlone, IsInSchemaAndReference) {
  const Schema<Top> schema{Registry()};
  const std::string json = schema.json_schema("T");
  EXPECT_NE(json.find(R"("anyOf": [
        {
          "type": ["array", "null"])"),
            std::string::npos)
      << json;
  EXPECT_NE(schema.reference("T").find("| `where` | list of texts or mapping |  | Places. |"),
            std::string::npos)
      << schema.reference("T");
}

}  // namespace
}  // namespace causeway::config::test
