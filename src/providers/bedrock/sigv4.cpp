#include "providers/bedrock/sigv4.h"

#include <chrono>
#include <cstdio>

#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"
#include "platform/text/percent.h"

namespace causeway::bedrock {
namespace {

using crypto::Hmac;

/// "20150830T123600Z"
std::string stamp(Wall time) {
  using namespace std::chrono;
  const auto seconds_of = floor<seconds>(time);
  const auto day = floor<days>(seconds_of);
  const year_month_day date(day);
  const hh_mm_ss clock(seconds_of - day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

std::string hex_sum(std::string_view bytes) {
  return crypto::to_hex(crypto::view(crypto::sha256(bytes)));
}

std::string canonical_path(std::string_view path) {
  std::string canonical;
  while (!path.empty()) {
    const auto slash = path.find('/');
    canonical += text::percent_encoded(path.substr(0, slash));
    if (slash == path.npos) break;
    canonical += '/';
    path.remove_prefix(slash + 1);
  }
  return canonical;
}

std::string signature_of(std::string_view text, std::string_view day, const ToSign& request,
                         const Secret& secret) {
  const auto step = [](const crypto::Digest& key, std::string_view data) {
    return Hmac(crypto::view(key))(data);
  };
  const Secret first("AWS4" + std::string(secret.reveal()));
  const auto key =
      step(step(step(Hmac(first.reveal())(day), request.region), request.service), "aws4_request");
  return crypto::to_hex(crypto::view(step(key, text)));
}

}  // namespace

Signed sign(const ToSign& request, const Credentials& credentials) {
  Signed result;
  result.date = stamp(request.time);
  const std::string day = result.date.substr(0, 8);
  std::string names = "host;x-amz-date";
  std::string canonical;
  canonical.append(request.method).append("\n").append(canonical_path(request.path));
  canonical.append("\n\nhost:").append(request.host);
  canonical.append("\nx-amz-date:").append(result.date).append("\n");
  if (!credentials.session_token.empty()) {
    names += ";x-amz-security-token";
    canonical.append("x-amz-security-token:").append(credentials.session_token.reveal());
    canonical += '\n';
  }
  canonical.append("\n").append(names).append("\n").append(hex_sum(request.body));
  const std::string scope = day + "/" + std::string(request.region) + "/" +
                            std::string(request.service) + "/aws4_request";
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + result.date + "\n" + scope + "\n" + hex_sum(canonical);
  result.authorization = "AWS4-HMAC-SHA256 Credential=" + credentials.access_key_id + "/" + scope +
                         ", SignedHeaders=" + names + ", Signature=" +
                         signature_of(to_sign, day, request, credentials.secret_access_key);
  return result;
}

}  // namespace causeway::bedrock
