#include "core/access_token.h"

#include <simdjson.h>

#include <algorithm>

#include "core/dialect.h"
#include "core/exchange.h"
#include "core/retry_after.h"
#include "platform/crypto/hash.h"
#include "platform/net/loop.h"
#include "platform/text/utf8.h"

namespace causeway {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostBytes = 256 * 1024;
constexpr std::chrono::seconds kUsualLifetime{300};  // where the answer does not say
constexpr std::chrono::seconds kLongestLifetime{24 * 3600};
// How long a failure is told to everybody instead of asking again; a refused secret that is sent a
// thousand times a second locks accounts.
constexpr std::chrono::milliseconds kFailureKept{1000};

std::string word_of(const simdjson::dom::element& root, const char* name) {
  std::string_view text;
  return root[name].get_string().get(text) ? std::string() : std::string(text);
}

/// A number, or as some write it a number in a string.
std::optional<std::int64_t> seconds_of(const simdjson::dom::element& root, const char* name) {
  std::int64_t number = 0;
  if (!root[name].get_int64().get(number)) return number;
  double real = 0;
  if (!root[name].get_double().get(real) && real >= 0 && real < 1e9) {
    return static_cast<std::int64_t>(real);
  }
  const std::string text = word_of(root, name);
  if (text.empty() || text.size() > 9) return std::nullopt;
  if (text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  return std::stoll(text);
}

/// RFC 6749, section 5.2: what may be shown of an error is its code.
std::unexpected<Error> refused(int status, std::span<const http::Field> fields,
                               std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string code, description;
  if (!parser.parse(simdjson::padded_string(body)).get(root)) {
    code = word_of(root, "error");
    description = word_of(root, "error_description");
  }
  if (code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != code.npos) code.clear();
  Error error;
  error.origin = Origin::Upstream;
  error.retryable = true;  // elsewhere
  error.upstream_status = status;
  error.retry_after = retry_after(fields);
  if (status == 429) {
    error.kind = ErrorKind::RateLimited;
    error.message = "The provider's token service has too many requests for now.";
  } else if (status >= 500) {
    error.kind = ErrorKind::Unavailable;
    error.message = "The provider's token service does not work now.";
  } else {
    error.kind = ErrorKind::UpstreamFailed;
    error.code = "upstream_auth";
    error.message = "The provider's token service refused the credentials" +
                    (code.empty() ? "." : " (" + code + ").");
  }
  error.detail = std::string(text::utf8_cut(description.empty() ? body : description, 500));
  return std::unexpected(std::move(error));
}

std::unexpected<Error> no_token() {
  auto error = fail(ErrorKind::UpstreamBroken, Origin::Upstream,
                    "The provider's token service gave no token.", "token_missing");
  error.error().retryable = true;
  return error;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

std::unexpected<Error> cancelled() {
  return fail(ErrorKind::Cancelled, Origin::Client, "The caller left.");
}

}  // namespace

struct AccessToken::Waiter {
  net::Loop* loop = nullptr;
  Signal signal;  // touched on the loop only
};

/// The one fetch: whatever becomes of it, the next may begin.
struct AccessToken::Flight {
  AccessToken& token;
  bool landed = false;
  ~Flight() {
    if (!landed) token.release();
  }
};

AccessToken::AccessToken(http::Endpoint endpoint, Make make)
    : endpoint_(std::move(endpoint)), make_(std::move(make)) {}
AccessToken::~AccessToken() = default;

Task<Result<AccessToken::Text>> AccessToken::get(LoopContext& context, Cancel& cancel) {
  for (;;) {
    if (cancel.requested()) co_return cancelled();
    const auto waiter = std::make_shared<Waiter>();
    waiter->loop = context.loop;
    Result<Text> result;
    const Step next = step(context.clock->now(), waiter, result);
    if (next == Step::Done) co_return result;
    if (next == Step::Fetch) co_return co_await fetch_for_all(context, cancel);
    cancel.on_request([waiter] { waiter->signal.set(); });
    co_await waiter->signal;
    cancel.on_request(nullptr);
    forget(waiter);
  }
}

// `result` is set where nothing is left to be done. Here, not later: it may change at any time.
AccessToken::Step AccessToken::step(Monotonic now, const std::shared_ptr<Waiter>& waiter,
                                    Result<Text>& result) {
  const std::lock_guard guard(mutex_);
  const bool valid = text_ && now < valid_until_;
  const bool may_fetch = !fetching_ && !(error_ && now < retry_at_);
  if (valid && (now < refresh_at_ || !may_fetch)) {
    result = text_;
    return Step::Done;
  }
  if (may_fetch) {
    fetching_ = true;
    return Step::Fetch;
  }
  if (!fetching_) {
    result = std::unexpected(*error_);
    return Step::Done;
  }
  waiters_.push_back(waiter);
  return Step::Wait;
}

Task<Result<AccessToken::Text>> AccessToken::fetch_for_all(LoopContext& context, Cancel& cancel) {
  Flight flight{*this};
  auto fetched = co_await fetch(context, cancel);
  const Monotonic now = context.clock->now();
  // A fetch that its caller gave up says nothing of the service: another one takes it up.
  if (fetched || fetched.error().kind != ErrorKind::Cancelled) {
    land(now, fetched);
    flight.landed = true;
    release();
  }
  if (fetched) co_return fetched->text;
  const std::lock_guard guard(mutex_);
  if (text_ && now < valid_until_ && fetched.error().kind != ErrorKind::Cancelled) co_return text_;
  co_return pass(std::move(fetched));
}

void AccessToken::land(Monotonic now, const Result<Fetched>& fetched) {
  const std::lock_guard guard(mutex_);
  if (!fetched) {
    error_ = fetched.error();
    retry_at_ = now + error_->retry_after.value_or(kFailureKept);
    return;
  }
  error_.reset();
  text_ = fetched->text;
  const auto lifetime = fetched->lifetime;
  // A call takes its time, and clocks differ.
  valid_until_ = now + lifetime - std::min(30s, lifetime / 10);
  refresh_at_ = now + lifetime - std::min(300s, lifetime / 4);
}

void AccessToken::release() {
  std::vector<std::shared_ptr<Waiter>> waiters;
  {
    const std::lock_guard guard(mutex_);
    fetching_ = false;
    waiters.swap(waiters_);
  }
  for (auto& waiter : waiters) {
    if (waiter->loop) {
      waiter->loop->post([waiter] { waiter->signal.set(); });
    } else {
      waiter->signal.set();
    }
  }
}

void AccessToken::forget(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard guard(mutex_);
  std::erase(waiters_, waiter);
}

Task<Result<AccessToken::Fetched>> AccessToken::fetch(LoopContext& context, Cancel& cancel) {
  const auto made = make_(context.clock->wall());
  if (!made) co_return std::unexpected(made.error());
  std::vector<http::Field> fields{{"accept", "application/json"}, {"accept-encoding", "identity"}};
  for (const auto& [name, value] : made->fields) fields.push_back({name, value});
  const std::string_view body[] = {made->body.reveal()};
  http::ClientRequest request;
  request.method = made->method;
  request.target = made->target;
  request.fields = fields;
  if (!body[0].empty()) request.body = body;
  request.timeouts = {.connect = 10s, .first_byte = 15s, .idle = 15s, .total = 25s};
  auto answer = co_await context.client->call(endpoint_, request, cancel);
  if (!answer) {
    answer.error().retryable |= answer.error().kind != ErrorKind::Cancelled;
    co_return pass(std::move(answer));
  }
  const http::ResponseHead& head = (*answer)->head();
  auto text = co_await (*answer)->read_all(kMostBytes);
  if (!text && text.error().kind == ErrorKind::TooLarge) co_return no_token();
  if (!text) co_return pass(std::move(text));
  if (head.status != 200) co_return refused(head.status, head.fields, *text);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(simdjson::padded_string(*text)).get(root)) co_return no_token();
  std::string token = word_of(root, "access_token");
  if (token.empty() || !is_printable(token)) co_return no_token();
  const std::chrono::seconds told(seconds_of(root, "expires_in").value_or(kUsualLifetime.count()));
  Fetched fetched{std::make_shared<const Secret>(std::move(token)),
                  std::clamp(told, std::chrono::seconds(1), kLongestLifetime)};
  co_return fetched;
}

std::shared_ptr<AccessToken> AccessTokens::of(
    std::string_view settings, const std::function<std::shared_ptr<AccessToken>()>& make) {
  const crypto::Digest digest = crypto::sha256(settings);
  const std::lock_guard guard(mutex_);
  std::erase_if(tokens_, [](const auto& entry) { return entry.second.expired(); });
  auto& kept = tokens_[std::string(crypto::view(digest))];
  auto token = kept.lock();
  if (!token) kept = token = make();
  return token;
}

}  // namespace causeway
