#include "features/access/keys/stage.h"

#include <algorithm>

#include "core/dialect.h"
#include "core/operation.h"
#include "platform/text/ascii.h"

namespace causeway::keys {
namespace {

std::unexpected<Error> unauthenticated(std::string message) {
  return fail(ErrorKind::Unauthenticated, Origin::Client, std::move(message), "invalid_api_key");
}

std::unexpected<Error> refused(KeyState state) {
  switch (state) {
    case KeyState::Expired:
      return unauthenticated("This API key has expired; ask for a new one.");
    case KeyState::Revoked:
      return unauthenticated("This API key was revoked; ask for a new one.");
    case KeyState::Replaced:
      return unauthenticated("This API key was replaced by a new one; use that.");
    case KeyState::Unknown:
    case KeyState::Valid:
      break;
  }
  return unauthenticated("This API key is not known here; check it for missing characters.");
}

}  // namespace

std::string_view presented_key(const http::RequestHead& head, std::string_view parameter) {
  constexpr std::string_view kBearer = "bearer ";
  for (const http::Field& field : head.fields) {
    if (http::same_name(field.name, "authorization")) {
      if (!text::starts_with_ignore_case(field.value, kBearer)) continue;
      return text::trim(field.value.substr(kBearer.size()));
    }
    if (http::same_name(field.name, "x-api-key") || http::same_name(field.name, "api-key") ||
        http::same_name(field.name, "x-goog-api-key")) {
      return text::trim(field.value);
    }
  }
  if (!parameter.empty()) return query_value(head.query, parameter).value_or("");
  return {};
}

void IdentifyStage::attach(int loop, LoopKeys& keys) {
  const auto index = static_cast<std::size_t>(loop);
  if (loops_.size() <= index) loops_.resize(index + 1);
  loops_[index] = &keys;
}

Verdict IdentifyStage::on_head(Exchange& exchange) {
  if (exchange.internal || exchange.operation->kind == OperationKind::Health) return go_on();
  // Which of two counts must never depend on who reads them.
  const auto twice = std::count_if(
      exchange.head().fields.begin(), exchange.head().fields.end(),
      [](const http::Field& field) { return http::same_name(field.name, "authorization"); });
  if (twice > 1) return unauthenticated("There is more than one Authorization header.");
  const std::string_view key =
      presented_key(exchange.head(), exchange.operation->dialect->key_parameter());
  if (key.empty()) {
    return unauthenticated("An API key is needed: send the header Authorization: Bearer KEY.");
  }
  LoopKeys& keys = *loops_[static_cast<std::size_t>(exchange.context->index)];
  LoopKeys::Found found = keys.find(key, exchange.started_wall);
  if (found.state != KeyState::Valid) return refused(found.state);
  if (found.lease->kind != KeyKind::Application) {
    return fail(ErrorKind::Forbidden, Origin::Client,
                "This is a key of the admin port; models need an application key.", "admin_key");
  }
  found.lease->last_use->note(exchange.started_wall);
  exchange.principal = &found.lease->principal;
  exchange.slot(lease_) = std::move(found.lease);
  return go_on();
}

}  // namespace causeway::keys
