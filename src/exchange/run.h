// One exchange while it runs: what the parts of the runner share and no stage sees.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/ask.h"
#include "core/dialect.h"
#include "core/exchange.h"
#include "core/snapshot.h"
#include "core/stage.h"
#include "core/token_estimates.h"
#include "exchange/rest.h"
#include "exchange/retry_budget.h"
#include "exchange/settings.h"
#include "exchange/upload.h"
#include "platform/base/task.h"
#include "platform/http/server_stream.h"

namespace causeway::exchange {

struct Run {
  Exchange& exchange;
  http::ServerStream& stream;
  const SettingKeys& keys;
  TokenEstimates& estimates;
  RetryBudget& retries;

  std::unique_ptr<AnswerWriter> writer;  // of a streamed answer
  std::unique_ptr<Told> told{};          // of an answer that may be continued
  std::unique_ptr<Upload> upload{};      // of a request that is a form
  std::size_t model_part = 0;            // of it
  bool head_begun = false;               // the head of a streamed answer is fixed
  bool content_sent = false;             // from here on no other target can answer
  bool draining = false;                 // the client left, the answer is read for its usage
  bool shut_down = false;                // it is ended since the program ends
  bool settled = false;                  // the settle hooks have run
  bool writing = false;
  Signal* waiting_for_write = nullptr;
  Monotonic last_write{};
  Sent* sent = nullptr;                // where an asker wants to know it
  std::size_t held = 0;                // of the core's budget
  std::uint64_t content_bytes = 0;     // of text in the answer, for an estimate
  std::chrono::nanoseconds waited{0};  // for providers, up to the first content of a stream
  std::chrono::nanoseconds queued{0};  // likewise, in lines of ours
  Monotonic asked{};                   // since when a provider is being waited for

  /// An answer that was cut is being continued.
  bool goes_on() const { return told && told->goes_on; }
  template <class T>
  const T& setting(SectionKey<T> key) const {
    return exchange.policy->sections.get(key);
  }
  /// Notes that it ended with this error. A call that was cancelled was so because its caller left,
  /// unless the program itself ends.
  void note_end(Error& error) const;
  Monotonic now() const { return exchange.context->clock->now(); }
  /// The provider has let something hear of itself: what was waited for it is counted.
  Monotonic heard() {
    const Monotonic time = now();
    waited += time - std::exchange(asked, time);
    return time;
  }
};

/// Answers a count of tokens for a target that does not count in the application's dialect: what
/// its provider can tell, else by what is known of it (token_estimates.h); says which of both it
/// is.
Task<Result<void>> answer_count(Run& run, Attempt& attempt);

/// Sends bytes of a streamed answer, its head first where that has not gone out. Waits for a
/// heartbeat that is being written. While draining, nothing is sent.
Task<Result<void>> send(Run& run, const Bytes& bytes);

/// Takes what the attempt has in memory from the core's budget: its request where that was
/// translated, and `answer` bytes of the answer. False: there is no room, and the attempt ends with
/// http::buffers_full().
bool hold(Run& run, const Attempt& attempt, std::size_t answer);

/// The head of a streamed answer. `target` may be null (no target has answered).
void begin_stream(Run& run, const Target* target, std::span<const http::Field> upstream);

/// Sends the heartbeat if the answer has been silent for too long; harmless to call at any time.
void beat(Run& run);

/// Above this, a body is read and translated, and texts are looked through, by the CPU thread
/// group, so that the loop serves others meanwhile.
inline constexpr std::size_t kLargeBytes = 256 * 1024;

/// Runs `work` there while the loop goes on; at once where there is no such group. Errors: what it
/// says; Overloaded ("too_many_large_requests"); Cancelled when the client left meanwhile.
using Work = std::move_only_function<Verdict()>;
Task<Verdict> on_cpu(Exchange& exchange, Work work);

/// Reads a large body there. Where its texts are large too, the request hooks are run as well,
/// those that read texts there, and next_hook moves behind them. Errors: what the reader and the
/// hooks say, and as of on_cpu().
Task<Verdict> begin_large(Run& run, std::string_view body, std::size_t& next_hook);

/// Tries the targets in their order. Success: an answer was delivered, whole or with an error
/// inside the stream (then exchange.outcome.error says so). An error: nothing of an answer has gone
/// out.
Task<Result<void>> run_attempts(Run& run);

/// Passes on an answer that has status 2xx. Errors: what went wrong; run.content_sent says whether
/// it is too late for another target.
Task<Result<void>> deliver_whole(Run& run, Attempt& attempt, http::ClientStream& upstream);
Task<Result<void>> deliver_stream(Run& run, Attempt& attempt, http::ClientStream& upstream);

/// Whether another target may say the rest of an answer that broke off with this error (rest.cpp).
Task<bool> may_go_on(Run& run, const Error& error);
/// From here on targets are asked for the rest. What the one that was cut has used counts as well.
void go_on_elsewhere(Run& run, const Attempt& cut);

/// Whether the answer may tell probabilities that only we have asked for.
inline bool hides_logprobs(const Exchange& exchange) {
  return exchange.escalate && !exchange.operation->dialect->wants_logprobs(exchange.index);
}

/// Runs the settle hooks, unless they have run.
void settle(Run& run);

/// The answer is whole and its last bytes are about to go out: its usage is made known, estimated
/// where the provider told none, and settled.
void settle_answer(Run& run, Attempt& attempt);

/// Gives the caller these words as a model's answer: in its dialect, whole or as a stream.
Task<void> say(Run& run, std::string_view text);

/// Operations that Causeway answers by itself: models, health, refusals.
Verdict answer_locally(Exchange& exchange);
bool is_local(const Operation& operation);

/// Those of `from` that `allowed` names, the first of each, appended to `to`.
void pass_fields(std::span<const http::Field> from, std::span<const std::string_view> allowed,
                 std::vector<http::Field>& to);

/// Fields that every answer carries; views into the exchange and `storage`.
using FieldStorage = std::array<char, 80>;
void answer_fields(const Exchange& exchange, const Target* target,
                   std::span<const http::Field> upstream, std::vector<http::Field>& fields,
                   FieldStorage& storage);

}  // namespace causeway::exchange
