// Tokens that a provider gets for its credentials and that expire (OAuth 2.0). One is fetched over
// HTTP when it is first needed, and anew before it expires, by one exchange on behalf of all loops;
// the others go on with the old one, or wait where there is none. They outlive snapshots, one for
// each set of settings.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/base/cancel.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/secret.h"
#include "platform/base/task.h"
#include "platform/http/client.h"

namespace causeway {

struct LoopContext;

/// The call that gets a token. Its answer is RFC 6749's (section 5.1): access_token, expires_in.
struct TokenRequest {
  std::string method = "POST";
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields;
  Secret body;
};

class AccessToken {
 public:
  /// `make` is called for each fetch, with the time, since a signed grant holds it.
  using Make = std::function<Result<TokenRequest>(Wall now)>;
  using Text = std::shared_ptr<const Secret>;

  AccessToken(http::Endpoint endpoint, Make make);
  AccessToken(const AccessToken&) = delete;
  ~AccessToken();

  /// A token that is valid now; the object must outlive the call. Waits only where there is none.
  /// Errors: UpstreamFailed ("upstream_auth", the credentials were refused), Unavailable,
  /// RateLimited, those of the HTTP client; Cancelled.
  Task<Result<Text>> get(LoopContext& context, Cancel& cancel);

 private:
  struct Waiter;
  struct Flight;
  struct Fetched {
    Text text;
    std::chrono::seconds lifetime;
  };
  enum class Step { Done, Fetch, Wait };

  Step step(Monotonic now, const std::shared_ptr<Waiter>& waiter, Result<Text>& result);
  void land(Monotonic now, const Result<Fetched>& fetched);
  void release();
  void forget(const std::shared_ptr<Waiter>& waiter);
  Task<Result<Text>> fetch_for_all(LoopContext& context, Cancel& cancel);
  Task<Result<Fetched>> fetch(LoopContext& context, Cancel& cancel);

  http::Endpoint endpoint_;
  Make make_;

  std::mutex mutex_;  // short: guards what is below
  Text text_;
  Monotonic valid_until_{}, refresh_at_{}, retry_at_{};
  std::optional<Error> error_;  // of the last fetch, for all who come before retry_at_
  bool fetching_ = false;
  std::vector<std::shared_ptr<Waiter>> waiters_;
};

/// Tokens by the settings that they are got with. A token lives as long as a snapshot uses it, so a
/// reload that leaves the settings as they are keeps it.
class AccessTokens {
 public:
  /// `settings` is everything that decides which token it is, secrets included; only its hash is
  /// kept.
  std::shared_ptr<AccessToken> of(std::string_view settings,
                                  const std::function<std::shared_ptr<AccessToken>()>& make);

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<AccessToken>> tokens_;
};

}  // namespace causeway
