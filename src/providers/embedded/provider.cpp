#include "providers/embedded/provider.h"

#include "core/engine.h"
#include "core/exchange.h"

namespace causeway::embedded {
namespace {

// How long a request may wait for a model that loads, or for a slot, when nothing else is said:
// well below the usual patience of clients, above the load time of a small model.
constexpr std::chrono::seconds kLongestWait{60};

EngineModelKind kind_for(OperationKind operation) {
  return operation == OperationKind::Embeddings ? EngineModelKind::Embeddings
                                                : EngineModelKind::Chat;
}

class EmbeddedProvider final : public Provider {
 public:
  EmbeddedProvider(std::string name, const Dialect& dialect, Engine* engine)
      : name_(std::move(name)), dialect_(dialect), paths_("/v1", dialect), engine_(engine) {}

  std::string_view name() const override { return name_; }
  std::string_view kind() const override { return "causeway"; }
  Zone zone() const override { return Zone::Internal; }
  const Dialect& dialect(const Operation&, const Target&) const override { return dialect_; }
  std::string default_system_prompt(std::string_view model) const override {
    const auto entry = engine_->find(model, EngineModelKind::Chat);
    return entry ? entry->system_prompt : std::string();
  }

  std::vector<std::string> known_models() const override {
    std::vector<std::string> names;
    for (const auto& entry : engine_->models()) {
      names.push_back(entry.name);
      names.insert(names.end(), entry.aliases.begin(), entry.aliases.end());
    }
    return names;
  }

  bool serves(OperationKind operation, std::string_view model) const override {
    if (operation == OperationKind::Transcription || operation == OperationKind::Translation) {
      return false;
    }
    const auto entry = engine_->find(model, kind_for(operation));
    if (entry) return entry->kind == kind_for(operation);
    const auto other = operation == OperationKind::Embeddings ? EngineModelKind::Chat
                                                              : EngineModelKind::Embeddings;
    return !engine_->find(model, other);  // of a name that is not known, address() tells
  }

  // The engine calls it a fault of its own, and another target may have a model that can.
  Error classify(const Dialect& dialect, int status, std::span<const http::Field> fields,
                 std::string_view body) const override {
    if (status != 500 || body.find("input is not supported") == body.npos) {
      return Provider::classify(dialect, status, fields, body);
    }
    Error error;
    error.kind = ErrorKind::InvalidRequest;
    error.origin = Origin::Client;
    error.retryable = true;
    error.code = "model_not_suited";
    error.message = "This embedded model takes text only: no images and no sounds.";
    error.detail = body.substr(0, 300);
    return error;
  }

  bool waits() const override { return true; }
  Task<Result<Call>> wait_address(Exchange& exchange, Attempt& attempt) const override {
    auto entry = entry_for(exchange, attempt);
    if (!entry) co_return pass(std::move(entry));
    co_return co_await address_of(**entry, exchange);
  }

 private:
  using Entry = std::shared_ptr<const EngineModel>;

  Result<Entry> entry_for(const Exchange& exchange, const Attempt& attempt) const {
    const std::string& model = attempt.target->upstream_model;
    const auto kind = kind_for(exchange.operation->kind);
    auto entry = engine_->find(model, kind);
    if (!entry) {
      return fail(ErrorKind::NotFound, Origin::Client,
                  "The embedded provider \"" + name_ + "\" has no model \"" + model + "\".",
                  "model_not_found");
    }
    if (entry->kind != kind) {
      return fail(
          ErrorKind::InvalidRequest, Origin::Client,
          "The model \"" + model + "\" " +
              (kind == EngineModelKind::Chat ? "makes embeddings and does not generate text."
                                             : "generates text and makes no embeddings."),
          "model_not_suited");
    }
    return entry;
  }

  Task<Result<Call>> address_of(const EngineModel& entry, Exchange& exchange) const {
    const auto deadline = exchange.context->clock->now() + kLongestWait;
    auto lease =
        co_await engine_->acquire(entry.name, deadline, *exchange.context->loop, exchange.cancel);
    if (!lease) {
      Error error = std::move(lease).error();
      error.retryable |= error.kind == ErrorKind::RateLimited ||
                         error.kind == ErrorKind::Overloaded ||
                         error.kind == ErrorKind::Unavailable;
      co_return std::unexpected(std::move(error));
    }
    Call call;
    call.endpoint = &(*lease)->endpoint();
    call.target = paths_.of(*exchange.operation);
    call.lease = std::move(*lease);
    co_return call;
  }

  std::string name_;
  const Dialect& dialect_;
  OperationPaths paths_;
  Engine* engine_;
};

}  // namespace

Result<std::unique_ptr<Provider>> make_provider(std::string name, const EmbeddedConfig&,
                                                const Dialect& dialect, Engine* engine) {
  return std::make_unique<EmbeddedProvider>(std::move(name), dialect, engine);
}

}  // namespace causeway::embedded
