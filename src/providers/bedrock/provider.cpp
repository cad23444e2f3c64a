#include "providers/bedrock/provider.h"

#include <optional>

#include "core/exchange.h"
#include "platform/text/percent.h"
#include "providers/bedrock/sigv4.h"

namespace causeway::bedrock {
namespace {

class BedrockProvider final : public Provider {
 public:
  BedrockProvider(std::string name, const BedrockConfig& config, const Dialect& dialect,
                  http::Endpoint endpoint, std::string path)
      : name_(std::move(name)),
        dialect_(dialect),
        endpoint_(std::move(endpoint)),
        host_(endpoint_.authority()),
        models_(std::move(path) + "/model/"),
        region_(config.region),
        credentials_{config.access_key_id, config.secret_access_key, config.session_token},
        zone_(config.zone),
        timeouts_(timeouts_of(config)) {
    if (!config.api_key.empty()) {
      fields_.add("authorization", "Bearer " + std::string(config.api_key.reveal()));
    } else if (!credentials_.session_token.empty()) {
      fields_.add("x-amz-security-token", std::string(credentials_.session_token.reveal()));
    }
    for (const auto& header : config.headers) fields_.add(header.name, header.value);
  }

  std::string_view name() const override { return name_; }
  std::string_view kind() const override { return "aws.bedrock"; }
  Zone zone() const override { return zone_; }
  const Dialect& dialect(const Operation&, const Target&) const override { return dialect_; }
  const http::Timeouts* timeouts() const override { return timeouts_ ? &*timeouts_ : nullptr; }
  bool serves(OperationKind kind, std::string_view) const override {
    return kind == OperationKind::Chat || kind == OperationKind::CountTokens;
  }

  Result<Call> address(const Exchange& exchange, Attempt& attempt) const override {
    Call call;
    call.endpoint = &endpoint_;
    call.made = std::make_unique<MadeForCall>();
    MadeForCall& made = *call.made;
    made.target = models_ + text::percent_encoded(attempt.target->upstream_model);
    made.target += exchange.index.stream ? "/converse-stream" : "/converse";
    made.fields.assign(fields_.fields().begin(), fields_.fields().end());
    if (!credentials_.empty()) add_signature(exchange, attempt.translated, made);
    call.target = made.target;
    call.fields = made.fields;
    return call;
  }

 private:
  void add_signature(const Exchange& exchange, std::string_view body, MadeForCall& made) const {
    ToSign request;
    request.host = host_;
    request.path = made.target;
    request.body = body;
    request.region = region_;
    request.service = "bedrock";
    request.time = exchange.context->clock->wall();
    Signed signature = sign(request, credentials_);
    made.fields.push_back({"x-amz-date", made.values.emplace_back(std::move(signature.date))});
    made.fields.push_back(
        {"authorization", made.values.emplace_back(std::move(signature.authorization))});
  }

  std::string name_;
  const Dialect& dialect_;
  http::Endpoint endpoint_;
  std::string host_, models_, region_;
  Credentials credentials_;  // empty: an API key is sent
  Zone zone_;
  std::optional<http::Timeouts> timeouts_;
  KeptFields fields_;
};

std::string variable(const EnvironmentVariables& environment, const char* name) {
  const char* value = environment(name);
  return value ? value : "";
}

Result<void> complete(BedrockConfig& config, const EnvironmentVariables& environment) {
  if (config.region.empty()) config.region = variable(environment, "AWS_REGION");
  if (config.region.empty()) config.region = variable(environment, "AWS_DEFAULT_REGION");
  if (config.region.empty()) {
    return fail(ErrorKind::InvalidRequest, Origin::Us,
                "region is missing, and so is AWS_REGION in the environment");
  }
  if (config.api_key.empty() && config.access_key_id.empty()) {
    config.api_key = Secret(variable(environment, "AWS_BEARER_TOKEN_BEDROCK"));
  }
  if (config.api_key.empty() && config.access_key_id.empty()) {
    config.access_key_id = variable(environment, "AWS_ACCESS_KEY_ID");
    config.secret_access_key = Secret(variable(environment, "AWS_SECRET_ACCESS_KEY"));
    config.session_token = Secret(variable(environment, "AWS_SESSION_TOKEN"));
  }
  if (config.api_key.empty() &&
      (config.access_key_id.empty() || config.secret_access_key.empty())) {
    return fail(
        ErrorKind::InvalidRequest, Origin::Us,
        "credentials are missing: api_key, or access_key_id and secret_access_key, or AWS's "
        "variables in the environment");
  }
  if (config.base_url.empty()) {
    const bool china = config.region.starts_with("cn-");
    config.base_url =
        "https://bedrock-runtime." + config.region + ".amazonaws.com" + (china ? ".cn" : "");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Provider>> make_provider(std::string name, BedrockConfig config,
                                                const Dialect& dialect,
                                                const EnvironmentVariables& environment) {
  if (auto completed = complete(config, environment); !completed) return pass(std::move(completed));
  std::string path;
  auto endpoint = endpoint_of(config, environment, path);
  if (!endpoint) return pass(std::move(endpoint));
  return std::make_unique<BedrockProvider>(std::move(name), config, dialect, std::move(*endpoint),
                                           std::move(path));
}

}  // namespace causeway::bedrock
