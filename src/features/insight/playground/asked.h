// What POST /api/playground asks for: a request of one's own, or one that was recorded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/admin.h"
#include "core/operation.h"
#include "core/principal.h"
#include "core/recorded.h"

namespace causeway::playground {

struct Asked {
  Principal principal;  // the operator, in the place of whom the policy shall see
  std::string path;     // of an operation
  std::string body;     // in its dialect
  std::string trace;    // the recorded request to take instead; "" = none
  std::string model;    // for that one; "" = the one that was asked then
  std::optional<bool> stream;
  bool explain = false;  // only which targets would be tried
};

/// {"path", "body"} or {"trace", "model", "stream"}; {"tenant", "user", "roles", "explain"} with
/// both. Error: InvalidRequest "playground" naming the member.
Result<Asked> read_asked(const AdminRequest& request);

/// Makes path and body of a recorded request. Errors: Conflict "request_cut"; InvalidRequest
/// "not_replayable" for an operation without a JSON body, or a body that is none.
Result<void> take_recorded(Asked& asked, const Recorded& recorded, const Operations& operations);

}  // namespace causeway::playground
