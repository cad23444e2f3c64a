#include "core/caller.h"

namespace causeway {

std::string_view user_of(Exchange& exchange) {
  if (exchange.principal && !exchange.principal->user.empty()) return exchange.principal->user;
  if (exchange.index.texts.empty()) return {};
  for (std::uint32_t i = 0; i < exchange.request.text_count(); ++i) {
    const Text text = exchange.request.text(i);
    if (text.where().kind == TextKind::UserId) return text.get();
  }
  return {};
}

std::shared_ptr<const Principal> with_any_model(const Principal& principal) {
  auto copy = std::make_shared<Principal>(principal);
  copy->models = {"*"};
  return copy;
}

}  // namespace causeway
