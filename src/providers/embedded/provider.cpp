#include "providers/embedded/provider.h"

#include <algorithm>
#include <charconv>

#include "core/engine.h"
#include "core/exchange.h"
#include "core/json_text.h"
#include "providers/embedded/tools_in_text.h"

namespace causeway::embedded {
namespace {

// How long a request may wait for a model that loads, or for a slot, when nothing else is said:
// well below the usual patience of clients, above the load time of a small model.
constexpr std::chrono::seconds kLongestWait{60};
constexpr std::size_t kMostCountBytes = 4096;  // of the engine's answer to a count
// Of a request whose tokens the engine counts: far more than its models read, and it counts in a
// slot that others wait for.
constexpr std::size_t kMostCounted = 1 << 20;
constexpr std::chrono::seconds kLongestCount{20};
// Of what stands beside the messages and is no text, tools and schemas that is: the engine takes
// many seconds to make a grammar of a large one, and serves nobody meanwhile.
constexpr std::size_t kMostStructure = 64 * 1024;

EngineModelKind kind_for(OperationKind operation) {
  return operation == OperationKind::Embeddings ? EngineModelKind::Embeddings
                                                : EngineModelKind::Chat;
}

bool has_large_schema(const RequestIndex& index) {
  const ByteRange messages = index.messages_array;
  std::size_t structure = index.body.size() - (messages.end - messages.begin);
  for (const auto& [where, value] : index.texts) {
    const bool inside = value.begin >= messages.begin && value.end <= messages.end;
    if (!inside) structure -= value.end - value.begin;
  }
  return structure > kMostStructure;
}

// Whether the conversation has anything that a template without tools cannot say.
bool has_tools(const RequestIndex& index) {
  const auto of_tool = [](const auto& text) {
    return text.where.kind == TextKind::ToolArguments || text.where.kind == TextKind::ToolResult;
  };
  const auto by_tool = [](const auto& message) {
    return message.role == Role::Tool || message.role == Role::Function;
  };
  return index.has_tools || std::any_of(index.texts.begin(), index.texts.end(), of_tool) ||
         std::any_of(index.messages.begin(), index.messages.end(), by_tool);
}

bool has_tools(const Chat& chat) {
  const auto of_tool = [](const ChatPart& part) {
    return part.kind == ChatPart::Kind::ToolCall || part.kind == ChatPart::Kind::ToolResult;
  };
  return !chat.tools.empty() ||
         std::any_of(chat.messages.begin(), chat.messages.end(), [&](const ChatMessage& message) {
           return std::any_of(message.parts.begin(), message.parts.end(), of_tool);
         });
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

  Task<std::optional<TokenCount>> count_tokens(Exchange& exchange, const Target& target,
                                               Chat chat) const override {
    const auto entry = engine_->find(target.upstream_model, EngineModelKind::Chat);
    if (!entry || entry->kind != EngineModelKind::Chat) co_return std::nullopt;
    const auto& index = exchange.index;
    if (index.body.size() > kMostCounted || has_large_schema(index)) co_return std::nullopt;
    const auto lease = co_await slot(*entry, exchange);
    if (!lease) co_return std::nullopt;
    const bool in_text = !(*lease)->knows_tools() && has_tools(chat);
    LeftOut left_out;
    const auto body =
        (in_text ? tools_in_text_ : dialect_).encode(chat, target.upstream_model, left_out);
    if (!body) co_return std::nullopt;
    co_return co_await ask_for_count((*lease)->endpoint(), *body, exchange);
  }

  bool waits() const override { return true; }
  Task<Result<Call>> wait_address(Exchange& exchange, Attempt& attempt) const override {
    auto entry = entry_for(exchange, attempt);
    if (!entry) co_return pass(std::move(entry));
    if (exchange.operation->kind == OperationKind::Chat && has_large_schema(exchange.index)) {
      co_return too_large();
    }
    co_return co_await address_of(**entry, exchange);
  }

 private:
  using Entry = std::shared_ptr<const EngineModel>;

  static std::unexpected<Error> too_large() {
    auto error =
        fail(ErrorKind::InvalidRequest, Origin::Client,
             "An embedded model takes 64 KiB of tools and schemas at most.", "model_not_suited");
    error.error().retryable = true;
    return error;
  }

  Result<Entry> entry_for(const Exchange& exchange, const Attempt& attempt) const {
    const std::string& model = attempt.target->upstream_model;
    const auto kind = kind_for(exchange.operation->kind);
    auto entry = engine_->find(model, kind);
    if (!entry) {
      const std::string why = engine_->no_catalogue();
      return fail(ErrorKind::NotFound, Origin::Client,
                  "The embedded provider \"" + name_ + "\" has no model \"" + model + "\"." +
                      (why.empty() ? why : " " + why),
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

  Task<Result<std::unique_ptr<EngineLease>>> slot(const EngineModel& entry,
                                                  Exchange& exchange) const {
    const auto deadline = exchange.context->clock->now() + kLongestWait;
    co_return co_await engine_->acquire(entry.name, deadline, *exchange.context->loop,
                                        exchange.cancel);
  }

  // llama-server makes the prompt as for an answer, and counts.
  static Task<std::optional<TokenCount>> ask_for_count(const http::Endpoint& endpoint,
                                                       const std::string& body,
                                                       Exchange& exchange) {
    const http::Field fields[] = {{"content-type", "application/json"}};
    const std::string_view pieces[] = {body};
    http::ClientRequest request;
    request.target = "/v1/chat/completions/input_tokens";
    request.fields = fields;
    request.body = pieces;
    request.timeouts.total = kLongestCount;
    auto answer = co_await exchange.context->client->call(endpoint, request, exchange.cancel);
    if (!answer || (*answer)->head().status != 200) co_return std::nullopt;
    const auto told = co_await (*answer)->read_all(kMostCountBytes);
    if (!told) co_return std::nullopt;
    const std::string tokens = json_member(*told, "input_tokens");
    TokenCount count{0, true};
    const auto read = std::from_chars(tokens.data(), tokens.data() + tokens.size(), count.tokens);
    if (tokens.empty() || read.ptr != tokens.data() + tokens.size()) co_return std::nullopt;
    co_return count;
  }

  Task<Result<Call>> address_of(const EngineModel& entry, Exchange& exchange) const {
    auto lease = co_await slot(entry, exchange);
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
    const bool chat = exchange.operation->kind == OperationKind::Chat;
    if (chat && !(*lease)->knows_tools() && has_tools(exchange.index))
      call.dialect = &tools_in_text_;
    call.lease = std::move(*lease);
    co_return call;
  }

  std::string name_;
  const Dialect& dialect_;
  const ToolsInText tools_in_text_;
  OperationPaths paths_;
  Engine* engine_;
};

}  // namespace

Result<std::unique_ptr<Provider>> make_provider(std::string name, const EmbeddedConfig&,
                                                const Dialect& dialect, Engine* engine) {
  return std::make_unique<EmbeddedProvider>(std::move(name), dialect, engine);
}

}  // namespace causeway::embedded
