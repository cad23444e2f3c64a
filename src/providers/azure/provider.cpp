#include "providers/azure/provider.h"

#include <optional>

#include "core/exchange.h"
#include "platform/text/percent.h"
#include "providers/azure/errors.h"

namespace causeway::azure {
namespace {

class AzureProvider final : public Provider {
 public:
  AzureProvider(std::string name, const AzureConfig& config, const Dialect& dialect,
                const Dialect& responses, std::shared_ptr<AccessToken> token,
                http::Endpoint endpoint, const std::string& path)
      : name_(std::move(name)),
        dialect_(dialect),
        responses_(config.responses ? &responses : nullptr),
        token_(std::move(token)),
        endpoint_(std::move(endpoint)),
        dated_(config.api_version == "v1" ? "" : config.api_version),
        base_(path + (dated_.empty() ? "/openai/v1" : "/openai")),
        paths_(base_, dialect),
        responses_paths_(base_, responses),
        zone_(config.zone),
        stream_usage_(config.stream_usage),
        timeouts_(timeouts_of(config)) {
    if (!config.api_key.empty()) fields_.add("api-key", std::string(config.api_key.reveal()));
    if (!config.token.empty()) {
      fields_.add("authorization", "Bearer " + std::string(config.token.reveal()));
    }
    for (const auto& header : config.headers) fields_.add(header.name, header.value);
  }

  std::string_view name() const override { return name_; }
  std::string_view kind() const override { return "azure.ai.openai"; }
  Zone zone() const override { return zone_; }
  const Dialect& dialect(const Operation& operation, const Target&) const override {
    return is_native(operation) ? *responses_ : dialect_;
  }
  std::optional<std::string_view> base_path() const override { return base_; }
  bool reports_usage() const override { return stream_usage_; }
  const http::Timeouts* timeouts() const override { return timeouts_ ? &*timeouts_ : nullptr; }
  bool serves(OperationKind kind, std::string_view) const override {
    return kind != OperationKind::Moderation;
  }

  Error classify(const Dialect& dialect, int status, std::span<const http::Field> fields,
                 std::string_view body) const override {
    Error error = Provider::classify(dialect, status, fields, body);
    if (status == 400) refine(body, error);
    return error;
  }

  bool waits() const override { return token_ != nullptr; }
  Result<Call> address(const Exchange& exchange, Attempt& attempt) const override {
    return call(*exchange.operation, attempt.target->upstream_model);
  }
  Task<Result<Call>> wait_address(Exchange& exchange, Attempt& attempt) const override {
    auto token = co_await token_->get(*exchange.context, exchange.cancel);
    if (!token) co_return pass(std::move(token));
    Call made = call(*exchange.operation, attempt.target->upstream_model);
    if (!made.made) made.made = std::make_unique<MadeForCall>();
    auto& values = made.made->values;
    values.push_back("Bearer " + std::string((*token)->reveal()));
    auto& fields = made.made->fields;
    fields.assign(made.fields.begin(), made.fields.end());
    fields.push_back({"authorization", values.back()});
    made.fields = fields;
    co_return made;
  }

 private:
  bool is_native(const Operation& operation) const {
    return operation.dialect == responses_ && operation.kind == OperationKind::Chat;
  }
  Call call(const Operation& operation, std::string_view deployment) const {
    Call call{&endpoint_, (is_native(operation) ? responses_paths_ : paths_).of(operation),
              fields_.fields(), nullptr, nullptr};
    if (dated_.empty() || operation.kind == OperationKind::PassThrough) return call;
    call.made = std::make_unique<MadeForCall>();
    call.made->target = base_ + "/deployments/" + text::percent_encoded(deployment);
    call.made->target.append(dialect_.upstream_path(operation));
    call.made->target.append("?api-version=").append(dated_);
    call.target = call.made->target;
    return call;
  }

  std::string name_;
  const Dialect& dialect_;
  const Dialect* responses_;  // null: they are translated
  std::shared_ptr<AccessToken> token_;
  http::Endpoint endpoint_;
  std::string dated_;  // the API version; empty = the v1 form
  std::string base_;
  OperationPaths paths_, responses_paths_;
  Zone zone_;
  bool stream_usage_;
  std::optional<http::Timeouts> timeouts_;
  KeptFields fields_;
};

/// The client credentials grant of Entra ID's v2.0 endpoint (RFC 6749, section 4.4).
Result<std::shared_ptr<AccessToken>> entra_token(const AzureConfig& config, AccessTokens& tokens,
                                                 const EnvironmentVariables& environment) {
  const EntraConfig& entra = *config.entra;
  UpstreamConfig authority;
  authority.base_url = entra.authority;
  authority.ca_file = config.ca_file;
  authority.proxy = config.proxy;
  std::string path;
  auto endpoint = endpoint_of(authority, environment, path);
  if (!endpoint) return pass(std::move(endpoint));
  TokenRequest request;
  request.target = path + "/" + text::percent_encoded(entra.tenant) + "/oauth2/v2.0/token";
  request.fields = {{"content-type", "application/x-www-form-urlencoded"}};
  request.body =
      Secret("grant_type=client_credentials&client_id=" + text::percent_encoded(entra.client_id) +
             "&client_secret=" + text::percent_encoded(entra.client_secret.reveal()) +
             "&scope=" + text::percent_encoded(entra.scope));
  std::string settings = endpoint->id + "\n" + request.target + "\n";
  settings += request.body.reveal();
  return tokens.of(settings, [&] {
    return std::make_shared<AccessToken>(
        *endpoint, [request](Wall) -> Result<TokenRequest> { return request; });
  });
}

/// Some write the path that their client wants behind the endpoint.
void drop_known_path(std::string& path) {
  for (const std::string_view known : {"/v1", "/openai"}) {
    if (path.ends_with(known)) path.resize(path.size() - known.size());
  }
}

}  // namespace

Result<std::unique_ptr<Provider>> make_provider(std::string name, const AzureConfig& config,
                                                const Dialect& dialect, const Dialect& responses,
                                                AccessTokens& tokens,
                                                const EnvironmentVariables& environment) {
  std::string path;
  auto endpoint = endpoint_of(config, environment, path);
  if (!endpoint) return pass(std::move(endpoint));
  drop_known_path(path);
  std::shared_ptr<AccessToken> token;
  if (config.entra) {
    auto made = entra_token(config, tokens, environment);
    if (!made) return pass(std::move(made));
    token = std::move(*made);
  }
  return std::make_unique<AzureProvider>(std::move(name), config, dialect, responses,
                                         std::move(token), std::move(*endpoint), path);
}

}  // namespace causeway::azure
