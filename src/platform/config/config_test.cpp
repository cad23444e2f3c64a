// Reading files that are right, and the structs that come out.
#include "platform/config/config.h"

#include <gtest/gtest.h>

#include "platform/config/detail/test_config.h"

namespace causeway::config::test {
namespace {

using namespace std::chrono_literals;

Sources sources() {
  Sources out;
  out.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name == "OPENAI_API_KEY") return "sk-from-env";
    if (name == "PORT") return "9090";
    if (name == "EMPTY") return "";
    if (name == "LOOPS") return "7";
    return std::nullopt;
  };
  out.file = [](const std::string& path) -> std::expected<std::string, std::string> {
    if (path == "/run/secrets/claude") return "sk-from-file\r\n\n";
    if (path == "/etc/causeway/key") return "sk-relative";
    return std::unexpected("No such file or directory");
  };
  out.folder = "/etc/causeway";
  return out;
}

App read(std::string_view text, std::string warnings = {}) {
  Problems problems("causeway.yaml");
  App app = schema().read(text, problems, sources());
  EXPECT_EQ(problems.text(), warnings) << text;
  return app;
}

TEST(Config, AnEmptyFileGivesTheDefaults) {
  for (const char* text : {"", "\n# nothing\n", "{}", "~", "---\n", "\xef\xbb\xbfserver:\n"}) {
    const App app = read(text);
    EXPECT_EQ(app.server.listen, "127.0.0.1:8080");
    EXPECT_EQ(app.server.max_body, 32 * kMiB);
    EXPECT_TRUE(app.providers.empty());
  }
}

TEST(Config, ReadsTheExampleOfTheDesign) {
  const App app = read(R"(
server:    { listen: "127.0.0.1:${PORT}", drain: 1m, idle: 75s, max_body: 64MiB, loops: ${LOOPS} }
providers:
  openai:  { kind: openai,    api_key: ${OPENAI_API_KEY} }
  claude:  { kind: openai, api_key: file:/run/secrets/claude, base_url: http://10.0.0.7:8000/v1, zone: internal }  # x
  local:   { kind: embedded }
models:
  fast:    { targets: [ local/default ] }
  smart:   { targets: openai/gpt-4.1, price: { input: 0.15, output: 1.000001 } }
keys:
  - { name: ci, secret: "${OPENAI_API_KEY}", models: [ "*" ] }
policies:
  - name: everyone
    timeouts: { first_byte: 500ms, total: 1h30m }
  - name: nobody
    pii: off
)");
  EXPECT_EQ(app.server.listen, "127.0.0.1:9090");
  EXPECT_EQ(app.server.drain, 60s);
  EXPECT_EQ(app.server.max_body, 64 * kMiB);
  EXPECT_EQ(app.server.loops, 7);

  ASSERT_EQ(app.providers.size(), 3u);
  EXPECT_EQ(app.providers.names(), (std::vector<std::string>{"openai", "claude", "local"}));
  const Variant* openai = app.providers.find("openai");
  ASSERT_NE(openai, nullptr);
  EXPECT_EQ(openai->kind(), "openai");
  EXPECT_EQ(openai->at(), (Position{4, 12}));
  ASSERT_NE(openai->as<OpenAi>(), nullptr);
  EXPECT_EQ(openai->as<Embedded>(), nullptr);
  EXPECT_EQ(openai->as<OpenAi>()->api_key.reveal(), "sk-from-env");
  const OpenAi* claude = app.providers.find("claude")->as<OpenAi>();
  EXPECT_EQ(claude->api_key.reveal(), "sk-from-file");
  EXPECT_EQ(claude->base_url, "http://10.0.0.7:8000/v1");
  EXPECT_EQ(claude->zone, Zone::Internal);
  EXPECT_EQ(app.providers.begin()->at, (Position{4, 3}));

  const Model* smart = app.models.find("smart");
  ASSERT_EQ(smart->targets.size(), 1u);
  EXPECT_EQ(*smart->targets[0], "openai/gpt-4.1");
  EXPECT_EQ(smart->targets[0].at, (Position{9, 23}));
  ASSERT_TRUE(smart->price);
  EXPECT_EQ(smart->price->input.micros, 150'000);
  EXPECT_EQ(smart->price->output.micros, 1'000'001);
  EXPECT_FALSE(app.models.find("fast")->price);

  EXPECT_EQ(app.keys.at(0).secret.reveal(), "sk-from-env");
  EXPECT_EQ(app.keys.at(0).at, (Position{11, 5}));

  ASSERT_EQ(app.policies.size(), 2u);
  const Sections& everyone = app.policies[0].parts;
  ASSERT_NE(everyone.get(kTimeouts), nullptr);
  EXPECT_EQ(everyone.get(kTimeouts)->first_byte, 500ms);
  EXPECT_EQ(everyone.get(kTimeouts)->total, 90min);
  EXPECT_EQ(everyone.at(kTimeouts), (Position{14, 5}));
  EXPECT_EQ(everyone.get(kPii), nullptr);
  EXPECT_EQ(everyone.at(kPii).line, 0u);
  EXPECT_EQ(everyone.get(Section<Pii>{"timeouts"}), nullptr);  // the wrong type for the name
  ASSERT_NE(app.policies[1].parts.get(kPii), nullptr);
  EXPECT_EQ(app.policies[1].parts.get(kPii)->action, Action::Off);
}

TEST(Config, AListThatIsGivenReplacesItsDefault) {
  const App app = read("policies: [{name: a, pii: {kinds: [iban]}}]");
  EXPECT_EQ(app.policies[0].parts.get(kPii)->kinds, std::vector<std::string>{"iban"});
  EXPECT_EQ(app.policies[0].parts.get(kPii)->action, Action::Mask);
}

TEST(Config, ReplacesReferencesInEveryValue) {
  const auto header = [](std::string_view text) {
    const App app = read("providers: {a: {kind: openai, api_key: ${OPENAI_API_KEY}, headers: {x: " +
                         std::string(text) + "}}}");
    return *app.providers.find("a")->as<OpenAi>()->headers.find("x");
  };
  EXPECT_EQ(header("a-${PORT}-${LOOPS}"), "a-9090-7");
  EXPECT_EQ(header("'${PORT}'"), "9090");
  EXPECT_EQ(header("${NOT_SET:-a, {b: [c] # d}"), "a, {b: [c] # d");
  EXPECT_EQ(header("${NOT_SET:-}x"), "x");
  EXPECT_EQ(header("${EMPTY:-standard}"), "standard");
  EXPECT_EQ(header("${PORT:-standard}"), "9090");
  EXPECT_EQ(header("'${EMPTY}'"), "");
  EXPECT_EQ(header("$${PORT}"), "${PORT}");
  EXPECT_EQ(header("$PORT $1 $"), "$PORT $1 $");
  EXPECT_EQ(header("${NOT_SET:-&a *b !c ? - -d}"), "&a *b !c ? - -d");
  EXPECT_EQ(header("\"\\u00e9 ${PORT}\""), "\xc3\xa9 9090");
}

TEST(Config, KeysAreNotReplaced) {
  const App app = read("models: { 'a${PORT}': { targets: x } }");
  EXPECT_NE(app.models.find("a${PORT}"), nullptr);
}

TEST(Config, SecretsComeFromTheEnvironmentAndFiles) {
  EXPECT_EQ(read("keys: [{name: a, secret: file:key}]").keys[0].secret.reveal(), "sk-relative");
  EXPECT_EQ(read("keys: [{name: a, secret: 'x-${PORT}'}]").keys[0].secret.reveal(), "x-9090");
  EXPECT_EQ(read("keys:\n  - name: a\n    secret: hunter2\n",
                 "causeway.yaml:3:13: warning: keys[0].secret: a secret in plain text; write "
                 "${NAME} or file:/path instead\n")
                .keys[0]
                .secret.reveal(),
            "hunter2");
}

TEST(Config, AliasesAndMergeKeys) {
  const App app = read(R"(
policies:
  - name: a
    timeouts: &slow { first_byte: 5m, total: 1h }
  - name: b
    timeouts: { <<: *slow, total: 2h }
  - name: c
    timeouts: *slow
)");
  EXPECT_EQ(app.policies[1].parts.get(kTimeouts)->first_byte, 5min);
  EXPECT_EQ(app.policies[1].parts.get(kTimeouts)->total, 2h);
  EXPECT_EQ(app.policies[2].parts.get(kTimeouts)->total, 1h);
}

TEST(Config, SectionsCanBeSetByCode) {
  Policy policy;
  policy.parts.set(kPii, Pii{Action::Block, {}});
  policy.parts.set(kPii, Pii{Action::Off, {}});
  EXPECT_EQ(policy.parts.get(kPii)->action, Action::Off);
}

struct Twice {
  int a = 0;
};
void describe(Fields& f, Twice& c) {
  f.field("a", c.a, "");
  f.field("a", c.a, "");
}
struct Foreign {
  int a = 0;
};
void describe(Fields& f, Foreign&) {
  static int elsewhere = 0;
  f.field("a", elsewhere, "");
}

TEST(Config, FaultsInDescriptionsAreFoundAtStart) {
  EXPECT_THROW(Schema<Twice>{}, std::logic_error);
  EXPECT_THROW(Schema<Foreign>{}, std::logic_error);
  Registry registry;
  registry.section("policy", kPii, "");
  EXPECT_THROW(registry.section("policy", kPii, ""), std::logic_error);
}

TEST(Config, ParsesAndPrintsDurations) {
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("1m5us"), 60s + 5us);
  EXPECT_EQ(parse_duration("2d"), 48h);
  for (const char* bad : {"", "5", "s", "1.5s", "30m1h", "1s1s", "-1s", "1 s", "1S", "1s ",
                          "999999999999999999h", "99999999999999999999s", "200000d"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  for (const char* text : {"0s", "1h30m", "250ms", "2d", "1d1h1m1s1ms1us"}) {
    EXPECT_EQ(print_duration(*parse_duration(text)), text);
  }
  EXPECT_EQ(print_duration(-90s), "-1m30s");
  EXPECT_EQ(print_duration(std::chrono::nanoseconds::min()), "-106751d23h47m16s854ms775us808ns");
}

TEST(Config, ParsesAndPrintsSizes) {
  EXPECT_EQ(parse_bytes("32MiB")->value, 32 * kMiB);
  EXPECT_EQ(parse_bytes("64KB")->value, 64'000u);
  EXPECT_EQ(parse_bytes("64 kb")->value, 64'000u);
  EXPECT_EQ(parse_bytes("1TiB")->value, 1024 * kGiB);
  EXPECT_EQ(parse_bytes("7B")->value, 7u);
  for (const char* bad : {"", "5", "MiB", "1.5MiB", "-1B", "5M", "5 MiB ", "9999999999TiB"}) {
    EXPECT_FALSE(parse_bytes(bad)) << bad;
  }
  for (const char* text : {"0B", "7B", "16KiB", "32MiB", "3GiB", "64KB", "5MB", "2TiB"}) {
    EXPECT_EQ(print_bytes(*parse_bytes(text)), text);
  }
}

TEST(Config, ParsesAndPrintsMoney) {
  EXPECT_EQ(parse_money("0.15")->micros, 150'000);
  EXPECT_EQ(parse_money("15")->micros, 15'000'000);
  EXPECT_EQ(parse_money("-0.000001")->micros, -1);
  EXPECT_EQ(parse_money("9223372036854.775807")->micros, 9223372036854775807);
  for (const char* bad : {"", ".", "1.", ".5", "1.0000001", "1e3", "$1", "1,5", "+1", "0x1",
                          "9223372036854.775808", "9223372036855"}) {
    EXPECT_FALSE(parse_money(bad)) << bad;
  }
  for (const char* text : {"0", "0.15", "15", "-0.000001", "1.5"}) {
    EXPECT_EQ(print_money(*parse_money(text)), text);
  }
  EXPECT_EQ(print_money(Money{std::numeric_limits<std::int64_t>::min()}), "-9223372036854.775808");
}

}  // namespace
}  // namespace causeway::config::test
