#include "providers/bedrock/config.h"

#include <algorithm>

namespace causeway::bedrock {
namespace {

std::string check_region(const std::string& text) {
  const auto letter = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
  };
  const bool right =
      !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), letter);
  return right ? "" : "must be a region of AWS, as eu-central-1";
}

}  // namespace

void describe(config::Fields& f, BedrockConfig& c) {
  describe_upstream(f, c,
                    "Default: https://bedrock-runtime.REGION.amazonaws.com; a VPC endpoint has an "
                    "address of its own.",
                    "An API key of Bedrock, sent as Authorization: Bearer, instead of signing. "
                    "Default: AWS_BEARER_TOKEN_BEDROCK of the environment.");
  f.field("region", c.region, "Default: AWS_REGION or AWS_DEFAULT_REGION of the environment.")
      .check(check_region, "^[0-9a-z-]{1,32}$");
  f.field(
      "access_key_id", c.access_key_id,
      "Requests are signed with it. Default: AWS_ACCESS_KEY_ID of the environment, with the two "
      "that belong to it.");
  f.field("secret_access_key", c.secret_access_key, "Belongs to access_key_id.");
  f.field("session_token", c.session_token, "Of temporary credentials.");
  f.check<BedrockConfig>(
      c, [](const BedrockConfig& bedrock, config::Position at, config::Problems& problems) {
        if (bedrock.access_key_id.empty() != bedrock.secret_access_key.empty()) {
          problems.add(at, "access_key_id and secret_access_key belong together");
        }
        if (!bedrock.access_key_id.empty() && bedrock.has_key()) {
          problems.add(at, "only one of api_key and access_key_id can be set");
        }
      });
}

}  // namespace causeway::bedrock
