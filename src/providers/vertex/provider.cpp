#include "providers/vertex/provider.h"

#include <optional>

#include "core/exchange.h"
#include "dialects/gemini/vertex.h"
#include "platform/text/percent.h"
#include "providers/vertex/errors.h"
#include "providers/vertex/key_file.h"

namespace causeway::vertex {
namespace {

// The versions that the official clients ask for.
constexpr std::string_view kGoogleVersion = "/v1beta1", kAnthropicVersion = "/v1";
constexpr std::string_view kEndpoints = "endpoints/";  // a tuned model that was deployed

bool is_claude(std::string_view model) { return model.starts_with("claude"); }

class VertexProvider final : public Provider {
 public:
  VertexProvider(std::string name, const VertexConfig& config, const VertexDialects& dialects,
                 std::shared_ptr<AccessToken> token, http::Endpoint endpoint, std::string path)
      : name_(std::move(name)),
        dialects_(dialects),
        token_(std::move(token)),
        endpoint_(std::move(endpoint)),
        base_(std::move(path)),
        place_(config.project.empty()
                   ? "/"
                   : "/projects/" + config.project + "/locations/" + config.location + "/"),
        zone_(config.zone),
        timeouts_(timeouts_of(config)) {
    if (!config.api_key.empty()) {
      fields_.add("x-goog-api-key", std::string(config.api_key.reveal()));
    }
    for (const auto& header : config.headers) fields_.add(header.name, header.value);
  }

  std::string_view name() const override { return name_; }
  std::string_view kind() const override { return "gcp.vertex_ai"; }
  Zone zone() const override { return zone_; }
  const Dialect& dialect(const Operation&, const Target& target) const override {
    return is_claude(target.upstream_model) ? dialects_.anthropic : dialects_.gemini;
  }
  std::optional<std::string_view> base_path() const override { return base_; }
  const http::Timeouts* timeouts() const override { return timeouts_ ? &*timeouts_ : nullptr; }
  bool serves(OperationKind kind, std::string_view model) const override {
    return kind == OperationKind::Chat || kind == OperationKind::CountTokens ||
           kind == OperationKind::PassThrough ||
           (kind == OperationKind::Embeddings && !is_claude(model));
  }

  Error classify(const Dialect& dialect, int status, std::span<const http::Field> fields,
                 std::string_view body) const override {
    const Dialect& words = is_googles(body) ? dialects_.gemini : dialect;
    Error error = words.classify(status, fields, body);
    refine(error);
    return error;
  }

  bool waits() const override { return token_ != nullptr; }
  Result<Call> address(const Exchange& exchange, Attempt& attempt) const override {
    return call(exchange, *attempt.target);
  }
  Task<Result<Call>> wait_address(Exchange& exchange, Attempt& attempt) const override {
    auto token = co_await token_->get(*exchange.context, exchange.cancel);
    if (!token) co_return pass(std::move(token));
    Call made = call(exchange, *attempt.target);
    auto& values = made.made->values;
    values.push_back("Bearer " + std::string((*token)->reveal()));
    auto& fields = made.made->fields;
    fields.assign(made.fields.begin(), made.fields.end());
    fields.push_back({"authorization", values.back()});
    made.fields = fields;
    co_return made;
  }

 private:
  Call call(const Exchange& exchange, const Target& target) const {
    Call call{&endpoint_, {}, fields_.fields(), nullptr, std::make_unique<MadeForCall>()};
    const OperationKind kind = exchange.operation->kind;
    if (kind == OperationKind::PassThrough) return call;  // it says its path
    call.made->target = is_claude(target.upstream_model)
                            ? claude_path(kind, target.upstream_model, exchange.index.stream)
                            : google_path(exchange, target.upstream_model);
    call.target = call.made->target;
    return call;
  }

  std::string claude_path(OperationKind kind, std::string_view model, bool stream) const {
    const bool count = kind == OperationKind::CountTokens;
    std::string path = base_ + std::string(kAnthropicVersion) + place_;
    path += "publishers/anthropic/models/";
    path += count ? "count-tokens" : text::percent_encoded(model);
    path += stream && !count ? ":streamRawPredict" : ":rawPredict";
    return path;
  }

  std::string google_path(const Exchange& exchange, std::string_view model) const {
    std::string path = base_ + std::string(kGoogleVersion) + place_;
    const bool tuned = model.starts_with(kEndpoints);
    path += tuned ? kEndpoints : "publishers/google/models/";
    path += text::percent_encoded(tuned ? model.substr(kEndpoints.size()) : model);
    if (exchange.operation->kind == OperationKind::Embeddings) {
      return path.append(gemini::embedding_method(model, exchange.index.inputs));
    }
    const auto method =
        gemini::method_of(*exchange.operation, dialects_.gemini, exchange.index.stream);
    return path.append(method).append(method == gemini::kStream ? "?alt=sse" : "");
  }

  std::string name_;
  VertexDialects dialects_;
  std::shared_ptr<AccessToken> token_;  // null: an API key is sent
  http::Endpoint endpoint_;
  std::string base_, place_;
  Zone zone_;
  std::optional<http::Timeouts> timeouts_;
  KeptFields fields_;
};

std::string variable(const EnvironmentVariables& environment, const char* name) {
  const char* value = environment(name);
  return value ? value : "";
}

Result<std::shared_ptr<AccessToken>> key_file_token(KeyFile file, const VertexConfig& config,
                                                    AccessTokens& tokens,
                                                    const EnvironmentVariables& environment) {
  UpstreamConfig service;
  service.base_url = file.token_uri;
  service.ca_file = config.ca_file;
  service.proxy = config.proxy;
  std::string path;
  auto endpoint = endpoint_of(service, environment, path);
  if (!endpoint) {
    return fail(ErrorKind::InvalidRequest, Origin::Us,
                "the key file " + config.credentials_file + " has a token_uri that is " +
                    endpoint.error().message);
  }
  const std::string settings = endpoint->id + "\n" + path + "\n" + file.identity;
  return tokens.of(settings, [&] {
    return std::make_shared<AccessToken>(
        *endpoint, [file = std::move(file), path](Wall now) { return jwt_grant(file, path, now); });
  });
}

/// The machine's own server; its clients know other places of it by GCE_METADATA_HOST.
Result<std::shared_ptr<AccessToken>> metadata_token(AccessTokens& tokens,
                                                    const EnvironmentVariables& environment) {
  const std::string host = variable(environment, "GCE_METADATA_HOST");
  UpstreamConfig server;
  server.base_url = "http://" + (host.empty() ? "metadata.google.internal" : host);
  server.proxy = "none";
  std::string path;
  auto endpoint = endpoint_of(server, environment, path);
  if (!endpoint) return pass(std::move(endpoint));
  TokenRequest request;
  request.method = "GET";
  request.target = "/computeMetadata/v1/instance/service-accounts/default/token";
  request.fields = {{"metadata-flavor", "Google"}};
  return tokens.of(endpoint->id + "\nmetadata", [&] {
    return std::make_shared<AccessToken>(
        *endpoint, [request](Wall) -> Result<TokenRequest> { return request; });
  });
}

/// What the settings leave open comes from the environment, as Google's clients read it, and from
/// the key file. Null where an API key is sent.
Result<std::shared_ptr<AccessToken>> complete(VertexConfig& config, AccessTokens& tokens,
                                              const EnvironmentVariables& environment) {
  if (config.location.empty()) config.location = variable(environment, "GOOGLE_CLOUD_LOCATION");
  if (config.location.empty()) config.location = "global";
  if (!config.api_key.empty()) return nullptr;  // a key belongs to its project
  if (config.project.empty()) config.project = variable(environment, "GOOGLE_CLOUD_PROJECT");
  if (config.credentials_file.empty() && !config.metadata) {
    config.credentials_file = variable(environment, "GOOGLE_APPLICATION_CREDENTIALS");
  }
  Result<std::shared_ptr<AccessToken>> token;
  if (config.credentials_file.empty()) {
    token = metadata_token(tokens, environment);
  } else {
    auto file = read_key_file(config.credentials_file);
    if (!file) return pass(std::move(file));
    if (config.project.empty()) config.project = file->project;
    token = key_file_token(std::move(*file), config, tokens, environment);
  }
  if (token && config.project.empty()) {
    return fail(ErrorKind::InvalidRequest, Origin::Us,
                "project is missing, and so is GOOGLE_CLOUD_PROJECT in the environment");
  }
  return token;
}

std::string address_of(const std::string& location) {
  if (location == "global") return "https://aiplatform.googleapis.com";
  if (location == "us" || location == "eu") {
    return "https://aiplatform." + location + ".rep.googleapis.com";
  }
  return "https://" + location + "-aiplatform.googleapis.com";
}

/// Some write the version that their client wants behind the address.
void drop_version(std::string& path) {
  for (const std::string_view version : {kAnthropicVersion, kGoogleVersion}) {
    if (path.ends_with(version)) path.resize(path.size() - version.size());
  }
}

}  // namespace

Result<std::unique_ptr<Provider>> make_provider(std::string name, VertexConfig config,
                                                const VertexDialects& dialects,
                                                AccessTokens& tokens,
                                                const EnvironmentVariables& environment) {
  auto token = complete(config, tokens, environment);
  if (!token) return pass(std::move(token));
  if (config.base_url.empty()) config.base_url = address_of(config.location);
  std::string path;
  auto endpoint = endpoint_of(config, environment, path);
  if (!endpoint) return pass(std::move(endpoint));
  drop_version(path);
  return std::make_unique<VertexProvider>(std::move(name), config, dialects, std::move(*token),
                                          std::move(*endpoint), std::move(path));
}

}  // namespace causeway::vertex
