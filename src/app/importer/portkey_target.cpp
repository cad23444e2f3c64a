#include "app/importer/portkey.h"

namespace causeway::app::importer {
namespace {

class Reader {
 public:
  Reader(Draft& draft, const Value& target, std::string path, const PortkeyNames& names)
      : draft_(draft), target_(target), path_(std::move(path)), names_(names) {}

  std::optional<PortkeyTarget> read() {
    read_model();
    const KnownProvider* known = find_provider();
    if (!known) return std::nullopt;
    const Value* host = target_.find("custom_host");
    std::string url = host && host->is_scalar() ? draft_.address(*host, about("custom_host")) : "";
    if (known->kind == "azure") url = azure_url(std::move(url));
    if (known->needs_url && url.empty()) {
      return refuse("nothing says where it is (custom_host)");
    }
    ImportedProvider provider = provider_at(*known, url);
    if (known->kind == "bedrock") {
      bedrock(provider);
    } else if (known->kind == "vertex") {
      vertex(provider);
    } else if (known->kind != "azure" || !target_.find("azure_ad_token")) {
      key(provider, *known);
    }
    if (known->kind == "openai") {
      setting(provider, "openai_organization", "organization");
      setting(provider, "openai_project", "project");
    }
    if (known->kind == "azure") azure(provider);
    return named(draft_.providers.name_of(std::move(provider)));
  }

 private:
  std::string about(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  }
  std::nullopt_t refuse(const std::string& why) {
    draft_.out.remark(target_.at.line, path_.empty() ? "target" : path_, "left out: " + why);
    return std::nullopt;
  }

  void read_model() {
    const Value* params = target_.find("override_params");
    if (params && params->is_table()) {
      model_ = take_text(*params, "model").value_or("");
      for (const Member& member : params->members) {
        if (member.name == "model") continue;
        member.value.see();
        draft_.out.remark(member.line, about("override_params") + "." + printable(member.name, 40),
                          "Causeway sends what the application sends: set it there");
      }
    }
    // A deployment is asked for by its own name, whatever model it is of. Portkey's gateway knows
    // the members without "azure_", its headers those with it.
    for (const auto name : {"azure_deployment_name", "azure_deployment_id", "deployment_id"}) {
      if (const auto deployment = take_text(target_, name)) model_ = *deployment;
    }
    if (const auto name = take_text(target_, "azure_model_name"); name && model_.empty()) {
      model_ = *name;
    }
    // "@openai-prod/gpt-4o": an integration of Portkey's and the model behind it.
    if (!model_.starts_with('@')) return;
    const auto slash = model_.find('/');
    label_ = model_.substr(1, slash == model_.npos ? slash : slash - 1);
    model_ = slash == model_.npos ? "" : model_.substr(slash + 1);
  }

  const KnownProvider* find_provider() {
    const Value* given = target_.find("provider");
    const auto name = take_text(target_, "provider");
    if (const auto virtual_key = take_text(target_, "virtual_key")) label_ = *virtual_key;
    if (name && name->starts_with('@')) label_ = name->substr(1);
    if (name && !name->starts_with('@')) {
      if (const auto* known = known_provider(*name)) return vault(known);
      if (target_.find("custom_host")) return known_provider("openai-compatible");
      draft_.out.remark(given->at.line, about("provider"),
                        "left out: not one that Causeway reaches; if it speaks OpenAI's API, add a "
                        "provider of kind openai with its base_url");
      return nullptr;
    }
    const KnownProvider* known = provider_of_model(model_);
    if (!known) known = provider_in_label(label_);
    if (!known && target_.find("custom_host")) known = known_provider("openai-compatible");
    if (!known) {
      (void)refuse("which provider it is stands in Portkey's vault only; add it by hand");
      return nullptr;
    }
    return vault(known);
  }

  const KnownProvider* vault(const KnownProvider* known) {
    if (label_.empty()) return known;
    const std::string variable =
        known->variable.empty() ? "its credentials" : std::string(known->variable);
    draft_.out.remark(target_.at.line, about("virtual_key"),
                      "taken for " + std::string(known->name) +
                          "; its key stands in Portkey's vault: put it into the environment (" +
                          variable + ")");
    return known;
  }

  std::string azure_url(std::string url) {
    auto resource = take_text(target_, "azure_resource_name");
    if (const auto plain = take_text(target_, "resource_name")) resource = plain;
    const Value* foundry = target_.find("azure_foundry_url");
    if (url.empty() && foundry && foundry->is_scalar()) {
      url = draft_.address(*foundry, about("azure_foundry_url"));
    }
    if (!url.empty() || !resource) return url;
    return "https://" + setting_from(*resource).text + ".openai.azure.com";
  }

  void key(ImportedProvider& provider, const KnownProvider& known) {
    std::optional<Scalar> key;
    const Value* value = target_.find("api_key");
    if (value && value->is_scalar()) {
      key = draft_.secrets.take(
          *value, about("api_key"),
          known.variable.empty() ? variable_for(provider.name) : std::string(known.variable));
    }
    add_key(provider, known, std::move(key));
  }

  void setting(ImportedProvider& provider, std::string_view theirs, const std::string& ours) {
    const auto text = take_text(target_, theirs);
    if (text) provider.settings.push_back({ours, setting_from(*text)});
  }
  void secret(ImportedProvider& provider, std::string_view theirs, const std::string& ours,
              std::string variable) {
    const Value* value = target_.find(theirs);
    if (!value || !value->is_scalar()) return;
    provider.settings.push_back(
        {ours, draft_.secrets.take(*value, about(theirs), std::move(variable))});
  }

  void azure(ImportedProvider& provider) {
    const bool plain = target_.find("api_version") != nullptr;
    if (plain) (void)take_text(target_, "azure_api_version");
    setting(provider, plain ? "api_version" : "azure_api_version", "api_version");
    secret(provider, "azure_ad_token", "token", "AZURE_AD_TOKEN");
    for (const auto name : {"azure_entra_tenant_id", "azure_entra_client_id",
                            "azure_entra_client_secret", "azure_entra_scope"}) {
      draft_.remark_member(target_, path_, name,
                           "not copied: credentials of Entra stand in the provider's `entra: { "
                           "tenant, client_id, client_secret }`");
    }
    draft_.remark_member(target_, path_, "azure_managed_client_id",
                         "managed identities are not used; the provider's `entra` or `api_key` is");
  }
  void bedrock(ImportedProvider& provider) {
    setting(provider, "aws_region", "region");
    secret(provider, "aws_access_key_id", "access_key_id", "AWS_ACCESS_KEY_ID");
    secret(provider, "aws_secret_access_key", "secret_access_key", "AWS_SECRET_ACCESS_KEY");
    secret(provider, "aws_session_token", "session_token", "AWS_SESSION_TOKEN");
  }
  void vertex(ImportedProvider& provider) {
    setting(provider, "vertex_project_id", "project");
    setting(provider, "vertex_region", "location");
    draft_.remark_member(target_, path_, "vertex_service_account_json",
                         "not copied: write it to a file and name that as `credentials_file`");
  }

  PortkeyTarget named(std::string provider) {
    const bool said = !model_.empty();
    if (!said) model_ = names_.target_model;
    if (model_.empty()) model_ = "MODEL";
    return {std::move(provider), model_, said};
  }

  Draft& draft_;
  const Value& target_;
  std::string path_;
  const PortkeyNames& names_;
  std::string model_, label_;
};

}  // namespace

std::optional<PortkeyTarget> read_portkey_target(Draft& draft, const Value& target,
                                                 const std::string& path,
                                                 const PortkeyNames& names) {
  return Reader(draft, target, path, names).read();
}

}  // namespace causeway::app::importer
