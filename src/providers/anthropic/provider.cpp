#include "providers/anthropic/provider.h"

#include <optional>

#include "core/exchange.h"

namespace causeway::anthropic {
namespace {

constexpr std::string_view kVersionField = "anthropic-version";

class AnthropicProvider final : public Provider {
 public:
  AnthropicProvider(std::string name, const AnthropicConfig& config, const Dialect& dialect,
                    std::shared_ptr<ModelListing> listing, http::Endpoint endpoint,
                    std::string path)
      : name_(std::move(name)),
        dialect_(dialect),
        listing_(std::move(listing)),
        endpoint_(std::move(endpoint)),
        base_(std::move(path)),
        paths_(base_, dialect),
        list_path_(base_ + "/v1/models?limit=1000"),
        zone_(config.zone),
        timeouts_(timeouts_of(config)) {
    fields_.add(std::string(kVersionField), config.version);
    if (!config.api_key.empty()) fields_.add("x-api-key", std::string(config.api_key.reveal()));
    for (const auto& header : config.headers) fields_.add(header.name, header.value);
  }

  std::string_view name() const override { return name_; }
  std::string_view kind() const override { return "anthropic"; }
  Zone zone() const override { return zone_; }
  const Dialect& dialect(const Operation&, const Target&) const override { return dialect_; }
  std::optional<std::string_view> base_path() const override { return base_; }
  const http::Timeouts* timeouts() const override { return timeouts_ ? &*timeouts_ : nullptr; }
  std::vector<std::string> known_models() const override { return listing_->names(); }
  bool serves(OperationKind kind, std::string_view) const override {
    return kind == OperationKind::Chat || kind == OperationKind::CountTokens ||
           kind == OperationKind::PassThrough;
  }

  Result<Call> address(const Exchange& exchange, Attempt&) const override {
    const Operation& operation = *exchange.operation;
    auto fields = fields_.fields();
    // The version that the application speaks goes on as it came; the field is the first of ours.
    const bool passes =
        operation.dialect == &dialect_ || operation.kind == OperationKind::PassThrough;
    if (passes && http::find(exchange.head().fields, kVersionField)) fields = fields.subspan(1);
    return Call{&endpoint_, paths_.of(operation), fields, nullptr, nullptr};
  }
  std::optional<Call> listing_call() const override {
    return Call{&endpoint_, list_path_, fields_.fields(), nullptr, nullptr};
  }

 private:
  std::string name_;
  const Dialect& dialect_;
  std::shared_ptr<ModelListing> listing_;
  http::Endpoint endpoint_;
  std::string base_;
  OperationPaths paths_;
  std::string list_path_;
  Zone zone_;
  std::optional<http::Timeouts> timeouts_;
  KeptFields fields_;
};

}  // namespace

Result<std::unique_ptr<Provider>> make_provider(std::string name, const AnthropicConfig& config,
                                                const Dialect& dialect,
                                                std::shared_ptr<ModelListing> listing,
                                                const EnvironmentVariables& environment) {
  std::string path;
  auto endpoint = endpoint_of(config, environment, path);
  if (!endpoint) return pass(std::move(endpoint));
  // Some write the version as well, as other clients want it.
  if (path.ends_with("/v1")) path.resize(path.size() - 3);
  return std::make_unique<AnthropicProvider>(std::move(name), config, dialect, std::move(listing),
                                             std::move(*endpoint), std::move(path));
}

}  // namespace causeway::anthropic
