#include "core/provider.h"
#include "exchange/run.h"

namespace causeway::exchange {
namespace {

// What a chat's template puts around each message, in the common vocabularies.
constexpr std::uint32_t kTokensPerMessage = 4;

}  // namespace

std::uint64_t text_bytes(const Exchange& exchange) {
  std::uint64_t bytes = 0;
  for (const auto& text : exchange.index.texts) bytes += text.value.end - text.value.begin - 2;
  return bytes;
}

Task<Result<void>> answer_count(Run& run, Attempt& attempt) {
  Exchange& exchange = run.exchange;
  const std::uint64_t tokens = run.estimates.tokens(attempt.target->name, text_bytes(exchange)) +
                               std::uint64_t{kTokensPerMessage} * exchange.index.messages.size();
  const std::string body = exchange.operation->dialect->tokens_body(tokens);
  std::vector<http::Field> fields{{"content-type", "application/json"}};
  FieldStorage storage;
  answer_fields(exchange, attempt.target, {}, fields, storage);
  fields.push_back({"x-causeway-token-count", "estimated"});
  const std::string_view pieces[] = {body};
  exchange.outcome.status = 200;
  exchange.outcome.answer_bytes = body.size();
  auto sent = co_await run.stream.reply(200, fields, pieces);
  exchange.outcome.cut_by_client |= !sent;
  co_return Result<void>{};
}

}  // namespace causeway::exchange
