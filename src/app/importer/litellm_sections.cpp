#include <algorithm>

#include "app/importer/litellm.h"
#include "app/importer/litellm_remarks.h"
#include "platform/config/values.h"
#include "platform/text/ascii.h"

namespace causeway::app::importer {
namespace {

// Presidio's entities, and what docs/pii-types.md calls them.
constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
    {"EMAIL_ADDRESS", "email"}, {"PHONE_NUMBER", "phone"}, {"CREDIT_CARD", "card"},
    {"IBAN_CODE", "iban"},      {"IP_ADDRESS", "ip"},      {"US_SSN", "national_id"},
    {"PERSON", "person"},
};

class Sections {
 public:
  Sections(Draft& draft, const Value& root) : draft_(draft), root_(root) {}

  void read() {
    with("litellm_settings",
         [&](const Value& table, const std::string& path) { read_library(table, path); });
    with("router_settings", [&](const Value& table, const std::string& path) {
      read_waits(table, path);
      draft_.remark_known(table, path, kRouter);
    });
    with("general_settings",
         [&](const Value& table, const std::string& path) { read_general(table, path); });
    read_guardrails();
    read_variables();
    draft_.remark_known(root_, "", kSections);
    if (const Value* list = root_.find("credential_list")) {
      for (const Value& entry : list->items) (void)take_text(entry, "credential_name");
    }
  }

 private:
  template <class F>
  void with(const std::string& name, F read) {
    const Value* table = root_.find(name);
    if (table && table->is_table()) read(*table, name);
  }

  void read_waits(const Value& table, const std::string& path) {
    for (const std::string_view name : {"request_timeout", "timeout"}) {
      if (const auto seconds = take_number(table, name)) {
        draft_.everyone.waits.total = wait_of(*seconds * 1000);
      }
    }
    if (const auto seconds = take_number(table, "stream_timeout")) {
      draft_.everyone.waits.first_byte = wait_of(*seconds * 1000);
    }
    if (const auto tries = take_number(table, "num_retries")) {
      draft_.everyone.retries = retries_of(*tries);
    }
    read_breaker(table, path);
    draft_.remark_member(table, path, "max_fallbacks", "every target of a model may be asked");
  }

  // LiteLLM counts the failures of a minute, and lets so many pass.
  void read_breaker(const Value& table, const std::string& path) {
    const Value* allowed = table.find("allowed_fails");
    auto failures = take_number(table, "allowed_fails");
    if (failures) {
      *failures += 1;
      draft_.out.remark(allowed->at.line, path + ".allowed_fails",
                        "became `breaker: failures`, which counts those in a row, not those of a "
                        "minute");
    }
    std::optional<Millis> rest;
    if (const auto seconds = take_number(table, "cooldown_time")) rest = wait_of(*seconds * 1000);
    draft_.rest_after(failures, rest);
    if (take_switch(table, "disable_cooldowns").value_or(false)) draft_.out.breaker = "off";
  }

  void read_library(const Value& table, const std::string& path) {
    read_waits(table, path);
    if (take_switch(table, "drop_params").value_or(false)) draft_.everyone.drop_unsupported = true;
    if (take_switch(table, "json_logs").value_or(false)) {
      draft_.out.log.push_back({"format", literal("json")});
    }
    if (take_switch(table, "set_verbose").value_or(false)) {
      draft_.out.log.push_back({"level", literal("debug")});
    }
    for (const std::string_view name :
         {"callbacks", "success_callback", "failure_callback", "service_callback"}) {
      if (const Value* list = table.find(name))
        read_callbacks(*list, path + "." + std::string(name));
    }
    draft_.remark_known(table, path, kLibrary);
  }

  void read_callbacks(const Value& list, const std::string& about) {
    for (const std::string& name : texts_of(list)) {
      std::string text;
      if (name == "otel" || name == "opentelemetry" || name == "arize" || name == "arize_phoenix" ||
          name == "langfuse_otel") {
        draft_.out.otlp_endpoint = reference("OTEL_EXPORTER_OTLP_ENDPOINT");
        if (name != "otel" && name != "opentelemetry") {
          text =
              "it takes OpenTelemetry: its address goes into OTEL_EXPORTER_OTLP_ENDPOINT, its "
              "credentials into `otlp.headers`";
        }
      } else if (name == "prometheus") {
        text = std::string(kNothingToDo) + "/metrics of the admin port is always there";
      } else if (name.starts_with("langfuse") || name == "langsmith" || name == "datadog") {
        text =
            "Causeway records traces itself (`causeway traces`); this service also takes "
            "OpenTelemetry: see `otlp`";
      } else if (name.find('.') != std::string::npos) {
        text = kPython;
      } else {
        text =
            "Causeway records traces itself (`causeway traces`) and sends them on by `otlp`; "
            "there is nothing for this service";
      }
      if (!text.empty()) draft_.out.remark(list.at.line, about + ": " + printable(name, 40), text);
    }
  }

  void read_general(const Value& table, const std::string& path) {
    draft_.remark_member(table, path, "master_key",
                         "not copied: Causeway makes an admin key at its first start and shows it "
                         "once; keys for applications: `causeway keys create`");
    if (const auto megabytes = take_number(table, "max_request_size_mb");
        megabytes && *megabytes >= 1) {
      const int size = static_cast<int>(std::min(*megabytes, 1024.0));
      draft_.out.body_limit = plain(std::to_string(size) + "MiB");
    }
    if (const Value* names = table.find("alerting")) {
      for (const std::string& name : texts_of(*names)) {
        if (name == "slack") {
          draft_.out.slack_url = reference("SLACK_WEBHOOK_URL");
        } else {
          draft_.out.remark(names->at.line, path + ".alerting: " + printable(name, 40),
                            "receivers are webhook, slack and email (docs/alerts.md)");
        }
      }
    }
    if (const auto seconds = take_number(table, "alerting_threshold")) {
      draft_.out.slow_after = config::print_duration(wait_of(*seconds * 1000));
    }
    for (const std::string_view name : {"max_parallel_requests", "global_max_parallel_requests"}) {
      draft_.remark_member(table, path, name,
                           "no limit per key yet; `server.limits.exchanges` bounds all together");
    }
    draft_.remark_known(table, path, kGeneral);
  }

  void read_guardrails() {
    const Value* list = root_.find("guardrails");
    if (!list) return;
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      const Value& entry = list->items[i];
      const Value* params = entry.find("litellm_params");
      const auto kind = params ? take_text(*params, "guardrail") : std::nullopt;
      const std::string about = "guardrails[" + std::to_string(i) + "]";
      if (kind == "presidio") {
        read_presidio(entry, *params, about);
      } else if (kind == "hide-secrets" || kind == "hide_secrets") {
        draft_.everyone.pii = "mask";
        draft_.out.remark(entry.at.line, about, "became `pii: mask`, which finds keys and more");
      } else {
        draft_.out.remark(entry.at.line, about,
                          "no service for guarding is asked; what Causeway has is `pii` "
                          "(docs/pii.md)");
      }
      entry.see();
    }
    if (list->items.empty()) {
      list->see();
      draft_.out.remark(list->at.line, "guardrails", "see the policy section `pii`");
    }
  }

  void read_presidio(const Value& entry, const Value& params, const std::string& about) {
    draft_.everyone.pii = "mask";
    std::string remark =
        "became `pii: mask` for external targets, for all requests; Causeway finds "
        "personal data itself and asks no server";
    const Value* entities = params.find("pii_entities_config");
    if (entities) {
      for (const Member& entity : entities->members) {
        const auto known =
            std::ranges::find(kEntities, entity.name, [](const auto& pair) { return pair.first; });
        const bool block = text::equals_ignore_case(entity.value.text, "BLOCK");
        if (known == std::end(kEntities)) {
          draft_.out.remark(entity.line, about + "." + printable(entity.name, 40),
                            "docs/pii-types.md names the kinds that are found");
        } else if (block) {
          draft_.everyone.pii_kinds.push_back({std::string(known->second), "block"});
        }
        if (entity.name == "PERSON") remark += "; names of persons: `pii: { model: names }`";
      }
    }
    draft_.out.remark(entry.at.line, about, remark);
  }

  // What stands there may be secret: only the names are said.
  void read_variables() {
    const Value* table = root_.find("environment_variables");
    if (!table) return;
    for (const Member& member : table->members) {
      draft_.out.remark(member.line, "environment_variables." + printable(member.name, 60),
                        "not copied: set it in the environment of Causeway, if it is still used");
    }
    table->see();
  }

  Draft& draft_;
  const Value& root_;
};

}  // namespace

void read_litellm_sections(Draft& draft, const Value& root) { Sections(draft, root).read(); }

}  // namespace causeway::app::importer
