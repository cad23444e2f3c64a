#include "core/provider.h"
#include "exchange/run.h"
#include "exchange/translate.h"

namespace causeway::exchange {
namespace {

TokenCount estimated(const Run& run, const Attempt& attempt) {
  return {run.estimates.tokens(attempt.target->key, attempt.request.text_bytes()) +
              std::uint64_t{kTokensPerMessage} * run.exchange.index.messages.size(),
          false};
}

Task<Result<TokenCount>> count(Run& run, Attempt& attempt) {
  const Target& target = *attempt.target;
  Result<Chat> chat;
  if (run.exchange.index.body.size() > kLargeBytes) {
    Work work = [&] {
      chat = chat_for_target(*run.exchange.operation, attempt);
      return go_on();
    };
    const auto ran = co_await on_cpu(run.exchange, std::move(work));
    if (!ran) co_return std::unexpected(ran.error());
  } else {
    chat = chat_for_target(*run.exchange.operation, attempt);
  }
  if (!chat && chat.error().kind == ErrorKind::NotImplemented) co_return estimated(run, attempt);
  if (!chat) co_return pass(std::move(chat));
  const auto counted =
      co_await target.provider->count_tokens(run.exchange, target, std::move(*chat));
  if (run.exchange.cancel.requested()) {
    co_return fail(ErrorKind::Cancelled, Origin::Client, "The caller left.");
  }
  if (counted) co_return *counted;
  co_return estimated(run, attempt);
}

}  // namespace

Task<Result<void>> answer_count(Run& run, Attempt& attempt) {
  Exchange& exchange = run.exchange;
  const auto counted = co_await count(run, attempt);
  if (!counted) co_return std::unexpected(counted.error());
  const std::string body = exchange.operation->dialect->tokens_body(counted->tokens);
  std::vector<http::Field> fields{{"content-type", "application/json"}};
  FieldStorage storage;
  answer_fields(exchange, attempt.target, {}, fields, storage);
  fields.push_back({"x-causeway-token-count", counted->exact ? "exact" : "estimated"});
  const std::string_view pieces[] = {body};
  exchange.outcome.status = 200;
  exchange.outcome.answer_bytes = body.size();
  auto sent = co_await run.stream.reply(200, fields, pieces);
  exchange.outcome.cut_by_client |= !sent;
  co_return Result<void>{};
}

}  // namespace causeway::exchange
