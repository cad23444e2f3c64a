// Between an application and a target of different dialects: the request through the neutral Chat,
// the answer through neutral events into what a provider of the application's own dialect would
// have sent. So stages, hold-back and writers see one dialect only, and no dialect knows another.
#pragma once

#include <memory>

#include "exchange/run.h"

namespace causeway::exchange {

/// Makes attempt.translated of the attempt's request. Errors: InvalidRequest with the field in
/// `param` where the target's dialect cannot say it and policy does not drop it; NotImplemented
/// where a dialect has no translation for this operation. Both are retryable: another target may
/// speak the application's dialect.
Result<void> translate(const Run& run, Attempt& attempt);

/// The attempt's request as it is said to the target, in no dialect's form. Errors: InvalidRequest.
Result<Chat> chat_for_target(const Operation& operation, const Attempt& attempt);

/// What reads the attempt's answer and gives frames in the application's dialect.
std::unique_ptr<AnswerReader> make_reader(const Run& run, Attempt& attempt);

}  // namespace causeway::exchange
