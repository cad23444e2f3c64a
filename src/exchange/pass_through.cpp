#include "exchange/pass_through.h"

#include <algorithm>
#include <array>

#include "platform/text/ascii.h"
#include "platform/text/percent.h"

namespace causeway::exchange {
namespace {

// Of one connection (RFC 9110, section 7.6.1), or ours to say, or somebody's credentials.
constexpr std::array<std::string_view, 24> kOwn = {"connection",        "keep-alive",
                                                   "proxy-connection",  "te",
                                                   "trailer",           "transfer-encoding",
                                                   "upgrade",           "host",
                                                   "content-length",    "expect",
                                                   "authorization",     "proxy-authorization",
                                                   "x-api-key",         "api-key",
                                                   "x-goog-api-key",    "cookie",
                                                   "set-cookie",        "forwarded",
                                                   "x-forwarded-for",   "x-forwarded-host",
                                                   "x-forwarded-proto", "x-request-id",
                                                   "traceparent",       "accept-encoding"};

bool passes(std::string_view name) {
  return !text::starts_with_ignore_case(name, "x-causeway-") &&
         std::none_of(kOwn.begin(), kOwn.end(),
                      [&](std::string_view own) { return http::same_name(name, own); });
}

// Whether a Connection field says that `name` ends here.
bool ends_here(std::span<const http::Field> fields, std::string_view name) {
  for (const auto& field : fields) {
    if (!http::same_name(field.name, "connection")) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const auto end = std::min(rest.find(','), rest.size());
      if (http::same_name(text::trim(rest.substr(0, end)), name)) return true;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return false;
}

// Names under which clients put a key, or a token, into the query.
constexpr std::array<std::string_view, 6> kKeys = {"key",    "api_key",      "api-key",
                                                   "apikey", "access_token", "oauth_token"};

// What the caller identified itself with is not for the provider; the rest stays as it came.
std::string without_keys(std::string_view query) {
  std::string kept;
  for (std::string_view rest = query; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    const std::string name = text::percent_decoded(one.substr(0, one.find('=')));
    const bool is_key = std::ranges::any_of(
        kKeys, [&](std::string_view key) { return http::same_name(name, key); });
    if (is_key) continue;
    if (!kept.empty()) kept += '&';
    kept += one;
  }
  return kept;
}

}  // namespace

void pass_all_fields(std::span<const http::Field> from, std::span<const http::Field> ours,
                     std::vector<http::Field>& to) {
  for (const auto& field : from) {
    const bool taken = std::ranges::any_of(
        ours, [&](const http::Field& own) { return http::same_name(own.name, field.name); });
    if (passes(field.name) && !taken && !ends_here(from, field.name)) to.push_back(field);
  }
}

Result<void> aim(const Exchange& exchange, const Provider& provider, Call& call) {
  const auto base = provider.base_path();
  if (!base) {
    return fail(ErrorKind::NotImplemented, Origin::Us,
                "The provider \"" + std::string(provider.name()) +
                    "\" takes no requests that are passed through.",
                "pass_through_not_served");
  }
  if (!call.made) call.made = std::make_unique<MadeForCall>();
  const auto slash = exchange.argument.find('/');
  std::string& target = call.made->target;
  target = *base;
  target += exchange.argument.substr(std::min(slash, exchange.argument.size()));
  if (target.empty()) target = "/";
  const std::string query = without_keys(exchange.head().query);
  if (!query.empty()) target.append("?").append(query);
  call.target = target;
  return {};
}

Task<Result<void>> deliver_as_it_comes(Run& run, Attempt& attempt, http::ClientStream& upstream) {
  Exchange& exchange = run.exchange;
  std::vector<http::Field> fields;
  FieldStorage storage;
  pass_all_fields(upstream.head().fields, {}, fields);
  run.heard();
  answer_fields(exchange, attempt.target, {}, fields, storage);
  exchange.outcome.status = upstream.head().status;
  bool begun = false;
  for (;;) {
    auto piece = co_await upstream.read();
    attempt.waited += run.now() - run.asked;
    run.heard();
    if (!piece && !begun) co_return pass(std::move(piece));
    if (!begun) {
      begun = true;
      run.content_sent = true;
      exchange.outcome.to_first_content = run.now() - exchange.started;
      run.stream.begin(upstream.head().status, fields);
    }
    if (!piece) co_return pass(std::move(piece));
    if (piece->empty()) break;
    exchange.outcome.answer_bytes += piece->size();
    const std::string_view pieces[] = {*piece};
    auto sent = co_await run.stream.write(pieces);
    if (!sent) co_return sent;
    run.asked = run.now();
  }
  auto finished = co_await run.stream.finish();
  exchange.outcome.cut_by_client |= !finished;
  co_return Result<void>{};
}

}  // namespace causeway::exchange
