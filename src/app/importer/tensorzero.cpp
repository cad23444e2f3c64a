#include "app/importer/tensorzero.h"

#include <algorithm>

namespace causeway::app::importer {
namespace {

constexpr std::string_view kTemplates =
    "prompt templates and schemas are not there yet: the application writes its prompts";
constexpr std::string_view kDefault =
    "a default for requests; Causeway sends what the application sends: set it there";
constexpr std::string_view kData = "not needed: keys, usage and traces are kept in `server.data`";

constexpr KnownRemark kSections[] = {
    {"metrics", "feedback is not taken yet"},
    {"evaluations", "see `causeway test-cases` for recorded requests that are asked again"},
    {"optimizers", "models are not tuned yet"},
    {"tools", "tools come from the application"},
    {"rate_limiting", "no rate limits yet"},
    {"object_storage", kData},
    {"clickhouse", kData},
    {"postgres", kData},
    {"autopilot", "not known here"},
};

constexpr KnownRemark kGateway[] = {
    {"observability", "what is recorded is said by policies (`traces`) and by `traces`"},
    {"template_filesystem_access", kTemplates},
    {"unstable_disable_feedback_target_validation", "feedback is not taken yet"},
    {"fetch_and_encode_input_files_before_inference", "files go to the provider as they came"},
    {"base_path", "paths begin at /v1"},
    {"disable_pseudonymous_usage_analytics", "nothing to do: Causeway reports to nobody"},
    {"metrics", "nothing to do: /metrics of the admin port is always there"},
    {"cache", "answers are not cached yet"},
    {"relay", "a gateway behind is a provider of kind openai with its base_url"},
};

constexpr KnownRemark kVariant[] = {
    {"system_template", kTemplates},
    {"user_template", kTemplates},
    {"assistant_template", kTemplates},
    {"templates", kTemplates},
    {"input_wrappers", kTemplates},
    {"json_mode", "the application asks for it (`response_format`)"},
    {"temperature", kDefault},
    {"top_p", kDefault},
    {"max_tokens", kDefault},
    {"seed", kDefault},
    {"presence_penalty", kDefault},
    {"frequency_penalty", kDefault},
    {"stop_sequences", kDefault},
    {"reasoning_effort", kDefault},
    {"thinking_budget_tokens", kDefault},
    {"verbosity", kDefault},
    {"service_tier", kDefault},
    {"extra_body", kDefault},
    {"extra_headers", "headers belong to a provider (`headers`)"},
};

constexpr KnownRemark kFunction[] = {
    {"description", "only a description"},
    {"system_schema", kTemplates},
    {"user_schema", kTemplates},
    {"assistant_schema", kTemplates},
    {"schemas", kTemplates},
    {"output_schema", "the application sends it (`response_format`)"},
    {"tools", "tools come from the application"},
    {"tool_choice", "tools come from the application"},
    {"parallel_tool_calls", "tools come from the application"},
    {"evaluators", "see `causeway test-cases`"},
    {"experimentation", "variants became weighted targets of one model"},
};

class TensorZero {
 public:
  explicit TensorZero(const Value& root) : root_(root), draft_(root) {}

  Imported read() {
    defaults_ = root_.find("provider_types");
    for (const std::string_view section : {"models", "embedding_models"}) read_models(section);
    read_functions();
    read_gateway();
    draft_.remark_known(root_, "", kSections);
    return draft_.finish(root_);
  }

 private:
  void read_models(std::string_view section) {
    const Value* models = root_.find(section);
    if (!models) return;
    for (const Member& member : models->members) {
      if (!member.value.is_table()) continue;
      read_model(member, std::string(section) + "." + printable(member.name, 60));
    }
  }

  void read_model(const Member& member, const std::string& path) {
    const Value& table = member.value;
    const Value* providers = table.find("providers");
    std::vector<std::string> order;
    if (const Value* routing = table.find("routing")) order = texts_of(*routing);
    if (providers) {
      for (const Member& provider : providers->members) {
        if (std::ranges::count(order, provider.name) != 0) continue;
        draft_.out.remark(provider.line, path + ".providers." + printable(provider.name, 40),
                          "not in `routing`, which is why it is no target");
        provider.value.see();
      }
    }
    std::vector<ImportedTarget> targets;
    Waits waits = take_tensorzero_waits(table);
    for (const std::string& name : order) {
      const Value* provider = providers ? providers->find(name) : nullptr;
      if (!provider || !provider->is_table()) {
        if (auto target = short_target(draft_, name, defaults_, table.at))
          targets.push_back(*target);
        continue;
      }
      const std::string where = path + ".providers." + printable(name, 40);
      auto target = read_tensorzero_provider(draft_, *provider, where, defaults_);
      longer(waits, take_tensorzero_waits(*provider));
      if (target) targets.push_back(std::move(*target));
    }
    draft_.remark_member(table, path, "skip_relay", "not known here");
    draft_.limit_model(member.name, waits, std::nullopt);
    ImportedModel& model = draft_.model(member.name, member.line);
    for (auto& target : targets) add_target(model, std::move(target));
  }

  static void longer(Waits& waits, const Waits& other) {
    if (other.total) waits.total = std::max(waits.total.value_or(Millis(0)), *other.total);
    if (other.first_byte) {
      waits.first_byte = std::max(waits.first_byte.value_or(Millis(0)), *other.first_byte);
    }
  }

  // A function becomes a model of its name: its variants are the targets, by their weights.
  void read_functions() {
    const Value* functions = root_.find("functions");
    if (!functions) return;
    for (const Member& function : functions->members) {
      const std::string path = "functions." + printable(function.name, 60);
      if (take_text(function.value, "type") == "json") {
        draft_.out.remark(function.line, path,
                          "of type json: the application asks for JSON (`response_format`)");
      }
      draft_.remark_known(function.value, path, kFunction);
      if (draft_.find_model(function.name)) {
        function.value.see();
        draft_.out.remark(function.line, path, "left out: there is a model of that name");
        continue;
      }
      read_function(function, path);
    }
  }

  void read_function(const Member& function, const std::string& path) {
    const Value* variants = function.value.find("variants");
    if (!variants) return;
    std::vector<ImportedTarget> targets;
    bool weighted = false;
    for (const Member& variant : variants->members) {
      weighted = weighted || variant.value.find("weight");
    }
    for (const Member& variant : variants->members) {
      const std::string where = path + ".variants." + printable(variant.name, 40);
      for (auto& target : read_variant(function.name, variant, where, weighted)) {
        targets.push_back(std::move(target));
      }
    }
    ImportedModel& model = draft_.model(function.name, function.line);
    for (auto& target : targets) add_target(model, std::move(target));
    model.strategy = "weighted";
    const bool none =
        std::ranges::all_of(model.targets, [](const auto& t) { return t.weight == 0; });
    for (auto& target : model.targets) target.weight = none ? 1 : target.weight;
  }

  std::vector<ImportedTarget> read_variant(const std::string& function, const Member& variant,
                                           const std::string& path, bool weighted) {
    const Value& table = variant.value;
    const auto type = take_text(table, "type").value_or("chat_completion");
    const double weight =
        std::clamp(take_number(table, "weight").value_or(weighted ? 0 : 1), 0.0, 1e6);
    if (type != "chat_completion") {
      table.see();
      draft_.out.remark(variant.line, path, "left out: a variant of type " + printable(type, 40));
      return {};
    }
    const auto name = take_text(table, "model").value_or("");
    draft_.remark_known(table, path, kVariant);
    limit_function(function, table, path);
    std::vector<ImportedTarget> targets;
    if (const ImportedModel* model = draft_.find_model(name)) {
      targets = model->targets;
    } else if (auto target = short_target(draft_, name, defaults_, table.at)) {
      targets.push_back(std::move(*target));
    } else {
      draft_.out.remark(variant.line, path + ".model",
                        "left out: there is no model \"" + printable(name, 60) + '"');
    }
    for (std::size_t i = 0; i < targets.size(); ++i) targets[i].weight = i == 0 ? weight : 0;
    return targets;
  }

  void limit_function(const std::string& function, const Value& variant, const std::string& path) {
    std::optional<int> retries;
    if (const Value* table = variant.find("retries"); table && table->is_table()) {
      if (const auto tries = take_number(*table, "num_retries")) retries = retries_of(*tries);
      draft_.remark_member(*table, path + ".retries", "max_delay_s",
                           "how long it waits before it tries again is Causeway's own decision");
    }
    draft_.limit_model(function, take_tensorzero_waits(variant), retries);
  }

  void read_gateway() {
    const Value* gateway = root_.find("gateway");
    if (!gateway) return;
    listen(*gateway);
    if (take_switch(*gateway, "debug").value_or(false)) {
      draft_.out.log.push_back({"level", literal("debug")});
    }
    if (const auto wait = take_number(*gateway, "global_outbound_http_timeout_ms")) {
      draft_.everyone.waits.total = wait_of(*wait);
    }
    draft_.remark_member(*gateway, "gateway", "auth",
                         "Causeway always wants a key: `causeway keys create`; the old keys are "
                         "not taken over");
    if (const Value* sent = gateway->find("export")) otlp(*sent);
    draft_.remark_known(*gateway, "gateway", kGateway);
  }

  // An address beyond this machine is said by the operator, in so many words.
  void listen(const Value& gateway) {
    const Value* value = gateway.find("bind_address");
    if (!value || !value->is_scalar()) return;
    value->see();
    const auto colon = value->text.rfind(':');
    const std::string port = colon == std::string::npos ? "" : value->text.substr(colon + 1);
    const bool number = !port.empty() && port.size() <= 5 &&
                        port.find_first_not_of("0123456789") == port.npos &&
                        std::stoi(port) <= 65535;
    if (number) draft_.out.server.push_back({"listen", literal("127.0.0.1:" + port)});
    if (number && value->text.starts_with("127.0.0.1:")) return;
    draft_.out.remark(value->at.line, "gateway.bind_address",
                      "listens on this machine only, until `server.listen` names another address "
                      "and `server.plain_text_beyond_loopback` says that plain text is meant");
  }

  void otlp(const Value& sent) {
    const Value* part = sent.find("otlp");
    const Value* traces = part ? part->find("traces") : nullptr;
    if (!traces) return;
    if (take_switch(*traces, "enabled").value_or(false)) {
      draft_.out.otlp_endpoint = reference("OTEL_EXPORTER_OTLP_ENDPOINT");
      draft_.out.remark(traces->at.line, "gateway.export.otlp",
                        "sent as JSON over HTTP (port 4318 of most receivers), without "
                        "/v1/traces in the address");
    }
    constexpr KnownRemark kTraces[] = {
        {"format", "the names are those of OpenTelemetry for generative AI"},
        {"extra_headers", "write them under `otlp.headers`"},
    };
    draft_.remark_known(*traces, "gateway.export.otlp.traces", kTraces);
  }

  const Value& root_;
  Draft draft_;
  const Value* defaults_ = nullptr;
};

}  // namespace

Imported import_tensorzero(const Value& root) { return TensorZero(root).read(); }

}  // namespace causeway::app::importer
