// AWS Signature Version 4: which headers a request needs so that AWS knows who sends it. Source:
// "Create a signed AWS API request" of the IAM user guide.
#pragma once

#include <string>
#include <string_view>

#include "platform/base/clock.h"
#include "platform/base/secret.h"

namespace causeway::bedrock {

struct Credentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  // of temporary credentials; empty = none
  bool empty() const { return access_key_id.empty(); }
};

struct ToSign {
  std::string_view method = "POST";
  std::string_view host;  // as in the Host field
  std::string_view path;  // as sent; each part is encoded once more for the signature
  std::string_view body;
  std::string_view region, service;
  Wall time;
};

struct Signed {
  std::string date;           // x-amz-date
  std::string authorization;  // authorization
};

/// Signs host, x-amz-date and, where there is one, x-amz-security-token.
Signed sign(const ToSign& request, const Credentials& credentials);

}  // namespace causeway::bedrock
