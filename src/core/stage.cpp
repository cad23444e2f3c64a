#include "core/stage.h"

namespace causeway {

Task<Verdict> Stage::wait_request(Exchange&) { co_return go_on(); }
Task<Verdict> Stage::wait_attempt(Exchange&, Attempt&) { co_return go_on(); }

}  // namespace causeway
