#include "features/access/roles/stage.h"

#include <algorithm>

#include "platform/text/glob.h"

namespace causeway::roles {
namespace {

std::unexpected<Error> refused(const Exchange& exchange, std::string_view by) {
  auto result = fail(ErrorKind::Forbidden, Origin::Client,
                     "The model \"" + std::string(exchange.model_name.substr(0, 200)) +
                         "\" is not allowed by " + std::string(by) + ".",
                     "model_not_allowed");
  result.error().param = "model";
  return result;
}

}  // namespace

Verdict AllowStage::on_request(Exchange& exchange) {
  if (!exchange.model) return go_on();
  if (!exchange.principal->may_use(exchange.model_name)) {
    return refused(exchange, "the key \"" + exchange.principal->key_name + "\"");
  }
  const auto& allowed = exchange.policy->sections.get(key_);
  const bool any = std::any_of(allowed.begin(), allowed.end(), [&](const std::string& pattern) {
    return text::glob_match(pattern, exchange.model_name);
  });
  return any ? go_on()
             : Verdict(refused(exchange, "the policy \"" + exchange.policy->names + "\""));
}

}  // namespace causeway::roles
