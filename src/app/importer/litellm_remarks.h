// What is known of LiteLLM's sections and has no equivalent here.
#pragma once

#include "app/importer/draft.h"

namespace causeway::app::importer {

inline constexpr std::string_view kNothingToDo = "nothing to do: ";
inline constexpr std::string_view kCache = "answers are not cached yet";
inline constexpr std::string_view kRedis =
    "not needed: one Causeway keeps its state itself; several do not share it yet";
inline constexpr std::string_view kBudget =
    "no budgets yet; `causeway usage` shows the spending, and an alert (`when: spend`) can watch "
    "it";
inline constexpr std::string_view kDatabase =
    "not needed: keys, usage and traces are kept in `server.data`";
inline constexpr std::string_view kKeys =
    "what a key may do is said when it is made (`causeway keys create`) and by policies";
inline constexpr std::string_view kJwt = "callers have keys here; JSON Web Tokens are not read yet";
inline constexpr std::string_view kPython = "code of yours in Python; Causeway has no place for it";

inline constexpr KnownRemark kLibrary[] = {
    {"cache", kCache},
    {"cache_params", kCache},
    {"redis_host", kRedis},
    {"redis_port", kRedis},
    {"redis_password", kRedis},
    {"redis_url", kRedis},
    {"max_budget", kBudget},
    {"budget_duration", kBudget},
    {"max_internal_user_budget", kBudget},
    {"internal_user_budget_duration", kBudget},
    {"default_internal_user_params", kKeys},
    {"default_team_settings", "callbacks by team: policies by tenant choose what is traced"},
    {"upperbound_key_generate_params", kKeys},
    {"telemetry", "nothing to do: Causeway reports to nobody"},
    {"turn_off_message_logging", "nothing to do: contents are kept only where a policy says so"},
    {"redact_user_api_key_info", "nothing to do: keys are never in traces or logs"},
    {"redact_messages_in_exceptions", "nothing to do: errors never hold people's words"},
    {"include_cost_in_streaming_usage", "nothing to do: the cost is in usage and headers"},
    {"suppress_debug_info", "nothing to do"},
    {"modify_params", "requests are translated, never mended; what a target cannot take is named"},
    {"default_max_internal_user_budget", kBudget},
    {"enable_json_schema_validation", "answers are not validated; schemas go to the provider"},
    {"force_ipv4", "both kinds of address are tried"},
    {"ssl_verify", "certificates are always verified; `ca_file` of a provider adds your own"},
    {"mcp_aliases", "MCP servers are not served"},
    {"websearch_interception_params", "no tools are run for the application"},
};

inline constexpr KnownRemark kRouter[] = {
    {"redis_host", kRedis},
    {"redis_port", kRedis},
    {"redis_password", kRedis},
    {"redis_url", kRedis},
    {"redis_db", kRedis},
    {"cache_responses", kCache},
    {"cache_kwargs", kCache},
    {"allowed_fails_policy", "failures are counted alike, whatever their kind (`breaker`)"},
    {"retry_after", "how long it waits before it tries again is Causeway's own decision"},
    {"retry_policy", "retries are the same for every kind of error that may end better"},
    {"enable_pre_call_checks", "nothing to do: targets that cannot take a request are passed over"},
    {"enable_tag_filtering", "targets are not chosen by tags; make a model of its own for each"},
    {"routing_strategy_args", "the strategy has no settings here"},
    {"provider_budget_config", kBudget},
    {"set_verbose", "see `log.level`"},
    {"debug_level", "see `log.level`"},
    {"optional_pre_call_checks", "not known here"},
};

inline constexpr KnownRemark kGeneral[] = {
    {"database_url", kDatabase},
    {"database_connection_pool_limit", kDatabase},
    {"database_connection_timeout", kDatabase},
    {"store_model_in_db", kDatabase},
    {"store_prompts_in_spend_logs",
     "contents are kept where a policy says `traces: { contents: on }`"},
    {"disable_spend_logs", "usage is always accounted; it holds no contents"},
    {"disable_adding_master_key_hash_to_db", kDatabase},
    {"proxy_batch_write_at", kDatabase},
    {"use_redis_transaction_buffer", kDatabase},
    {"proxy_budget_rescheduler_min_time", kBudget},
    {"proxy_budget_rescheduler_max_time", kBudget},
    {"custom_auth", kPython},
    {"custom_key_generate", kPython},
    {"custom_sso", kPython},
    {"enable_jwt_auth", kJwt},
    {"litellm_jwtauth", kJwt},
    {"allowed_routes", "policies say which models and which pass-through may be asked for"},
    {"public_routes", "every route needs a key, but health"},
    {"allowed_ips", "not here; a firewall or what ends TLS in front can say it"},
    {"key_management_system", "secrets come from the environment or from files (`file:/path`)"},
    {"key_management_settings", "secrets come from the environment or from files (`file:/path`)"},
    {"use_client_credentials_pass_through_routes", "callers' credentials never reach a provider"},
    {"background_health_checks", "providers are judged by their answers"},
    {"health_check_interval", "providers are judged by their answers"},
    {"health_check_details", "`causeway providers` shows how each has done"},
    {"alert_types", "docs/alerts.md names the rules that are there"},
    {"alerting_args", "docs/alerts.md says what can be set"},
    {"alert_to_webhook_url", "receivers are under `alerts.receivers`, one by one"},
    {"ui_access_mode", "the console stands at the admin port and wants an admin key"},
    {"pass_through_endpoints",
     "only what is below a provider's own address is passed through (/providers/NAME/…), where a "
     "policy allows it (`pass_through`)"},
    {"control_plane_url", "not known here"},
};

inline constexpr KnownRemark kSections[] = {
    {"finetune_settings", "fine-tuning jobs of a provider: `pass_through` (docs/pass-through.md)"},
    {"files_settings", "files of a provider: `pass_through` (docs/pass-through.md)"},
    {"vector_store_registry", "retrieval is not there yet"},
    {"vector_store_settings", "retrieval is not there yet"},
    {"mcp_servers", "MCP servers are not served"},
    {"mcp_tools", "MCP servers are not served"},
    {"search_tools", "no tools are run for the application"},
    {"agent_list", "agents are not served"},
    {"prompts", "prompt templates are not there yet"},
    {"policies", "policies of guardrails: see the policy section `pii`"},
    {"policy_attachments", "policies of guardrails: see the policy section `pii`"},
    {"callback_settings", "see `otlp`"},
};

}  // namespace causeway::app::importer
