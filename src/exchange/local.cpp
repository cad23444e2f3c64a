// What Causeway answers by itself.
#include <algorithm>

#include "exchange/run.h"
#include "platform/text/glob.h"
#include "platform/text/percent.h"

namespace causeway::exchange {
namespace {

std::unique_ptr<Reply> reply_with(std::string body) {
  auto reply = std::make_unique<Reply>();
  reply->body = std::move(body);
  return reply;
}

bool visible(const Exchange& exchange, std::string_view model) {
  return exchange.principal && exchange.principal->may_use(model);
}

/// Every model that this caller may ask for: those of the configuration, then what the providers
/// whose models are exposed are known to have.
struct Card {
  std::string id, owned_by;
  std::int64_t created = 0;
};

std::vector<Card> cards(const Exchange& exchange) {
  std::vector<Card> all;
  const auto& snapshot = *exchange.snapshot;
  for (const auto& [name, model] : snapshot.models) {
    if (visible(exchange, name)) all.push_back({name, model.owned_by, model.created});
  }
  for (const auto& exposed : snapshot.exposed) {
    const Provider& provider = exposed.members->any();
    for (const auto& upstream : provider.known_models()) {
      if (!text::glob_match(exposed.pattern, upstream)) continue;
      std::string id = exposed.bare ? upstream : std::string(provider.name()) + "/" + upstream;
      if (snapshot.models.contains(id) || !visible(exchange, id)) continue;
      all.push_back({std::move(id), std::string(provider.name()), 0});
    }
  }
  std::sort(all.begin(), all.end(), [](const Card& a, const Card& b) { return a.id < b.id; });
  all.erase(std::unique(all.begin(), all.end(),
                        [](const Card& a, const Card& b) { return a.id == b.id; }),
            all.end());
  return all;
}

}  // namespace

bool is_local(const Operation& operation) {
  switch (operation.kind) {
    case OperationKind::ListModels:
    case OperationKind::GetModel:
    case OperationKind::Refused:
    case OperationKind::Health:
      return true;
    default:
      return false;
  }
}

Verdict answer_locally(Exchange& exchange) {
  const auto& operation = *exchange.operation;
  switch (operation.kind) {
    case OperationKind::Health:
      return reply_with("{\"status\":\"ok\"}");
    case OperationKind::Refused:
      return fail(ErrorKind::NotImplemented, Origin::Us,
                  "This part of the API is not served here. " + operation.refusal);
    case OperationKind::GetModel: {
      const std::string name = text::percent_decoded(exchange.argument);
      for (const auto& card : cards(exchange)) {
        if (card.id != name) continue;
        return reply_with(operation.dialect->model_body({card.id, card.owned_by, card.created}));
      }
      return fail(ErrorKind::NotFound, Origin::Client,
                  "The model \"" + name.substr(0, 200) + "\" does not exist.", "model_not_found");
    }
    default: {
      const auto all = cards(exchange);
      std::vector<ModelCard> views;
      for (const auto& card : all) views.push_back({card.id, card.owned_by, card.created});
      return reply_with(operation.dialect->models_body(views));
    }
  }
}

}  // namespace causeway::exchange
