// Files that are wrong, and exactly what is said about them.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "platform/config/config.h"
#include "platform/config/detail/test_config.h"

namespace causeway::config::test {
namespace {

struct Bad {
  const char* file;
  const char* messages;  // without "causeway.yaml:", a line each
};

std::string errors(std::string_view text) {
  Sources sources;
  sources.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name == "PORT") return "top-secret";
    if (name == "EMPTY") return "";
    return std::nullopt;
  };
  sources.file = [](const std::string& path) -> std::expected<std::string, std::string> {
    if (path == "/empty") return "\n";
    return std::unexpected("No such file or directory");
  };
  Problems problems("causeway.yaml");
  schema().read(text, problems, sources);
  EXPECT_EQ(problems.ok(), problems.errors() == 0);
  std::string out;
  for (const Problem& problem : problems.sorted()) {
    out += problems.line(problem).substr(std::string_view("causeway.yaml:").size()) + "\n";
  }
  return out;
}

void expect(std::initializer_list<Bad> table) {
  for (const Bad& bad : table) EXPECT_EQ(errors(bad.file), bad.messages) << bad.file;
}

TEST(ConfigErrors, Keys) {
  expect({
      {"server:\n  listn: 127.0.0.1:1\n",
       "2:3: unknown key \"listn\" in \"server\"; did you mean \"listen\"?\n"},
      {"servr: {}", "1:1: unknown key \"servr\" at the top level; did you mean \"server\"?\n"},
      {"colour: red", "1:1: unknown key \"colour\" at the top level\n"},
      {"server: { log: { levle: info } }",
       "1:18: unknown key \"levle\" in \"server.log\"; did you mean \"level\"?\n"},
      {"server: { max-body: 1MiB }",
       "1:11: unknown key \"max-body\" in \"server\"; did you mean \"max_body\"?\n"},
      {"server: { body: 1MiB }",
       "1:11: unknown key \"body\" in \"server\"; did you mean \"max_body\"?\n"},
      {"policies: [ { name: a, timeout: {} } ]",
       "1:24: unknown key \"timeout\" in \"policies[0]\"; did you mean \"timeouts\"?\n"},
      {"server: { listen: \"a:1\" }\nserver: {}",
       "2:1: duplicate key \"server\"; first given in line 1\n"},
      {"server: { plain_text: true, plain_text: false }",
       "1:29: duplicate key \"plain_text\"; first given in line 1\n"},
      {"unknown: { a: 1, a: 2 }",
       "1:1: unknown key \"unknown\" at the top level\n"
       "1:18: duplicate key \"a\"; first given in line 1\n"},
      {"keys:\n  - { models: a }\n", "2:5: keys[0]: \"name\" is missing\n"},
      {"models: { fast: }", "1:11: models.fast: \"targets\" is missing\n"},
      {"{ {a: b}: c }",
       "1:3: a key must be a text; a value that begins with {, [ or * may need quotes\n"},
      {"providers: { a/b: { kind: embedded } }",
       "1:14: providers.a/b: a name must not hold a slash\n"},
  });
}

TEST(ConfigErrors, Values) {
  expect({
      {"server: text", "1:9: server: expected a mapping, found a text\n"},
      {"server: [1]", "1:9: server: expected a mapping, found a list\n"},
      {"keys: { a: b }", "1:7: keys: expected a list, found a mapping\n"},
      {"providers: [a]", "1:12: providers: expected a mapping, found a list\n"},
      {"- a", "1:1: expected a mapping, found a list\n"},
      {"just text", "1:1: expected a mapping, found a text\n"},
      {"server: { listen: [a] }", "1:19: server.listen: expected a text, found a list\n"},
      {"server:\n  listen:\n  loops: 2\n", "2:3: server.listen: expected a text, found nothing\n"},
      {"server: { listen: nowhere }", "1:19: server.listen: must be address:port\n"},
      {"server: { plain_text: yes }",
       "1:23: server.plain_text: expected true or false, found \"yes\"; did you mean \"true\"?\n"},
      {"server: { plain_text: 'true' }",
       "1:23: server.plain_text: expected true or false, found the text \"true\"\n"},
      {"server: { loops: two }", "1:18: server.loops: expected a whole number, found \"two\"\n"},
      {"server: { loops: \"2\" }",
       "1:18: server.loops: expected a whole number, found the text \"2\"\n"},
      {"server: { loops: 2.5 }", "1:18: server.loops: expected a whole number, found 2.5\n"},
      {"server: { loops: 010 }", "1:18: server.loops: expected a whole number, found 010\n"},
      {"server: { loops: 70 }", "1:18: server.loops: must be from 1 to 64, found 70\n"},
      {"server: { loops: -1 }", "1:18: server.loops: must be from 1 to 64, found -1\n"},
      {"server: { loops: 99999999999999999999 }",
       "1:18: server.loops: the number 99999999999999999999 is too large\n"},
      {"server: { log: { sample: 2 } }", "1:26: server.log.sample: must be from 0 to 1, found 2\n"},
      {"server: { log: { sample: nan } }",
       "1:26: server.log.sample: expected a number, found \"nan\"\n"},
      {"server: { log: { level: wran } }",
       "1:25: server.log.level: expected one of debug, info, warn, found \"wran\"; did you mean "
       "\"warn\"?\n"},
      {"server: { drain: 30 }",
       "1:18: server.drain: expected a duration such as 30s, 250ms or 1h30m, found 30 (a number "
       "needs its unit)\n"},
      {"server: { drain: soon }",
       "1:18: server.drain: expected a duration such as 30s, 250ms or 1h30m, found \"soon\"\n"},
      {"server: { drain: 2h }", "1:18: server.drain: must be from 0s to 1h, found \"2h\"\n"},
      {"server: { idle: 2500ms }",
       "1:17: server.idle: must be a whole number of seconds, found \"2500ms\"\n"},
      {"server: { max_body: 64 }",
       "1:21: server.max_body: expected a size such as 512KiB or 32MiB, found 64 (a number needs "
       "its unit)\n"},
      {"server: { max_body: 2GiB }",
       "1:21: server.max_body: must be from 1KiB to 1GiB, found \"2GiB\"\n"},
      {"models: { m: { targets: a, price: { input: 0.0000001, output: -1 } } }",
       "1:44: models.m.price.input: expected an amount such as 0.15, with at most six decimals, "
       "found 0.0000001\n"
       "1:63: models.m.price.output: must be at least 0, found -1\n"},
      {"models: { m: { targets: [a, [b], 3] } }",
       "1:29: models.m.targets[1]: expected a text, found a list\n"},
      {"server: { listen: \"a\\nb\\x07 0123456789012345678901234567890123456789012345678901234"
       "56789\", loops: \"a\\nb\\x07 012345678901234567890123456789012345678901234567890123456\" }",
       "1:19: server.listen: must be address:port\n"
       "1:99: server.loops: expected a whole number, found the text \"a\\nb\\x07 "
       "012345678901234567890123456789012345678901234567890…\"\n"},
  });
}

TEST(ConfigErrors, WordsAndKinds) {
  expect({
      {"policies: [ { name: a, pii: of } ]",
       "1:29: policies[0].pii: expected off, mask or a mapping, found \"of\"; did you mean "
       "\"off\"?\n"},
      {"policies: [ { name: a, pii: false } ]",
       "1:29: policies[0].pii: expected off, mask or a mapping, found false; did you mean "
       "\"off\"?\n"},
      {"policies: [ { name: a, pii: { action: blok } } ]",
       "1:39: policies[0].pii.action: expected one of off, mask, block, found \"blok\"; did you "
       "mean \"block\"?\n"},
      {"policies: [ { name: a, pii: [] } ]",
       "1:29: policies[0].pii: expected off, mask or a mapping, found a list\n"},
      {"providers: { a: { zone: internal } }",
       "1:17: providers.a: \"kind\" is missing: one of openai, embedded\n"},
      {"providers: { a: { kind: opnai } }",
       "1:25: providers.a.kind: expected one of openai, embedded, found \"opnai\"; did you mean "
       "\"openai\"?\n"},
      {"providers: { a: { kind: embedded, base_url: x, zone: inside } }",
       "1:35: unknown key \"base_url\" in \"providers.a\"; it belongs to kind openai\n"
       "1:54: providers.a.zone: expected one of internal, external, found \"inside\"\n"},
      {"providers: { a: { kind: [openai] } }",
       "1:25: providers.a.kind: expected a text, found a list\n"},
      {"providers: { a: }", "1:14: providers.a: expected a mapping, found nothing\n"},
  });
}

TEST(ConfigErrors, ReferencesAndSecrets) {
  expect({
      {"server: { listen: ${HOST}:80 }",
       "1:19: server.listen: the environment variable HOST is not set; ${HOST:-default} would "
       "give a default\n"},
      {"server: { loops: ${PORT} }",
       "1:18: server.loops: expected a whole number, found the value of ${PORT}\n"},
      {"server: { listen: '${1X}' }",
       "1:19: server.listen: \"${\" begins no valid reference; write ${NAME} or "
       "${NAME:-default}, and $${ for the characters themselves\n"},
      {"server: { listen: '${A:-${B}}' }",
       "1:19: server.listen: \"${\" begins no valid reference; write ${NAME} or "
       "${NAME:-default}, and $${ for the characters themselves\n"},
      {"keys: [ { name: a, secret: 'file:/nowhere' } ]",
       "1:28: keys[0].secret: cannot read the file /nowhere: No such file or directory\n"},
      {"keys: [ { name: a, secret: 'file:/${PORT}' } ]",
       "1:28: keys[0].secret: cannot read the file /${PORT}: No such file or directory\n"},
      {"keys: [ { name: a, secret: 'file:/empty' } ]",
       "1:28: keys[0].secret: the secret is empty\n"},
      {"keys: [ { name: a, secret: ${EMPTY} } ]", "1:28: keys[0].secret: the secret is empty\n"},
      {"keys: [ { name: a, secret: [hunter2] } ]",
       "1:28: keys[0].secret: expected a text, found a list\n"},
      {"keys: [ { name: a, secret: } ]", "1:20: keys[0].secret: expected a text, found nothing\n"},
      {"keys: [ hunter2 ]", "1:9: keys[0]: expected a mapping, found a text\n"},
      {"keys: [ { name: a, secret: ${NOT_SET:-hunter2} } ]",
       "1:28: warning: keys[0].secret: a secret in plain text; write ${NAME} or file:/path "
       "instead\n"},
  });
}

TEST(ConfigErrors, Yaml) {
  expect({
      {"server: { listen: a", "1:9: YAML: this { is never closed\n"},
      {"a: [1, 2", "1:4: YAML: this [ is never closed\n"},
      {"a: { b: c\nd: e }", "2:2: YAML: a comma or a closing } is missing before here\n"},
      {"a: [ b: c: d ]", "1:10: YAML: a comma or a closing ] is missing before here\n"},
      {"server:\n\tlisten: a\n", "2:8: YAML: a tab in the indentation; use spaces\n"},
      {"a: b: c", "1:5: YAML: a second ': ' in one line; a text that holds one needs quotes\n"},
      {"a: \"b", "1:6: YAML: a quote that is not closed\n"},
      {"a: *b", "1:4: YAML: the referenced anchor is not defined\n"},
      {"server:\n  listen: \"a:1\"\n loops: 1\n",
       "3:2: YAML: the indentation does not fit the mapping above\n"},
      {"a: !env X", "1:4: tags are not read here: !env\n"},
      {"a: !!str X", "1:4: tags are not read here: tag:yaml.org,2002:str\n"},
      {"{}\n---\n{}\n", "2:1: only one YAML document is read\n"},
      {"a: &a [ *a ]", "1:9: the alias stands inside the value that it names\n"},
      {"server: { <<: 5 }", "1:15: a merge key (<<) takes a mapping or a list of mappings\n"},
      {"server: { listen: \"a:\x01\" }",
       "1:22: control character 0x01; only line breaks and tabs may stand in the file\n"},
      {"a: \xff", "1:4: the file is not UTF-8 text\n"},
      {"a: \xc0\xaf", "1:4: the file is not UTF-8 text\n"},
      {"a: \xed\xa0\x80", "1:4: the file is not UTF-8 text\n"},
      {"a: \xf4\x90\x80\x80", "1:4: the file is not UTF-8 text\n"},
      {"a: \xe2\x82", "1:4: the file is not UTF-8 text\n"},
  });
}

TEST(ConfigErrors, ColumnsCountCharacters) {
  expect({{"models: { \xc3\xa9\xe2\x82\xac: { targets: a, x: 1 } }",
           "1:29: unknown key \"x\" in \"models.\xc3\xa9\xe2\x82\xac\"\n"}});
}

TEST(ConfigErrors, AllAtOnceByPosition) {
  EXPECT_EQ(errors("policies:\n  - { nam: a }\nserver:\n  loops: 0\n  drain: 1\n"),
            "2:5: policies[0]: \"name\" is missing\n"
            "2:7: unknown key \"nam\" in \"policies[0]\"; did you mean \"name\"?\n"
            "4:10: server.loops: must be from 1 to 64, found 0\n"
            "5:10: server.drain: expected a duration such as 30s, 250ms or 1h30m, found 1 (a "
            "number needs its unit)\n");
}

TEST(ConfigErrors, AStructsOwnCheckRunsWhenItsFieldsAreRight) {
  EXPECT_EQ(errors("server:\n  drain: 2m\n"), "2:3: server: drain must not be longer than idle\n");
  EXPECT_EQ(errors("server: { drain: 2m, loops: 0 }"),
            "1:29: server.loops: must be from 1 to 64, found 0\n");
}

TEST(ConfigErrors, WhatIsWrongKeepsItsDefaultAndTheRestIsRead) {
  Problems problems("f");
  const App app = schema().read(
      "server: { loops: 99, max_body: 1MiB }\nmodels: { a: { targets: [x, []] }, b: 5 }", problems);
  EXPECT_EQ(problems.errors(), 3u);
  EXPECT_EQ(app.server.loops, 1);
  EXPECT_EQ(app.server.max_body, kMiB);
  EXPECT_EQ(app.models.names(), (std::vector<std::string>{"a", "b"}));
}

TEST(ConfigErrors, BombsAreRefused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_NE(errors(bomb).find("more than 100000 values (each alias counts in full)"),
            std::string::npos);
  EXPECT_NE(errors("server: " + std::string(1000, '[')).find("nested more than 32 deep"),
            std::string::npos);
  EXPECT_NE(errors(std::string(100'000, '[')).find("nested more than 32 deep"), std::string::npos);
  EXPECT_EQ(errors(std::string(kMaxFileBytes + 1, '#')),
            " the file has 1048577 bytes; at most 1MiB are read\n");
}

TEST(ConfigErrors, ManyProblemsAreCountedNotKept) {
  std::string text;
  for (int i = 0; i < 5'000; ++i) text += "x" + std::to_string(i) + ": 1\n";
  Problems problems("f");
  schema().read(text, problems);
  EXPECT_EQ(problems.errors(), 5'000u);
  EXPECT_EQ(problems.sorted().size(), Problems::kMaxKept);
  EXPECT_TRUE(problems.text().ends_with("f: and 4800 more\n"));
}

TEST(ConfigErrors, AFileThatCannotBeRead) {
  Problems problems("nowhere.yaml");
  schema().read_file("/nonexistent/nowhere.yaml", problems);
  EXPECT_EQ(problems.text(), "nowhere.yaml: cannot be read: No such file or directory\n");
  Problems folder("/");
  schema().read_file("/", folder);
  EXPECT_EQ(folder.text(), "/: cannot be read: it is not a regular file\n");
}

TEST(ConfigErrors, RealFiles) {
  char folder[] = "/tmp/causeway-config-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::filesystem::path root(folder);
  std::ofstream(root / "key") << "sk-1\n";
  std::ofstream(root / "large") << std::string(kMaxSecretFileBytes + 1, 'x');
  ASSERT_EQ(::mkfifo((root / "pipe").c_str(), 0600), 0);
  std::ofstream(root / "c.yaml") << "keys:\n  - { name: a, secret: file:key }\n"
                                    "  - { name: b, secret: file:large }\n"
                                    "  - { name: c, secret: file:pipe }\n"
                                    "  - { name: d, secret: \"${CAUSEWAY_TEST_NOT_SET}\" }\n";
  Problems problems("c.yaml");
  const App app = schema().read_file((root / "c.yaml").string(), problems);
  std::filesystem::remove_all(root);
  EXPECT_EQ(app.keys.at(0).secret.reveal(), "sk-1");
  EXPECT_EQ(problems.text(),
            "c.yaml:3:24: keys[1].secret: cannot read the file " + (root / "large").string() +
                ": it is larger than 64KiB\n"
                "c.yaml:4:24: keys[2].secret: cannot read the file " +
                (root / "pipe").string() +
                ": it is not a regular file\n"
                "c.yaml:5:24: keys[3].secret: the environment variable CAUSEWAY_TEST_NOT_SET is "
                "not set; ${CAUSEWAY_TEST_NOT_SET:-default} would give a default\n");
}

TEST(Problems, OthersAddToThem) {
  Problems problems("f.yaml");
  EXPECT_TRUE(problems.ok());
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(problems.text(), "");
  problems.warn({3, 1}, "old");
  EXPECT_TRUE(problems.ok());
  problems.add({2, 5}, "no provider \"opnai\"", {"openai", "opnai2", "x"});
  problems.add({2, 5}, "second");
  problems.add({}, "as a whole");
  EXPECT_FALSE(problems.ok());
  EXPECT_EQ(problems.text(),
            "f.yaml: as a whole\n"
            "f.yaml:2:5: no provider \"opnai\"; did you mean \"openai\", \"opnai2\" or \"x\"?\n"
            "f.yaml:2:5: second\n"
            "f.yaml:3:1: warning: old\n");
}

TEST(Confidential, WhatGoesOnInTheNextLineCannotBeHidden) {
  const auto one = schema().confidential("unknown:\n  key: \"a\\\\b\\\"c\"\n");
  ASSERT_TRUE(one);
  ASSERT_EQ(one->size(), 1u);
  EXPECT_EQ(one->front().size, 9u) << "with its quotes and what is escaped";
  EXPECT_FALSE(schema().confidential("unknown:\n  key: \"abc\\\ndef\"\n"));
  EXPECT_FALSE(schema().confidential("unknown:\n  key: \"abc\ndef\"\n"));
}

TEST(Nearest, FindsWhatWasMeant) {
  using Names = std::vector<std::string>;
  const Names names{"listen", "drain", "max_body", "timeouts", "api_key", "zone"};
  EXPECT_EQ(nearest("listn", names), Names{"listen"});
  EXPECT_EQ(nearest("lisetn", names), Names{"listen"});
  EXPECT_EQ(nearest("MaxBody", names), Names{"max_body"});
  EXPECT_EQ(nearest("max-body", names), Names{"max_body"});
  EXPECT_EQ(nearest("key", names), Names{"api_key"});
  EXPECT_EQ(nearest("zoen", names), Names{"zone"});
  EXPECT_EQ(nearest("provider", names), Names{});
  EXPECT_EQ(nearest("", names), Names{});
  EXPECT_EQ(nearest("x", Names{"y"}), Names{});
  EXPECT_EQ(nearest("ab", Names{"ac", "bb", "ab2", "a", "xy"}), (Names{"ac", "bb", "ab2"}));
  EXPECT_EQ(nearest("abcdef", Names{"abcxyz", "abcdeg", "abcdef2"}), (Names{"abcdeg", "abcdef2"}));
  EXPECT_EQ(nearest(std::string(1000, 'a'), Names{std::string(1000, 'a')}), Names{});
}

}  // namespace
}  // namespace causeway::config::test
