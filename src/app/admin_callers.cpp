// Who calls the admin port: a key in the request, or a browser that has signed in with one.
#include "app/program.h"
#include "features/access/keys/table.h"
#include "features/access/sessions/feature.h"
#include "platform/text/ascii.h"

namespace causeway::app {
namespace {

std::string_view bearer(const http::RequestHead& head) {
  const auto value = head.find("authorization").value_or("");
  constexpr std::string_view kBearer = "bearer ";
  if (!text::starts_with_ignore_case(value, kBearer)) return {};
  return text::trim(value.substr(kBearer.size()));
}

std::optional<sessions::Admin> admin_of(const keys::LoopKeys::Found& found, Wall now) {
  if (found.state != keys::KeyState::Valid) return std::nullopt;
  found.lease->last_use->note(now);
  if (found.lease->kind == keys::KeyKind::Application) return std::nullopt;
  sessions::Admin admin;
  admin.key_id = found.lease->principal.key_id;
  admin.key_name = found.lease->principal.key_name;
  admin.full = found.lease->kind == keys::KeyKind::Admin;
  return admin;
}

AdminCaller caller_of(std::string key_id, bool full) {
  AdminCaller caller;
  caller.right = full ? AdminRight::Full : AdminRight::Read;
  caller.actor = std::move(key_id);
  return caller;
}

}  // namespace

// The control loop's view of the keys is made after the features.
sessions::AdminKeys Program::admin_key_lookup() {
  sessions::AdminKeys lookup;
  lookup.find = [this](std::string_view presented) {
    auto admin = admin_of(admin_keys_->find(presented, clock_.wall()), clock_.wall());
    if (admin) admin->digest = admin_keys_->digest(presented);
    return admin;
  };
  lookup.find_again = [this](const crypto::Digest& digest) {
    auto admin = admin_of(admin_keys_->find(digest, clock_.wall()), clock_.wall());
    if (admin) admin->digest = digest;
    return admin;
  };
  return lookup;
}

AdminCaller Program::authenticate(const http::RequestHead& head) {
  if (const auto presented = bearer(head); !presented.empty()) {
    const auto admin = admin_of(admin_keys_->find(presented, clock_.wall()), clock_.wall());
    return admin ? caller_of(admin->key_id, admin->full) : AdminCaller{};
  }
  auto signed_in = sessions_feature_->signed_in(head);
  if (signed_in.session.empty()) return {};
  AdminCaller caller = caller_of(std::move(signed_in.key_id), signed_in.full);
  caller.session = std::move(signed_in.session);
  caller.refused = std::move(signed_in.refused);
  return caller;
}

}  // namespace causeway::app
