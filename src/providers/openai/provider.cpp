#include "providers/openai/provider.h"

#include <functional>
#include <optional>

#include "core/exchange.h"
#include "dialects/openai/token_count.h"
#include "platform/base/worker.h"
#include "platform/net/loop.h"

namespace causeway::openai {
namespace {

class OpenAiProvider final : public Provider {
 public:
  OpenAiProvider(std::string name, const OpenAiConfig& config, const Dialect& dialect,
                 const Dialect& responses, std::shared_ptr<ModelListing> listing,
                 Vocabularies* vocabularies, http::Endpoint endpoint, std::string_view path)
      : name_(std::move(name)),
        dialect_(dialect),
        responses_(config.responses.value_or(endpoint.host == "api.openai.com") ? &responses
                                                                                : nullptr),
        listing_(std::move(listing)),
        vocabularies_(vocabularies),
        endpoint_(std::move(endpoint)),
        paths_(path, dialect),
        responses_paths_(path, responses),
        base_(path),
        zone_(config.zone),
        stream_usage_(config.stream_usage),
        timeouts_(timeouts_of(config)) {
    if (!config.api_key.empty()) {
      fields_.add("authorization", "Bearer " + std::string(config.api_key.reveal()));
    }
    if (!config.organization.empty()) fields_.add("openai-organization", config.organization);
    if (!config.project.empty()) fields_.add("openai-project", config.project);
    for (const auto& header : config.headers) fields_.add(header.name, header.value);
  }

  std::string_view name() const override { return name_; }
  std::string_view kind() const override { return "openai"; }
  Zone zone() const override { return zone_; }
  const Dialect& dialect(const Operation& operation, const Target&) const override {
    return is_native(operation) ? *responses_ : dialect_;
  }
  std::optional<std::string_view> base_path() const override { return base_; }
  bool reports_usage() const override { return stream_usage_; }
  const http::Timeouts* timeouts() const override { return timeouts_ ? &*timeouts_ : nullptr; }
  std::vector<std::string> known_models() const override { return listing_->names(); }

  Result<Call> address(const Exchange& exchange, Attempt&) const override {
    const Operation& operation = *exchange.operation;
    return call(is_native(operation) ? responses_paths_ : paths_, operation);
  }
  // The vocabulary's file may have to be read first, and texts may be long: not on the loop.
  Task<std::optional<TokenCount>> count_tokens(Exchange& exchange, const Target& target,
                                               Chat chat) const override {
    const auto name = vocabulary_of(target.upstream_model);
    if (name.empty() || !vocabularies_) co_return std::nullopt;
    auto job = [&]() -> Result<std::optional<TokenCount>> {
      const auto vocabulary = vocabularies_->find(name);
      if (!vocabulary) return std::nullopt;
      return openai::count_tokens(chat, target.upstream_model, *vocabulary);
    };
    const LoopContext& context = *exchange.context;
    if (!context.cpu) co_return *job();
    auto post = [loop = context.loop](std::move_only_function<void()> resume) {
      loop->post(std::move(resume));
    };
    const auto counted = co_await offload(*context.cpu, std::move(post), std::move(job));
    if (!counted) co_return std::nullopt;
    co_return *counted;
  }
  std::optional<Call> listing_call() const override {
    Operation listing;
    listing.kind = OperationKind::ListModels;
    return call(paths_, listing);
  }

 private:
  // Tokens are counted here: by far not every server that has the Responses API counts.
  bool is_native(const Operation& operation) const {
    return operation.dialect == responses_ && operation.kind == OperationKind::Chat;
  }
  Call call(const OperationPaths& paths, const Operation& operation) const {
    return {&endpoint_, paths.of(operation), fields_.fields(), nullptr, nullptr, nullptr};
  }

  std::string name_;
  const Dialect& dialect_;
  const Dialect* responses_;  // null: the server does not have it
  std::shared_ptr<ModelListing> listing_;
  Vocabularies* vocabularies_;
  http::Endpoint endpoint_;
  OperationPaths paths_, responses_paths_;
  std::string base_;
  Zone zone_;
  bool stream_usage_;
  std::optional<http::Timeouts> timeouts_;
  KeptFields fields_;
};

}  // namespace

Result<std::unique_ptr<Provider>> make_provider(std::string name, const OpenAiConfig& config,
                                                const Dialect& dialect, const Dialect& responses,
                                                std::shared_ptr<ModelListing> listing,
                                                Vocabularies* vocabularies,
                                                const EnvironmentVariables& environment) {
  std::string path;
  auto endpoint = endpoint_of(config, environment, path);
  if (!endpoint) return pass(std::move(endpoint));
  return std::make_unique<OpenAiProvider>(std::move(name), config, dialect, responses,
                                          std::move(listing), vocabularies, std::move(*endpoint),
                                          path);
}

}  // namespace causeway::openai
