#include "app/importer/importer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "app/importer/provider_book.h"
#include "app/importer/secrets.h"
#include "app/importer/source.h"

namespace causeway::app::importer {
namespace {

Imported import_of(const std::string& tool, const std::string& text,
                   const std::string& target_model = "") {
  auto imported = import_text(
      {.tool = tool, .file = "source", .model_name = "chat", .target_model = target_model}, text);
  EXPECT_TRUE(imported) << (imported ? "" : imported.error().message);
  return imported ? *imported : Imported{};
}

std::string yaml_of(const std::string& tool, const std::string& text,
                    const std::string& target_model = "") {
  return write_yaml(import_of(tool, text, target_model), tool, "source");
}

std::string error_of(const std::string& tool, const std::string& text) {
  const auto imported = import_text({.tool = tool, .file = "source", .model_name = "chat"}, text);
  return imported ? "" : imported.error().message;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const Remark* remark_about(const Imported& imported, const std::string& about) {
  const auto found = std::ranges::find_if(
      imported.remarks, [&](const Remark& remark) { return has(remark.about, about); });
  return found == imported.remarks.end() ? nullptr : &*found;
}

const ImportedModel& model_of(const Imported& imported, const std::string& name) {
  static const ImportedModel kNone;
  const auto found = std::ranges::find(imported.models, name, &ImportedModel::name);
  EXPECT_NE(found, imported.models.end()) << name;
  return found == imported.models.end() ? kNone : *found;
}

std::vector<std::string> targets_of(const ImportedModel& model) {
  std::vector<std::string> names;
  for (const auto& target : model.targets) names.push_back(target.name());
  return names;
}
using Names = std::vector<std::string>;

constexpr const char* kTwoOfOne = R"(
model_list:
  - model_name: smart
    litellm_params: { model: gpt-4.1, api_key: os.environ/FIRST_KEY, rpm: 300 }
  - model_name: smart
    litellm_params: { model: anthropic/claude-sonnet-4-5, rpm: 100 }
)";

TEST(LiteLlm, EntriesOfOneNameAreTargetsOfOneModelWithTheirShares) {
  const auto imported = import_of("litellm", kTwoOfOne);
  const auto& model = model_of(imported, "smart");
  EXPECT_EQ(model.strategy, "weighted");
  EXPECT_EQ(targets_of(model), (Names{"openai/gpt-4.1", "anthropic/claude-sonnet-4-5"}));
  EXPECT_EQ(model.targets[0].weight, 300);
  EXPECT_EQ(model.targets[1].weight, 100);
  const std::string yaml = write_yaml(imported, "litellm", "source");
  EXPECT_TRUE(has(yaml, "api_key: ${FIRST_KEY}")) << yaml;
  EXPECT_TRUE(has(yaml, "api_key: ${ANTHROPIC_API_KEY}")) << yaml;
  EXPECT_TRUE(has(yaml, "#   ANTHROPIC_API_KEY\n#   FIRST_KEY\n")) << yaml;
}

TEST(LiteLlm, StrategiesHaveTheirNamesHere) {
  const std::pair<const char*, const char*> kStrategies[] = {
      {"simple-shuffle", "weighted"},           {"least-busy", "least_busy"},
      {"latency-based-routing", "fastest"},     {"cost-based-routing", "cheapest"},
      {"usage-based-routing-v2", "least_busy"}, {"made-up", "weighted"}};
  for (const auto& [theirs, ours] : kStrategies) {
    const auto imported =
        import_of("litellm",
                  kTwoOfOne + std::string("router_settings: { routing_strategy: ") + theirs + " }");
    EXPECT_EQ(model_of(imported, "smart").strategy, ours) << theirs;
    const bool exact = !has(theirs, "usage") && !has(theirs, "made");
    EXPECT_EQ(remark_about(imported, "routing_strategy") == nullptr, exact) << theirs;
  }
}

TEST(LiteLlm, OrderMakesFallbacks) {
  const auto imported = import_of("litellm", R"(
model_list:
  - { model_name: m, litellm_params: { model: openai/second, order: 2 } }
  - { model_name: m, litellm_params: { model: openai/first, order: 1 } }
)");
  EXPECT_EQ(model_of(imported, "m").strategy, "fallback");
  EXPECT_EQ(targets_of(model_of(imported, "m")), (Names{"openai/first", "openai/second"}));
}

TEST(LiteLlm, FallbacksComeAfterTheSharesOfTheModel) {
  const auto imported = import_of("litellm", kTwoOfOne + std::string(R"(
  - { model_name: spare, litellm_params: { model: groq/llama } }
litellm_settings:
  fallbacks: [ { smart: [ spare, nowhere ] } ]
  default_fallbacks: [ spare ]
)"));
  const auto& model = model_of(imported, "smart");
  EXPECT_EQ(model.targets.size(), 3u);
  EXPECT_EQ(model.targets.back().name(), "groq/llama");
  EXPECT_EQ(model.targets.back().weight, 0);
  ASSERT_TRUE(remark_about(imported, "litellm_settings.fallbacks"));
  EXPECT_TRUE(has(remark_about(imported, "litellm_settings.fallbacks")->text, "nowhere"));
}

TEST(LiteLlm, FallbacksForRefusedContentAreAskedThen) {
  const std::string yaml = yaml_of("litellm", R"(
model_list:
  - { model_name: a, litellm_params: { model: gpt-4.1 } }
  - { model_name: b, litellm_params: { model: groq/llama } }
litellm_settings: { num_retries: 50, content_policy_fallbacks: [ { a: [ b ] } ] }
)");
  EXPECT_TRUE(has(yaml, "targets: [ openai/gpt-4.1, groq/llama ]")) << yaml;
  EXPECT_TRUE(has(yaml, "models: [ a ]\n    retries: { attempts: 10, content_filtered: true }"))
      << yaml;
}

TEST(LiteLlm, CooldownsBecomeTheBreaker) {
  const std::string models =
      "model_list: [ { model_name: a, litellm_params: { model: gpt-4.1 } } ]\n";
  EXPECT_TRUE(
      has(yaml_of("litellm", models + "router_settings: { allowed_fails: 2, cooldown_time: 90 }"),
          "\nbreaker: { failures: 3, rest: 1m30s, longest_rest: 1m30s }\n"));
  EXPECT_TRUE(has(yaml_of("litellm", models + "router_settings: { disable_cooldowns: true }"),
                  "\nbreaker: off\n"));
}

TEST(LiteLlm, TimeoutsBecomePoliciesAndModelsShareThem) {
  const std::string yaml = yaml_of("litellm", R"(
model_list:
  - { model_name: a, litellm_params: { model: gpt-4.1, timeout: 30, num_retries: 1 } }
  - { model_name: b, litellm_params: { model: gpt-4.1-mini, timeout: 30, num_retries: 1 } }
litellm_settings: { request_timeout: 600, num_retries: 3, drop_params: true }
)");
  EXPECT_TRUE(has(yaml, R"(policies:
  - name: "limits of a"
    match:
      models: [ a, b ]
    timeouts: { first_byte: 30s, total: 30s }
    retries: { attempts: 1 }
  - name: everyone
    timeouts: { first_byte: 10m, total: 10m }
    retries: { attempts: 3 }
    translation: { unsupported: drop }
)")) << yaml;
}

TEST(LiteLlm, SecretsInClearAreNeverWritten) {
  const auto imported = import_of("litellm", R"(
model_list:
  - { model_name: a, litellm_params: { model: gpt-4.1, api_key: sk-first-secret } }
  - { model_name: b, litellm_params: { model: gpt-4.1, api_key: sk-second-secret } }
  - { model_name: c, litellm_params: { model: gpt-4.1, api_key: sk-first-secret } }
  - { model_name: d, litellm_params: { model: gpt-4.1 } }
  - model_name: e
    litellm_params:
      model: openai/x
      api_base: https://user:pass-secret@llm.example.org/v1?key=query-secret
      extra_headers: { X-Api-Key: header-secret, X-Team: blue }
  - { model_name: f, litellm_params: { model: vertex_ai/g, vertex_credentials: '{"k":"json-secret"}' } }
environment_variables: { REDIS_PASSWORD: environment-secret }
general_settings: { master_key: sk-master-secret, database_url: postgresql://u:db-secret@h/d }
made_up: { thing: unknown-secret }
)");
  const std::string yaml = write_yaml(imported, "litellm", "source");
  EXPECT_FALSE(has(yaml, "secret\"")) << yaml;
  for (const char* word : {"sk-", "first-", "second-", "pass-", "query-", "header-", "json-",
                           "environment-", "master-", "db-", "unknown-"}) {
    EXPECT_FALSE(has(yaml, word + std::string("secret"))) << word << "\n" << yaml;
  }
  // OPENAI_API_KEY is what entry d means, so no secret in clear gets that name.
  EXPECT_TRUE(has(yaml, "api_key: ${OPENAI_API_KEY_2}")) << yaml;
  EXPECT_TRUE(has(yaml, "api_key: ${OPENAI_API_KEY_3}")) << yaml;
  EXPECT_TRUE(has(yaml, "base_url: https://llm.example.org/v1\n")) << yaml;
  EXPECT_TRUE(has(yaml, "X-Team: blue")) << yaml;
  EXPECT_EQ(targets_of(model_of(imported, "a")), targets_of(model_of(imported, "c")));
}

TEST(LiteLlm, WhatExistsHereIsCarriedOver) {
  const std::string yaml = yaml_of("litellm", R"(
model_list:
  - model_name: m
    litellm_params: { model: azure/gpt-4o, api_base: "https://r.openai.azure.com/", api_version: "2024-10-21", api_key: os.environ/AZ }
    model_info: { input_cost_per_token: 0.0000025, output_cost_per_token: 1e-5, max_input_tokens: 128000, supports_vision: false }
  - { model_name: claude, litellm_params: { model: bedrock/converse/anthropic.claude-v1:0, aws_region_name: eu-west-1 } }
  - { model_name: "groq/*", litellm_params: { model: "groq/*" } }
litellm_settings: { callbacks: [ otel ], json_logs: true }
general_settings: { alerting: [ slack ], alerting_threshold: 300, max_request_size_mb: 8 }
guardrails:
  - guardrail_name: pii
    litellm_params: { guardrail: presidio, mode: pre_call, pii_entities_config: { CREDIT_CARD: BLOCK } }
)");
  for (const char* part :
       {"kind: azure", "api_version: 2024-10-21", "kind: bedrock", "region: eu-west-1",
        "r/gpt-4o: { input: 2.5, output: 10 }", "context:\n      r/gpt-4o: 128000",
        "without:\n      r/gpt-4o: [ vision ]", "expose: [ \"*\" ]", "format: json",
        "endpoint: ${OTEL_EXPORTER_OTLP_ENDPOINT}", "url: ${SLACK_WEBHOOK_URL}", "above: 5m",
        "limits: { body: 8MiB }", "action: mask\n      kinds:\n        card: block"}) {
    EXPECT_TRUE(has(yaml, part)) << part << "\n" << yaml;
  }
}

TEST(LiteLlm, NamesOfAnyKindAreFitted) {
  const std::string longer(97, 'n');
  const auto imported = import_of("litellm",
                                  "model_list:\n"
                                  "  - { model_name: " +
                                      longer +
                                      "a, litellm_params: { model: gpt-4.1 } }\n"
                                      "  - { model_name: " +
                                      longer +
                                      "b, litellm_params: { model: gpt-4.1-mini } }\n"
                                      "  - { model_name: \"a/b: \\\"c\\\" ${X}\\n\", "
                                      "litellm_params: { model: \"hosted_vllm/org/${Y} m\", "
                                      "api_base: \"http://10.0.0.7:8000/v1\" } }\n");
  ASSERT_EQ(imported.models.size(), 3u);
  EXPECT_EQ(imported.models[0].name.size(), 96u);
  EXPECT_EQ(imported.models[1].name.size(), 96u);
  EXPECT_NE(imported.models[0].name, imported.models[1].name);
  for (const auto& provider : imported.providers) EXPECT_FALSE(has(provider.name, "/"));
  const std::string yaml = write_yaml(imported, "litellm", "source");
  EXPECT_TRUE(has(yaml, "10.0.0.7-8000:")) << yaml;
  EXPECT_TRUE(has(yaml, "$${Y} m")) << yaml;
  EXPECT_FALSE(has(yaml, "#   X\n")) << yaml;
}

// Every leaf of a document is either used or remarked: whatever is added anywhere gets a remark
// with its line.
TEST(Importer, NoLeafIsDroppedInSilence) {
  const std::pair<const char*, std::string> kDocuments[] = {{"litellm", R"(unheard_of: 1
model_list:
  - unheard_of: 1
    model_name: m
    litellm_params:
      unheard_of: 1
      model: gpt-4.1
    model_info:
      unheard_of: 1
litellm_settings:
  unheard_of: { deep: [ { deeper: 1 } ] }
router_settings:
  unheard_of:
general_settings:
  unheard_of: []
)"},
                                                            {"portkey", R"({ "unheard_of": 1,
 "strategy": { "mode": "fallback",
  "unheard_of": 1 },
 "retry": { "attempts": 1,
  "unheard_of": 1 },
 "targets": [ { "provider": "openai",
   "unheard_of": {"a": [ 1 ]},
   "override_params": { "model": "gpt-4.1" } } ] })"},
                                                            {"tensorzero", R"(unheard_of = 1
[gateway]
unheard_of = { a = 1 }
[models.m]
routing = ["p"]
unheard_of = 1
[models.m.providers.p]
type = "openai"
model_name = "gpt-4.1"
unheard_of = 1
[functions.f]
unheard_of = []
[functions.f.variants.v]
model = "m"
unheard_of = 1
)"}};
  for (const auto& [tool, text] : kDocuments) {
    const auto imported = import_of(tool, text);
    std::uint32_t line = 1;
    for (std::size_t at = 0; at < text.size(); ++line) {
      const auto end = std::min(text.find('\n', at), text.size());
      const bool odd = text.substr(at, end - at).find("unheard_of") != std::string::npos;
      const bool remarked = std::ranges::any_of(imported.remarks, [&](const Remark& remark) {
        return remark.line == line && has(remark.about, "unheard_of");
      });
      EXPECT_EQ(odd, remarked) << tool << " line " << line;
      at = end + 1;
    }
  }
}

TEST(Importer, WhatAnAliasBringsIsKnownAtItsAnchorToo) {
  const auto imported = import_of("litellm", R"(
x-server: &server { api_base: "http://10.0.0.7:8000/v1", odd: 1 }
model_list:
  - { model_name: m, litellm_params: { <<: *server, model: hosted_vllm/llama } }
)");
  EXPECT_FALSE(remark_about(imported, "x-server.api_base"));
  EXPECT_TRUE(remark_about(imported, "x-server.odd"));
}

TEST(Portkey, SharesOrderAndGroups) {
  const auto imported = import_of("portkey", R"({
  "strategy": { "mode": "fallback" },
  "targets": [
    { "strategy": { "mode": "loadbalance" },
      "targets": [
        { "provider": "openai", "api_key": "{{ONE}}", "weight": 0.75, "override_params": { "model": "gpt-4.1" } },
        { "provider": "azure-openai", "azure_resource_name": "r", "azure_deployment_id": "d", "apiKey": "{{TWO}}", "weight": 0.25 } ] },
    { "provider": "anthropic", "override_params": { "model": "claude-sonnet-4-5" } } ] })");
  const auto& model = model_of(imported, "chat");
  EXPECT_EQ(model.strategy, "weighted");
  EXPECT_EQ(targets_of(model), (Names{"openai/gpt-4.1", "r/d", "anthropic/claude-sonnet-4-5"}));
  EXPECT_EQ(model.targets[0].weight, 0.75);
  EXPECT_EQ(model.targets[1].weight, 0.25);
  EXPECT_EQ(model.targets[2].weight, 0);
}

TEST(Portkey, AzureDeploymentsByBothWaysToNameTheirMembers) {
  const auto plain = import_of("portkey", R"({ "strategy": { "mode": "single" }, "targets": [
    { "provider": "azure-openai", "resource_name": "r", "deployment_id": "d", "api_version": "2024-10-21",
      "api_key": "{{ONE}}", "override_params": { "model": "gpt-4.1" } } ] })");
  EXPECT_EQ(targets_of(model_of(plain, "chat")), Names{"r/d"});
  EXPECT_FALSE(remark_about(plain, "resource_name"));
  EXPECT_FALSE(remark_about(plain, "deployment_id"));
  constexpr const char* kEntra = R"({ "strategy": { "mode": "single" }, "targets": [
    { "provider": "azure-openai", "azure_resource_name": "r", "azure_deployment_name": "d",
      "azure_api_version": "v1", "azure_ad_token": "{{TWO}}", "azure_entra_tenant_id": "t" } ] })";
  EXPECT_TRUE(remark_about(import_of("portkey", kEntra), "targets[0].azure_entra_tenant_id"));
  const auto yaml = yaml_of("portkey", kEntra);
  EXPECT_TRUE(has(yaml, "https://r.openai.azure.com")) << yaml;
  EXPECT_TRUE(has(yaml, "api_version: v1")) << yaml;
  EXPECT_TRUE(has(yaml, "token: ")) << yaml;
}

TEST(Portkey, ModelsThatTheApplicationNames) {
  constexpr const char* kNone = R"({ "strategy": { "mode": "fallback" }, "targets": [
    { "provider": "openai" }, { "provider": "groq" } ] })";
  EXPECT_TRUE(has(yaml_of("portkey", kNone), "targets: [ openai/MODEL, groq/MODEL ]"));
  EXPECT_TRUE(has(yaml_of("portkey", kNone, "m1"), "targets: [ openai/m1, groq/m1 ]"));
  const auto alone = import_of("portkey", R"({ "provider": "openai", "api_key": "{{K}}" })");
  EXPECT_TRUE(alone.models.empty());
  EXPECT_EQ(alone.providers.at(0).expose, Names{"*"});
}

TEST(Portkey, JsonEscapes) {
  const auto imported = import_of("portkey", R"({ "strategy": {"mode":"single"}, "targets": [
    { "provider": "openai", "custom_host": "https:\/\/llm.example\/v1",
      "override_params": { "model": "\u00e9 \ud83d\ude00 \ud83d \\ud83d" } } ] })");
  EXPECT_EQ(targets_of(model_of(imported, "chat")), Names{"llm/\u00e9 \U0001f600 \ufffd \\ud83d"});
}

TEST(Portkey, ConditionsOnMetadataAreRules) {
  const auto imported = import_of("portkey", R"({
  "strategy": { "mode": "conditional", "default": "b", "conditions": [
    { "query": { "$and": [ { "metadata.plan": { "$eq": "paid" } }, { "metadata.region": "eu" } ] }, "then": "a" },
    { "query": { "params.model": { "$eq": "smartest" } }, "then": "a" },
    { "query": { "$or": [ { "metadata.x": "y" } ] }, "then": "a" } ] },
  "targets": [ { "name": "a", "provider": "openai", "override_params": { "model": "gpt-4.1" } },
               { "name": "b", "provider": "groq", "override_params": { "model": "llama" } } ] })");
  const auto& model = model_of(imported, "chat");
  EXPECT_EQ(targets_of(model), Names{"groq/llama"});
  ASSERT_EQ(model.rules.size(), 1u);
  EXPECT_EQ(model.rules[0].metadata.size(), 2u);
  EXPECT_EQ(model.rules[0].targets, Names{"openai/gpt-4.1"});
  EXPECT_EQ(targets_of(model_of(imported, "smartest")), Names{"openai/gpt-4.1"});
  EXPECT_TRUE(remark_about(imported, "conditions[2]"));
}

TEST(TensorZero, ModelsProvidersAndFunctions) {
  const auto imported = import_of("tensorzero", R"([gateway]
bind_address = "0.0.0.0:3000"
[models.zeta]
routing = ["b", "a"]
[models.zeta.providers.a]
type = "openai"
model_name = "gpt-4.1"
api_key_location = "env::MY_KEY"
[models.zeta.providers.b]
type = "vllm"
model_name = "llama"
api_base = "http://10.0.0.7:8000/v1/"
timeouts = { non_streaming = { total_ms = 30000 } }
[models.alpha]
routing = ["c"]
[models.alpha.providers.c]
type = "gcp_vertex_gemini"
model_id = "gemini-2.5-pro"
location = "global"
project_id = "p"
[functions.draft]
type = "chat"
[functions.draft.variants.x]
type = "chat_completion"
model = "alpha"
weight = 0.9
[functions.draft.variants.y]
type = "chat_completion"
model = "mistral::open-mistral-nemo"
weight = 0.1
retries = { num_retries = 2, max_delay_s = 10 }
)");
  ASSERT_EQ(imported.models.size(), 3u);
  EXPECT_EQ(imported.models[0].name, "zeta");  // in the order of the file
  EXPECT_EQ(targets_of(model_of(imported, "zeta")),
            (Names{"10.0.0.7-8000/llama", "openai/gpt-4.1"}));
  EXPECT_EQ(targets_of(model_of(imported, "draft")),
            (Names{"vertex/gemini-2.5-pro", "mistral/open-mistral-nemo"}));
  const std::string yaml = write_yaml(imported, "tensorzero", "source");
  EXPECT_TRUE(has(yaml, "vertex/gemini-2.5-pro: 0.9")) << yaml;
  EXPECT_TRUE(has(yaml, "listen: 127.0.0.1:3000")) << yaml;
  EXPECT_TRUE(has(yaml, "api_key: ${MY_KEY}")) << yaml;
  EXPECT_TRUE(has(yaml, "retries: { attempts: 2 }")) << yaml;
  EXPECT_TRUE(has(yaml, "timeouts: { first_byte: 30s, total: 30s }")) << yaml;
}

TEST(Importer, AFileOfAnotherToolIsTold) {
  const std::pair<const char*, const char*> kFiles[] = {
      {"litellm", kTwoOfOne},
      {"portkey", R"({"strategy":{"mode":"single"},"targets":[]})"},
      {"tensorzero", "[models.m]\nrouting = []\n"}};
  for (const auto& [tool, text] : kFiles) {
    for (const auto other : kTools) {
      if (other == tool) continue;
      EXPECT_TRUE(has(error_of(std::string(other), text), std::string("causeway import ") + tool))
          << other << ": " << error_of(std::string(other), text);
    }
  }
  EXPECT_TRUE(has(error_of("litellm", "nothing: here"), "model_list"));
  EXPECT_TRUE(has(error_of("litellm", ""), "none of its sections"));
  EXPECT_TRUE(has(error_of("litellm", "- a\n- b\n"), "none of its sections"));
}

TEST(Importer, WhatCannotBeReadHasItsPlace) {
  EXPECT_TRUE(has(error_of("litellm", "model_list:\n  - a: [1\nb: 2\n"), "source:3:2"))
      << error_of("litellm", "model_list:\n  - a: [1\nb: 2\n");
  EXPECT_TRUE(has(error_of("portkey", "{\"targets\": [ }"), "source:1:"));
  EXPECT_TRUE(has(error_of("tensorzero", "[models]\na = = 1\n"), "source:2:5"))
      << error_of("tensorzero", "[models]\na = = 1\n");
  EXPECT_TRUE(has(error_of("tensorzero", "a = \"\xff\"\n"), "UTF-8"));
}

TEST(Importer, HostileFilesAreRefusedInTime) {
  const std::string deep(100'000, '[');
  EXPECT_NE(error_of("litellm", "model_list: " + deep), "");
  EXPECT_NE(error_of("tensorzero", "models = " + deep), "");
  std::string dots = "models";
  for (int i = 0; i < 1'000'000; ++i) dots += ".a";
  EXPECT_TRUE(has(error_of("tensorzero", dots + " = 1\n"), "1000 dots"));
  std::string level = "models.a";
  for (int i = 0; i < 60; ++i) level += ".a";
  EXPECT_TRUE(has(error_of("tensorzero", level + " = 1\n"), "32 deep"));
  std::string bomb = "model_list:\n  - &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "  - &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) bomb += ", " + before;
    bomb += "]\n";
  }
  EXPECT_TRUE(has(error_of("litellm", bomb), "100000 values")) << error_of("litellm", bomb);
  EXPECT_NE(error_of("litellm", std::string(kMaxSourceBytes + 1, '#')), "");
  EXPECT_NE(error_of("tensorzero", std::string(kMaxSourceBytes + 1, '#')), "");
}

TEST(Secrets, References) {
  EXPECT_EQ(variable_in("os.environ/A_KEY"), "A_KEY");
  EXPECT_EQ(variable_in("env::A_KEY"), "A_KEY");
  EXPECT_EQ(variable_in("{{ A_KEY }}"), "A_KEY");
  EXPECT_EQ(variable_in("{{env.A_KEY}}"), "A_KEY");
  EXPECT_EQ(variable_in("${A_KEY}"), "A_KEY");
  EXPECT_EQ(variable_in("A_KEY"), std::nullopt);
  EXPECT_EQ(variable_in("os.environ/no variable"), std::nullopt);
  EXPECT_EQ(variable_for("my-host.1"), "MY_HOST_1_API_KEY");
}

TEST(ProviderBook, NamesOfServers) {
  EXPECT_EQ(name_of_server("https://my-llm.example.org/v1"), "my-llm");
  EXPECT_EQ(name_of_server("https://api.acme.com/v1"), "acme");
  EXPECT_EQ(name_of_server("http://10.0.0.7:8000/v1"), "10.0.0.7-8000");
  EXPECT_EQ(name_of_server("http://[::1]:8000/v1"), "1-8000");
  EXPECT_EQ(name_of_server("${BASE}"), "");
  EXPECT_EQ(tidy_name("a/b c//d"), "a-b-c-d");
  EXPECT_EQ(tidy_name("///"), "provider");
}

}  // namespace
}  // namespace causeway::app::importer
