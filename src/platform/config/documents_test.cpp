// The JSON Schema and the reference page.
#include <gtest/gtest.h>

#include "platform/config/config.h"
#include "platform/config/detail/test_config.h"

namespace causeway::config::test {
namespace {

enum class Mode : std::int8_t { Fast = -1, Slow = 1 };
Names<Mode> names_of(Mode) { return {{"fast", Mode::Fast}, {"slow", Mode::Slow}}; }

struct Thing {
  bool on = true;
  std::int32_t count = -5;
  std::uint64_t total = 5;
  double part = 0.25;
  std::string text = "a \"b\"|c";
  std::chrono::minutes wait{90};
  Bytes size{64'000};
  Money price{150'000};
  Secret key;
  Mode mode = Mode::Fast;
  std::optional<int> maybe;
  std::vector<std::string> list{"a", "b"};
  Located<Mode> placed{Mode::Slow};
  Map<Secret> secrets;
  Sections parts;
};
void describe(Fields& f, Thing& c) {
  f.word("off", c.on, false, "Nothing.");
  f.field("on", c.on, "A switch.");
  f.field("count", c.count, "A number.");
  f.field("total", c.total, "Another.").at_least(1);
  f.field("part", c.part, "A part.").at_most(1.0);
  f.field("text", c.text, "A text\nof two lines.");
  f.field("wait", c.wait, "A time.").at_least(std::chrono::minutes(1));
  f.field("size", c.size, "A size.");
  f.field("price", c.price, "A price.");
  f.field("key", c.key, "A secret.").required();
  f.field("mode", c.mode, "A mode.");
  f.field("maybe", c.maybe, "Or nothing.").range(1, 3);
  f.field("list", c.list, "Texts.").or_single();
  f.field("placed", c.placed, "With its place.");
  f.field("secrets", c.secrets, "Secrets by name.");
  f.sections(c.parts, "thing");
}

Schema<Thing> thing() {
  Registry registry;
  registry.section("thing", Section<int>{"level"}, "A section may be a plain value.");
  registry.section("thing", kPii, "What is done about personal data.");
  return Schema<Thing>(registry);
}

TEST(ConfigReference, IsATablePerSection) {
  EXPECT_EQ(thing().reference("Thing"), R"(# Thing

## Top level

One word may stand instead of the mapping:

- `off`: Nothing.

| key | type | default | meaning |
|---|---|---|---|
| `on` | true or false | `true` | A switch. |
| `count` | whole number | `-5` | A number. |
| `total` | whole number, at least 1 | `5` | Another. |
| `part` | number, at most 1 | `0.25` | A part. |
| `text` | text | `a "b"\|c` | A text of two lines. |
| `wait` | duration, at least 1m | `1h30m` | A time. |
| `size` | size | `64KB` | A size. |
| `price` | amount | `0.15` | A price. |
| `key` | secret | required | A secret. |
| `mode` | `fast`, `slow` | `fast` | A mode. |
| `maybe` | whole number, from 1 to 3 |  | Or nothing. |
| `list` | one or a list of texts | `[a, b]` | Texts. |
| `placed` | `fast`, `slow` | `slow` | With its place. |
| `secrets` | `<name>`: secret | `{}` | Secrets by name. |
| `level` | whole number |  | A section may be a plain value. |
| `pii` | `off` or `mask` or mapping |  | What is done about personal data. |

### `pii`

What is done about personal data.

One word may stand instead of the mapping:

- `off`: Nothing is looked for.
- `mask`: Replaced by a stand-in.

| key | type | default | meaning |
|---|---|---|---|
| `action` | `off`, `mask`, `block` | `mask` | What is done. |
| `kinds` | list of texts | `[email, phone]` | What is looked for. |
)");
}

TEST(ConfigReference, HasATablePerKind) {
  const std::string page = schema().reference("Configuration");
  EXPECT_NE(page.find("### `providers.<name>` with `kind: openai`\n\nAny server"),
            std::string::npos);
  EXPECT_NE(page.find("### `providers.<name>` with `kind: embedded`\n"), std::string::npos);
  EXPECT_NE(page.find("#### `models.<name>.price`\n"), std::string::npos);
  EXPECT_NE(page.find("#### `policies[].timeouts`\n"), std::string::npos);
  EXPECT_LT(page.find("### `server`"), page.find("### `providers"));
}

TEST(ConfigSchema, DescribesEveryKind) {
  const std::string json = thing().json_schema("Thing");
  const auto has = [&](const std::string& part) {
    EXPECT_NE(json.find(part), std::string::npos) << part << "\n" << json;
  };
  EXPECT_TRUE(json.starts_with(
      "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
      "  \"title\": \"Thing\",\n  \"anyOf\": [\n    {\n      \"const\": \"off\",\n"));
  EXPECT_TRUE(json.ends_with("}\n"));
  has("\"additionalProperties\": false");
  has("\"required\": [\"key\"]");
  has("\"description\": \"A text\\u000aof two lines.\"");
  has("\"default\": \"a \\\"b\\\"|c\"");
  has("\"default\": true");
  has("\"default\": 0.15");
  has("\"default\": [\"a\", \"b\"]");
  has("\"default\": \"1h30m\"");
  has("\"default\": \"slow\"");
  has("\"enum\": [\"fast\", \"slow\"]");
  has("\"minimum\": -2147483648");
  has("\"maximum\": 3");
  has("\"level\": {");
}

TEST(ConfigSchema, TellsKindsApart) {
  const std::string json = schema().json_schema("Causeway");
  EXPECT_NE(json.find("\"const\": \"openai\""), std::string::npos);
  EXPECT_NE(json.find("\"required\": [\"kind\", \"api_key\"]"), std::string::npos);
  EXPECT_NE(json.find("\"oneOf\": ["), std::string::npos);
}

TEST(ConfigSchema, EveryDefaultOfTheReferenceIsReadBack) {
  Problems problems("f");
  const Thing value = thing().read(
      "on: true\ncount: -5\ntotal: 5\npart: 0.25\ntext: 'a \"b\"|c'\nwait: 1h30m\nsize: 64KB\n"
      "price: 0.15\nkey: x\nmode: fast\nmaybe: 2\nlist: a\nplaced: slow\nsecrets: {a: b}\n"
      "level: 3\n",
      problems);
  EXPECT_TRUE(problems.ok()) << problems.text();
  EXPECT_EQ(value.count, -5);
  EXPECT_EQ(value.wait, std::chrono::minutes(90));
  EXPECT_EQ(value.size, 64'000u);
  EXPECT_EQ(value.mode, Mode::Fast);
  EXPECT_EQ(value.maybe, 2);
  EXPECT_EQ(*value.placed, Mode::Slow);
  EXPECT_EQ(value.placed.at, (Position{13, 9}));
  EXPECT_EQ(value.list, std::vector<std::string>{"a"});
  EXPECT_EQ(value.secrets.find("a")->reveal(), "b");
  ASSERT_NE(value.parts.get(Section<int>{"level"}), nullptr);
  EXPECT_EQ(*value.parts.get(Section<int>{"level"}), 3);
}

}  // namespace
}  // namespace causeway::config::test
