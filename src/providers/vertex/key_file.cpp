#include "providers/vertex/key_file.h"

#include <simdjson.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "platform/crypto/hash.h"
#include "platform/text/json_writer.h"
#include "platform/text/percent.h"

namespace causeway::vertex {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMostBytes = 64 * 1024;
constexpr std::string_view kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr std::int64_t kLifetime = 3600;  // seconds; the most that Google takes
constexpr const char* kTokenUri = "https://oauth2.googleapis.com/token";

std::unexpected<Error> wrong(const std::string& path, const std::string& what) {
  return fail(ErrorKind::InvalidRequest, Origin::Us, "the key file " + path + " " + what);
}

Result<Secret> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return wrong(path, std::string("cannot be opened: ") + std::strerror(errno));
  std::string text(kMostBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return wrong(path, "cannot be read");
  if (static_cast<std::size_t>(in.gcount()) > kMostBytes) return wrong(path, "has over 64 KiB");
  text.resize(static_cast<std::size_t>(in.gcount()));
  return Secret(std::move(text));
}

/// The members of the file, and the first of them that is missing or no text.
class Members {
 public:
  explicit Members(dom::object object) : object_(object) {}

  std::string optional(const char* name) const {
    std::string_view text;
    return object_[name].get_string().get(text) ? std::string() : std::string(text);
  }
  std::string text(const char* name) {
    std::string found = optional(name);
    if (found.empty() && missing_.empty()) missing_ = name;
    return found;
  }
  const std::string& missing() const { return missing_; }

 private:
  dom::object object_;
  std::string missing_;
};

Result<KeyFile> read_members(const std::string& path, Members members) {
  const std::string type = members.text("type");
  if (!type.empty() && type != "service_account") {
    return wrong(path, "is of type \"" + type + "\"; only service_account is known");
  }
  std::string email = members.text("client_email");
  const Secret pem(members.text("private_key"));
  if (!members.missing().empty()) return wrong(path, "has no \"" + members.missing() + "\"");
  auto key = crypto::RsaKey::from_pem(pem);
  if (!key) return wrong(path, "has a private_key that " + key.error().message);
  std::string uri = members.optional("token_uri");
  return KeyFile{members.optional("project_id"),
                 std::move(email),
                 members.optional("private_key_id"),
                 uri.empty() ? kTokenUri : std::move(uri),
                 std::move(*key),
                 {}};
}

}  // namespace

Result<KeyFile> read_key_file(const std::string& path) {
  auto text = read_text(path);
  if (!text) return pass(std::move(text));
  dom::parser parser;
  dom::object object;
  if (parser.parse(simdjson::padded_string(text->reveal())).get_object().get(object)) {
    return wrong(path, "is no JSON object");
  }
  auto file = read_members(path, Members(object));
  if (file) file->identity = crypto::view(crypto::sha256(text->reveal()));
  return file;
}

Result<TokenRequest> jwt_grant(const KeyFile& file, const std::string& target, Wall now) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  std::string claims;
  text::JsonWriter json(claims);
  json.begin_object().field("iss", file.client_email).field("scope", kScope);
  json.field("aud", file.token_uri).field("iat", seconds).field("exp", seconds + kLifetime);
  json.end_object();
  auto token = crypto::sign_jwt(file.key, file.key_id, claims);
  if (!token) return pass(std::move(token));
  TokenRequest request;
  request.target = target;
  request.fields = {{"content-type", "application/x-www-form-urlencoded"}};
  request.body =
      Secret("grant_type=" + text::percent_encoded("urn:ietf:params:oauth:grant-type:jwt-bearer") +
             "&assertion=" + *token);
  return request;
}

}  // namespace causeway::vertex
