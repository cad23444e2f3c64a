// A model's answer for Causeway itself: judges, batches, tasks, whatever is not an application. A
// question takes the way of every request (policy, ledger, trace, log), but for the socket and the
// key: whoever asks says on whose behalf. Never a call to the program's own port. Each loop has its
// own Asker in its LoopContext, used from that loop only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/base/cancel.h"
#include "platform/base/error.h"
#include "platform/base/task.h"

namespace causeway {

struct Exchange;
struct Principal;

/// What the target got that was tried last, when all stages had treated it, and what came from
/// there before any of them did.
struct Sent {
  static constexpr std::size_t kMost = 1024 * 1024;  // bytes of a body; the rest is cut
  std::string request_id;
  std::string provider, model;
  std::string body;    // in the target's dialect; empty where none was sent
  std::string answer;  // the text of its first choice
};

struct Question {
  const Principal* principal = nullptr;  // who pays and whose policy applies; outlives the call
  std::string path = "/v1/chat/completions";  // of an operation; it gives the dialect
  std::string body;                           // JSON in that dialect
  std::string request_id;                     // in logs and traces; empty = a new one

  /// The exchange in whose course the question comes up; null for a job. The question takes its
  /// place in that exchange's trace, and is allowed while the program shuts down.
  const Exchange* inside = nullptr;
  /// Ends the call when it is requested: the asker's own, e.g. its exchange's. One question at a
  /// time uses it.
  Cancel* cancel = nullptr;
  /// Ends the call after about so long (a second more or less); 0 = as the policy says.
  std::chrono::milliseconds timeout{0};
  /// Nothing is sent: the answer is the choice of targets, as JSON.
  bool explain = false;
  /// Set when the question has ended, whatever came of it; null = not wanted.
  Sent* sent = nullptr;
  /// Takes a streamed answer piece by piece, as an application would get it; the next piece comes
  /// when it has ended. Without one the answer is collected.
  std::function<Task<Result<void>>(std::string_view piece)> sink;
};

struct Answer {
  int status = 200;  // another one only where a stage replied with it
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;  // empty where a sink took it
};

/// How many questions may stand inside each other: one that comes up in answering a question that
/// comes up in … is a circle in the configuration.
inline constexpr std::uint8_t kMostDepth = 3;

class Asker {
 public:
  virtual ~Asker() = default;

  /// Whatever is not an answer is an Error, also where an application would get a status and a
  /// body, and also where the answer ended inside a stream: an asker must see `kind`, `retryable`
  /// and `retry_after`, and cannot take a refusal for an answer. (core/error.h and the dialect make
  /// status and body of it for who needs them.) Errors of its own: "ask_too_deep"; "ask_timeout";
  /// Cancelled.
  virtual Task<Result<Answer>> ask(Question question) = 0;
};

}  // namespace causeway
