#include "providers/gemini/provider.h"

#include "core/exchange.h"
#include "dialects/gemini/dialect.h"
#include "platform/text/percent.h"

namespace causeway::gemini {
namespace {

class GeminiProvider final : public Provider {
 public:
  GeminiProvider(std::string name, const GeminiConfig& config, const Dialect& dialect,
                 std::shared_ptr<ModelListing> listing, http::Endpoint endpoint, std::string path)
      : name_(std::move(name)),
        dialect_(dialect),
        listing_(std::move(listing)),
        endpoint_(std::move(endpoint)),
        base_(std::move(path)),
        list_(base_ + "/models?pageSize=1000"),
        zone_(config.zone),
        timeouts_(timeouts_of(config)) {
    if (!config.api_key.empty()) {
      fields_.add("x-goog-api-key", std::string(config.api_key.reveal()));
    }
    for (const auto& header : config.headers) fields_.add(header.name, header.value);
  }

  std::string_view name() const override { return name_; }
  std::string_view kind() const override { return "gcp.gemini"; }
  Zone zone() const override { return zone_; }
  const Dialect& dialect(const Operation&, const Target&) const override { return dialect_; }
  std::optional<std::string_view> base_path() const override { return base_; }
  const http::Timeouts* timeouts() const override { return timeouts_ ? &*timeouts_ : nullptr; }
  std::vector<std::string> known_models() const override { return listing_->names(); }
  bool serves(OperationKind kind, std::string_view) const override {
    return kind == OperationKind::Chat || kind == OperationKind::CountTokens ||
           kind == OperationKind::Embeddings || kind == OperationKind::PassThrough;
  }

  Result<Call> address(const Exchange& exchange, Attempt& attempt) const override {
    Call call{&endpoint_, {}, fields_.fields(), nullptr, std::make_unique<MadeForCall>()};
    if (exchange.operation->kind == OperationKind::PassThrough) return call;  // it says its path
    const auto method = method_of(*exchange.operation, dialect_, exchange.index.stream);
    std::string& target = call.made->target;
    target = base_ + "/" + path_of(resource_of(attempt.target->upstream_model));
    target.append(method).append(method == kStream ? "?alt=sse" : "");
    call.target = target;
    return call;
  }

  std::optional<Call> listing_call() const override {
    return Call{&endpoint_, list_, fields_.fields(), nullptr, nullptr};
  }

 private:
  // "models/NAME": what the application has named stays one segment, whatever stands in it.
  static std::string path_of(const std::string& resource) {
    const auto slash = resource.find('/') + 1;
    return resource.substr(0, slash) + text::percent_encoded(resource.substr(slash));
  }

  std::string name_;
  const Dialect& dialect_;
  std::shared_ptr<ModelListing> listing_;
  http::Endpoint endpoint_;
  std::string base_, list_;
  Zone zone_;
  std::optional<http::Timeouts> timeouts_;
  KeptFields fields_;
};

}  // namespace

Result<std::unique_ptr<Provider>> make_provider(std::string name, const GeminiConfig& config,
                                                const Dialect& dialect,
                                                std::shared_ptr<ModelListing> listing,
                                                const EnvironmentVariables& environment) {
  std::string path;
  auto endpoint = endpoint_of(config, environment, path);
  if (!endpoint) return pass(std::move(endpoint));
  return std::make_unique<GeminiProvider>(std::move(name), config, dialect, std::move(listing),
                                          std::move(*endpoint), std::move(path));
}

}  // namespace causeway::gemini
