#include "features/access/sessions/feature.h"

#include <boost/json.hpp>

#include "features/access/sessions/cookie.h"
#include "platform/text/json_writer.h"

namespace causeway::sessions {
namespace {

namespace json = boost::json;

Error error_of(ErrorKind kind, std::string message, std::string code) {
  Error error;
  error.kind = kind;
  error.origin = Origin::Client;
  error.message = std::move(message);
  error.code = std::move(code);
  return error;
}

AdminReply refusal(ErrorKind kind, std::string message, std::string code) {
  return admin_error(error_of(kind, std::move(message), std::move(code)));
}

AdminReply locked(std::chrono::seconds wait) {
  auto error = error_of(ErrorKind::RateLimited,
                        "Too many keys from here were wrong. Try again in " +
                            std::to_string(wait.count()) + " seconds.",
                        "locked_out");
  error.retry_after = wait;
  return admin_error(error);
}

AdminReply other_page() {
  return refusal(ErrorKind::Forbidden, "This request does not come from the console's own page.",
                 "csrf");
}

// {"key": "…"} and nothing else that matters.
std::optional<Secret> key_in(const std::string& body) {
  boost::system::error_code bad;
  auto value = json::parse(body, bad);
  const auto* object = bad ? nullptr : value.if_object();
  const auto* key = object ? object->if_contains("key") : nullptr;
  if (!key || !key->is_string()) return std::nullopt;
  return Secret(std::string(key->as_string()));
}

}  // namespace

std::vector<AdminRoute> SessionsFeature::routes() {
  using http::Method;
  std::vector<AdminRoute> routes;
  const auto add = [&](Method method, std::string summary, bool open,
                       Task<AdminReply> (SessionsFeature::*handle)(AdminRequest)) {
    routes.push_back(
        {method, "/api/session", std::move(summary), false,
         [this, handle](AdminRequest request) { return (this->*handle)(std::move(request)); },
         open});
  };
  add(Method::Post, "Signs a browser in with an admin key; sets a cookie.", true,
      &SessionsFeature::sign_in);
  add(Method::Get, "Who is signed in, and the token that changes need.", false,
      &SessionsFeature::show);
  add(Method::Delete, "Signs out.", false, &SessionsFeature::sign_out);
  return routes;
}

AdminReply SessionsFeature::describe(std::string_view session, const Admin& admin) const {
  AdminReply reply;
  text::JsonWriter writer(reply.body);
  writer.begin_object();
  writer.field("actor", admin.key_name.empty() ? admin.key_id : admin.key_name);
  writer.field("role", admin.full ? "full" : "read");
  writer.field("csrf", sessions_.csrf(session).reveal());
  const auto ends = sessions_.ends(session).value_or(Wall{}).time_since_epoch();
  writer.field("expires_at", std::chrono::duration_cast<std::chrono::seconds>(ends).count());
  writer.end_object();
  return reply;
}

Task<AdminReply> SessionsFeature::sign_in(AdminRequest request) {
  if (request.head && !from_own_page(*request.head)) co_return other_page();
  if (const auto wait = lockout_.wait(request.peer); wait.count() > 0) co_return locked(wait);
  const auto key = key_in(request.body);
  if (!key) {
    co_return refusal(ErrorKind::InvalidRequest, R"(The body must be {"key": "an admin key"}.)",
                      "invalid_request");
  }
  const auto admin = keys_.find(key->reveal());
  if (!admin) {
    if (const auto wait = lockout_.failed(request.peer); wait.count() > 0) {
      log_.warn("too many keys were wrong at the console's sign-in",
                {{"peer", request.peer}, {"locked_s", wait.count()}});
    }
    co_return refusal(ErrorKind::Unauthenticated, "This is no admin key that is valid now.",
                      "invalid_key");
  }
  lockout_.succeeded(request.peer);
  if (!request.session.empty()) sessions_.close(request.session);
  const Secret session = sessions_.open(admin->digest);
  log_.info("signed in to the console", {{"key", admin->key_name}, {"peer", request.peer}});
  auto reply = describe(session.reveal(), *admin);
  constexpr std::chrono::seconds kLongest = Sessions::kLongest;
  reply.fields.emplace_back("set-cookie",
                            set_cookie(session.reveal(), kLongest.count(), request.head));
  co_return reply;
}

Task<AdminReply> SessionsFeature::show(AdminRequest request) {
  const auto key = sessions_.use(request.session);
  const auto admin = key ? keys_.find_again(*key) : std::nullopt;
  if (!admin) {
    co_return refusal(ErrorKind::NotFound, "This request came with a key; nobody is signed in.",
                      "no_session");
  }
  co_return describe(request.session, *admin);
}

Task<AdminReply> SessionsFeature::sign_out(AdminRequest request) {
  sessions_.close(request.session);
  AdminReply reply;
  reply.status = 204;
  reply.fields.emplace_back("set-cookie", set_cookie("", 0, request.head));
  co_return reply;
}

SignedIn SessionsFeature::signed_in(const http::RequestHead& head) {
  SignedIn signed_in;
  const auto session = session_of(head);
  const auto key = session.empty() ? std::nullopt : sessions_.use(session);
  if (!key) return signed_in;
  const auto admin = keys_.find_again(*key);
  if (!admin) {  // revoked, expired or replaced meanwhile
    sessions_.close(session);
    return signed_in;
  }
  signed_in.session = session;
  signed_in.key_id = admin->key_id;
  signed_in.full = admin->full;
  if (head.method == http::Method::Get || head.method == http::Method::Head) return signed_in;
  const auto token = head.find("x-csrf-token").value_or("");
  if (!from_own_page(head) || !sessions_.csrf(session).equals(token)) {
    signed_in.refused = error_of(
        ErrorKind::Forbidden,
        "A change needs the session's token (x-csrf-token) and must come from the console's own "
        "page.",
        "csrf");
  }
  return signed_in;
}

}  // namespace causeway::sessions
