// An exchange as its trace has it, for features that take it up again (playground, evaluation).
#pragma once

#include <functional>
#include <string>

#include "platform/base/error.h"

namespace causeway {

struct Recorded {
  std::string id;                  // request id
  std::string tenant, model;       // the model as the application asked for it
  std::string operation, dialect;  // names, as traces write them
  bool streamed = false;
  bool request_cut = false;  // too long to be kept whole
  std::string request;       // the body as it went out, in the application's dialect
  std::string contents;      // JSON: request and answer, as GET /api/traces/{id} shows them
};

/// Waits for the disk. Errors: NotFound "trace_not_found", and "no_contents" where the trace has
/// none.
using RecordedById = std::function<Result<Recorded>(const std::string& id)>;

}  // namespace causeway
