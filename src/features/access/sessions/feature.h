// The feature "sessions": operators sign in to the console with an admin key, once, and their
// browser keeps a cookie that no script can read. Routes /api/session; AdminServer asks signed_in()
// who a request without a key comes from.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/feature.h"
#include "features/access/sessions/lockout.h"
#include "features/access/sessions/sessions.h"
#include "platform/crypto/hash.h"
#include "platform/http/message.h"
#include "platform/log/log.h"

namespace causeway::sessions {

/// An admin key, as the keys know it.
struct Admin {
  crypto::Digest digest{};
  std::string key_id, key_name;
  bool full = false;
};

/// How keys are looked up; nothing for one that is unknown, not valid any more, or no admin's.
struct AdminKeys {
  std::function<std::optional<Admin>(std::string_view presented)> find;
  std::function<std::optional<Admin>(const crypto::Digest& digest)> find_again;
};

struct SignedIn {
  std::string session;  // its id; "" = nobody is
  std::string key_id;
  bool full = false;
  /// Why this request must not change anything: it does not come from the console's own page.
  std::optional<Error> refused;
};

class SessionsFeature final : public Feature {
 public:
  SessionsFeature(AdminKeys keys, log::Log& log, const Clock& clock)
      : keys_(std::move(keys)), log_(log), sessions_(clock), lockout_(clock) {}

  std::string_view name() const override { return "sessions"; }
  std::vector<AdminRoute> routes() override;

  /// Who the cookie of a request says that it comes from. On the loop of the admin port.
  SignedIn signed_in(const http::RequestHead& head);

 private:
  Task<AdminReply> sign_in(AdminRequest request);
  Task<AdminReply> show(AdminRequest request);
  Task<AdminReply> sign_out(AdminRequest request);
  AdminReply describe(std::string_view session, const Admin& admin) const;

  AdminKeys keys_;
  log::Log& log_;
  Sessions sessions_;
  Lockout lockout_;
};

}  // namespace causeway::sessions
