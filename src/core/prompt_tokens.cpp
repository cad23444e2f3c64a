#include "core/prompt_tokens.h"

#include "core/token_estimates.h"

namespace causeway {

std::uint64_t prompt_tokens(const Exchange& exchange, std::uint64_t target) {
  static const TokenEstimates kUsual;
  const auto* estimates = exchange.context->estimates ? exchange.context->estimates : &kUsual;
  return estimates->tokens(target, exchange.request.text_bytes()) +
         exchange.index.messages.size() * kTokensPerMessage;
}

}  // namespace causeway
