#include "app/importer/litellm.h"
#include "platform/text/ascii.h"

namespace causeway::app::importer {
namespace {

constexpr std::string_view kDefault =
    "a default for requests; Causeway sends what the application sends: set it there";
constexpr std::string_view kBatch = "only batches use it; Causeway has none yet";
constexpr std::string_view kAws =
    "not here; Causeway takes `access_key_id` and `secret_access_key`, or an `api_key` of Bedrock";

constexpr KnownRemark kParams[] = {
    {"temperature", kDefault},
    {"top_p", kDefault},
    {"max_tokens", kDefault},
    {"max_completion_tokens", kDefault},
    {"frequency_penalty", kDefault},
    {"presence_penalty", kDefault},
    {"stop", kDefault},
    {"seed", kDefault},
    {"stream", kDefault},
    {"thinking", kDefault},
    {"reasoning_effort", kDefault},
    {"extra_body", kDefault},
    {"drop_params", "of one deployment; the policy section `translation` says it for all"},
    {"tags", "targets are not chosen by tags; make a model of its own for them"},
    {"region_name", "targets are not chosen by region; make a model of its own for it"},
    {"mock_response", "only for tests of LiteLLM"},
    {"mock_timeout", "only for tests of LiteLLM"},
    {"max_budget", "no budgets yet; `causeway usage` shows what a target cost"},
    {"budget_duration", "no budgets yet"},
    {"max_parallel_requests", "no limit per target yet; `connections` of a provider comes near"},
    {"input_cost_per_second",
     "prices are per token; `prices.per_hour` is for a server of one's own"},
    {"output_cost_per_second", "prices are per token"},
    {"s3_bucket_name", kBatch},
    {"s3_region_name", kBatch},
    {"s3_access_key_id", kBatch},
    {"s3_secret_access_key", kBatch},
    {"aws_batch_role_arn", kBatch},
    {"aws_role_name", kAws},
    {"aws_session_name", kAws},
    {"aws_profile_name", kAws},
    {"aws_web_identity_token", kAws},
    {"aws_sts_endpoint", kAws},
};

class Reader {
 public:
  Reader(Draft& draft, const Value& entry, std::string path, const Value* credentials)
      : draft_(draft), path_(std::move(path) + ".litellm_params"), entry_(entry) {
    const Value* params = entry.find("litellm_params");
    params_ = params ? params : &entry;
    if (!params) path_.resize(path_.rfind('.'));
    use_credentials(credentials);
  }

  LiteLlmDeployment read() {
    LiteLlmDeployment found;
    found.model_name = take_text(entry_, "model_name").value_or("");
    const std::string model = take_text(*params_, "model").value_or("");
    if (found.model_name.empty()) found.model_name = model;
    found.wildcard =
        model.find('*') != model.npos || found.model_name.find('*') != std::string::npos;
    read_numbers(found);
    const auto [known, name] = provider_and_model(model);
    if (known) found.target = target(*known, name);
    read_info(found);
    draft_.remark_known(*params_, path_, kParams);
    return found;
  }

 private:
  // A credential of the list stands in for what the deployment does not say itself.
  void use_credentials(const Value* credentials) {
    const auto name = take_text(*params_, "litellm_credential_name");
    if (!name || !credentials) return;
    for (const Value& credential : credentials->items) {
      const Value* named = credential.find("credential_name");
      if (named && named->text == *name) shared_ = credential.find("credential_values");
    }
  }

  const Value* param(std::string_view name) const {
    const Value* own = params_->find(name);
    return own || !shared_ ? own : shared_->find(name);
  }
  std::string about(std::string_view name) const { return path_ + "." + std::string(name); }

  void refuse(const std::string& why) { draft_.out.remark(line(), about("model"), why); }
  std::uint32_t line() const {
    const Value* model = params_->find("model");
    return model ? model->at.line : entry_.at.line;
  }

  std::optional<double> number(std::string_view name) {
    const auto own = take_number(*params_, name);
    return own ? own : take_number(entry_, name);
  }

  void read_numbers(LiteLlmDeployment& found) {
    found.rpm = number("rpm");
    found.tpm = number("tpm");
    found.weight = number("weight");
    found.order = number("order");
    if (const auto seconds = number("timeout")) found.waits.total = wait_of(*seconds * 1000);
    if (const auto seconds = number("stream_timeout")) {
      found.waits.first_byte = wait_of(*seconds * 1000);
    }
    for (const std::string_view name : {"num_retries", "max_retries"}) {
      if (const auto tries = number(name)) found.retries = retries_of(*tries);
    }
  }

  // "azure/gpt-4" is Azure's; "gpt-4" is OpenAI's, since everybody knows that.
  std::pair<const KnownProvider*, std::string> provider_and_model(const std::string& model) {
    const auto slash = model.find('/');
    const auto custom = take_text(*params_, "custom_llm_provider");
    const std::string prefix = slash == model.npos ? "" : model.substr(0, slash);
    if (const auto* known = known_provider(custom ? *custom : prefix)) {
      const bool prefixed = known_provider(prefix) == known;
      return {known, prefixed ? model.substr(slash + 1) : model};
    }
    if (const auto* known = provider_of_model(model)) return {known, model};
    if (param("api_base") || param("base_url")) return {known_provider("openai-compatible"), model};
    refuse(model.empty() || model == "*"
               ? "no provider is named; make one entry for each provider"
               : "its provider is not one that Causeway reaches; if it speaks OpenAI's API, add a "
                 "provider of kind openai with its base_url");
    return {nullptr, model};
  }

  std::optional<ImportedTarget> target(const KnownProvider& known, std::string model) {
    const Value* base = param("api_base") ? param("api_base") : param("base_url");
    const std::string url =
        base && base->is_scalar() ? draft_.address(*base, about("api_base")) : "";
    if (known.needs_url && url.empty()) {
      refuse("it has no api_base, and nothing else says where it is");
      return std::nullopt;
    }
    ImportedProvider provider = provider_at(known, url);
    if (known.kind == "bedrock") {
      model = bedrock(provider, std::move(model));
    } else if (known.kind == "vertex") {
      vertex(provider);
    } else {
      key_and_version(provider, known);
    }
    headers(provider);
    for (const std::string_view route : {"responses/", "chat/"}) {
      if (known.name == "openai" && model.starts_with(route)) model.erase(0, route.size());
    }
    if (model.empty()) {
      refuse("no model or deployment is named behind the `/`");
      return std::nullopt;
    }
    return ImportedTarget{.provider = draft_.providers.name_of(std::move(provider)),
                          .model = model};
  }

  void key_and_version(ImportedProvider& provider, const KnownProvider& known) {
    std::optional<Scalar> key;
    const std::string variable =
        known.variable.empty() || (known.name == "openai" && !provider.settings.empty())
            ? variable_for(provider.name)
            : std::string(known.variable);
    if (const Value* value = param("api_key"); value && value->is_scalar()) {
      key = draft_.secrets.take(*value, about("api_key"), variable);
    }
    add_key(provider, known, std::move(key));
    if (known.kind == "azure") {
      if (const Value* version = param("api_version"); version && version->is_scalar()) {
        version->see();
        provider.settings.push_back({"api_version", setting_from(version->text)});
      }
    }
    if (const auto organization = take_text(*params_, "organization");
        organization && known.kind == "openai") {
      provider.settings.push_back({"organization", setting_from(*organization)});
    }
  }

  void setting(ImportedProvider& provider, std::string_view theirs, const std::string& ours) {
    const Value* value = param(theirs);
    if (!value || !value->is_scalar()) return;
    value->see();
    provider.settings.push_back({ours, setting_from(value->text)});
  }
  void secret(ImportedProvider& provider, std::string_view theirs, const std::string& ours,
              std::string variable) {
    const Value* value = param(theirs);
    if (!value || !value->is_scalar()) return;
    provider.settings.push_back(
        {ours, draft_.secrets.take(*value, about(theirs), std::move(variable))});
  }

  // "bedrock/us-west-2/anthropic.claude…", "bedrock/converse/…": way and region before the model.
  std::string bedrock(ImportedProvider& provider, std::string model) {
    for (const std::string_view way : {"converse/", "invoke/"}) {
      if (model.starts_with(way)) model.erase(0, way.size());
    }
    const auto slash = model.find('/');
    setting(provider, "aws_region_name", "region");
    if (slash != model.npos && model.substr(0, slash).find('-') != std::string::npos &&
        !model.starts_with("arn:")) {
      provider.settings.push_back({"region", literal(model.substr(0, slash))});
      model.erase(0, slash + 1);
    }
    secret(provider, "aws_access_key_id", "access_key_id", "AWS_ACCESS_KEY_ID");
    secret(provider, "aws_secret_access_key", "secret_access_key", "AWS_SECRET_ACCESS_KEY");
    secret(provider, "aws_session_token", "session_token", "AWS_SESSION_TOKEN");
    secret(provider, "api_key", "api_key", "AWS_BEARER_TOKEN_BEDROCK");
    if (const Value* end = param("aws_bedrock_runtime_endpoint"); end && end->is_scalar()) {
      provider.settings.push_back({"base_url", {draft_.address(*end, about("api_base"))}});
    }
    return model;
  }

  void vertex(ImportedProvider& provider) {
    setting(provider, "vertex_project", "project");
    setting(provider, "vertex_location", "location");
    const Value* file = param("vertex_credentials");
    if (!file || !file->is_scalar()) return;
    if (file->text.find('{') != std::string::npos && !variable_in(file->text)) {
      file->see();
      draft_.out.remark(file->at.line, about("vertex_credentials"),
                        "a key in clear was not copied; write it to a file and name that as "
                        "`credentials_file`");
      return;
    }
    setting(provider, "vertex_credentials", "credentials_file");
  }

  void headers(ImportedProvider& provider) {
    for (const std::string_view name : {"extra_headers", "headers"}) {
      const Value* table = params_->find(name);
      if (!table || !table->is_table()) continue;
      for (const Member& header : table->members) {
        draft_.add_header(provider, header, about(name));
      }
    }
  }

  void read_info(LiteLlmDeployment& found) {
    const Value* info = entry_.find("model_info");
    for (const auto* table : {params_, info}) {
      if (table && found.target && !found.wildcard) price(*table, found.target->name());
    }
    if (!info) return;
    const std::string path = path_.substr(0, path_.rfind('.')) + ".model_info";
    if (const auto tokens = take_number(*info, "max_input_tokens");
        tokens && found.target && *tokens >= 1 && *tokens <= 1e9) {
      found.target->context = static_cast<std::uint64_t>(*tokens);
    }
    constexpr std::pair<std::string_view, std::string_view> kAbilities[] = {
        {"supports_vision", "vision"}, {"supports_function_calling", "tools"}};
    for (const auto& [theirs, ours] : kAbilities) {
      const auto can = take_switch(*info, theirs);
      if (can && !*can && found.target) found.target->without.emplace_back(ours);
    }
    constexpr KnownRemark kInfo[] = {
        {"id", "nothing to do: a target is called PROVIDER/MODEL"},
        {"mode", "nothing to do: the path of a request says what is asked for"},
        {"max_tokens", "nothing to do: the application says how much it wants"},
        {"max_output_tokens", "nothing to do: the application says how much it wants"},
        {"base_model",
         "prices go by the target's own name; where the catalogue does not know it, "
         "write it under `prices`"},
        {"health_check_timeout", "providers are judged by their answers"},
        {"access_groups", "say in a key which models it may ask for (`models`)"},
        {"team_id", "say in a policy who may ask for the model"},
    };
    draft_.remark_known(*info, path, kInfo);
  }

  void price(const Value& table, const std::string& target) {
    constexpr std::pair<std::string_view, std::string_view> kAmounts[] = {
        {"input_cost_per_token", "input"},
        {"output_cost_per_token", "output"},
        {"cache_read_input_token_cost", "cache_read"},
        {"cache_creation_input_token_cost", "cache_write"}};
    ImportedPrice price{target, {}};
    for (const auto& [theirs, ours] : kAmounts) {
      if (const auto cost = take_number(table, theirs)) {
        price.amounts.push_back({std::string(ours), plain(per_million(*cost))});
      }
    }
    if (price.amounts.empty()) return;
    for (const auto& there : draft_.out.prices) {
      if (there.model == target) return;  // of another deployment of the same
    }
    draft_.out.prices.push_back(std::move(price));
  }

  Draft& draft_;
  std::string path_;
  const Value& entry_;
  const Value* params_ = nullptr;
  const Value* shared_ = nullptr;
};

}  // namespace

LiteLlmDeployment read_deployment(Draft& draft, const Value& entry, const std::string& path,
                                  const Value* credentials) {
  return Reader(draft, entry, path, credentials).read();
}

}  // namespace causeway::app::importer
