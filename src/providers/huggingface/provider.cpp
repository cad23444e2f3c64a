#include "providers/huggingface/provider.h"

#include <optional>

#include "core/exchange.h"
#include "providers/huggingface/errors.h"

namespace causeway::huggingface {
namespace {

class HuggingFaceProvider final : public Provider {
 public:
  HuggingFaceProvider(std::string name, const HuggingFaceConfig& config, const Dialect& dialect,
                      std::shared_ptr<ModelListing> listing, http::Endpoint endpoint,
                      std::string path)
      : name_(std::move(name)),
        dialect_(dialect),
        listing_(std::move(listing)),
        endpoint_(std::move(endpoint)),
        base_(std::move(path)),
        paths_(base_, dialect),
        zone_(config.zone),
        stream_usage_(config.stream_usage),
        timeouts_(timeouts_of(config)) {
    if (!config.api_key.empty()) {
      fields_.add("authorization", "Bearer " + std::string(config.api_key.reveal()));
    }
    if (!config.bill_to.empty()) fields_.add("x-hf-bill-to", config.bill_to);
    if (config.hold.count() > 0) {
      fields_.add("x-scale-up-timeout", std::to_string(config.hold.count()));
    }
    for (const auto& header : config.headers) fields_.add(header.name, header.value);
  }

  std::string_view name() const override { return name_; }
  std::string_view kind() const override { return "huggingface"; }
  Zone zone() const override { return zone_; }
  const Dialect& dialect(const Operation&, const Target&) const override { return dialect_; }
  std::optional<std::string_view> base_path() const override { return base_; }
  bool reports_usage() const override { return stream_usage_; }
  const http::Timeouts* timeouts() const override { return timeouts_ ? &*timeouts_ : nullptr; }
  std::vector<std::string> known_models() const override { return listing_->names(); }
  bool serves(OperationKind kind, std::string_view) const override {
    return kind != OperationKind::Moderation && kind != OperationKind::Transcription &&
           kind != OperationKind::Translation;
  }

  Error classify(const Dialect& dialect, int status, std::span<const http::Field> fields,
                 std::string_view body) const override {
    Error error = Provider::classify(dialect, status, fields, body);
    refine(status, body, error);
    return error;
  }

  Result<Call> address(const Exchange& exchange, Attempt&) const override {
    return call(*exchange.operation);
  }
  std::optional<Call> listing_call() const override {
    Operation listing;
    listing.kind = OperationKind::ListModels;
    return call(listing);
  }

 private:
  Call call(const Operation& operation) const {
    return {&endpoint_, paths_.of(operation), fields_.fields(), nullptr, nullptr};
  }

  std::string name_;
  const Dialect& dialect_;
  std::shared_ptr<ModelListing> listing_;
  http::Endpoint endpoint_;
  std::string base_;
  OperationPaths paths_;
  Zone zone_;
  bool stream_usage_;
  std::optional<http::Timeouts> timeouts_;
  KeptFields fields_;
};

}  // namespace

Result<std::unique_ptr<Provider>> make_provider(std::string name, const HuggingFaceConfig& config,
                                                const Dialect& dialect,
                                                std::shared_ptr<ModelListing> listing,
                                                const EnvironmentVariables& environment) {
  std::string path;
  auto endpoint = endpoint_of(config, environment, path);
  if (!endpoint) return pass(std::move(endpoint));
  if (path.empty()) path = "/v1";
  return std::make_unique<HuggingFaceProvider>(std::move(name), config, dialect, std::move(listing),
                                               std::move(*endpoint), std::move(path));
}

}  // namespace causeway::huggingface
