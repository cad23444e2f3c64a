// One request and its answer on the way through: the typed slots by which stages know of each
// other. An exchange lives on one loop and is never touched by another thread.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event.h"
#include "core/logprobs.h"
#include "core/operation.h"
#include "core/policy.h"
#include "core/principal.h"
#include "core/request.h"
#include "core/slots.h"
#include "core/target.h"
#include "core/usage.h"
#include "platform/base/cancel.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/recycled.h"
#include "platform/http/client.h"

namespace causeway {

namespace http {
class ServerStream;
}
namespace net {
class Loop;
}
namespace redis {
class Client;
}
struct Snapshot;
class Asker;
class TokenEstimates;
class WorkerGroup;

/// What every exchange of one loop shares. No other thread touches it.
struct LoopContext {
  int index = 0;
  net::Loop* loop = nullptr;  // null in tests without sockets
  http::Client* client = nullptr;
  const Clock* clock = nullptr;
  Asker* asker = nullptr;  // core/ask.h
  WorkerGroup* cpu =
      nullptr;  // for long work on texts; of all loops. Null in tests: it is done here
  WorkerGroup* files = nullptr;               // for what waits for the disk, likewise
  std::string data_folder{};                  // where uploads are kept while they pass
  const TokenEstimates* estimates = nullptr;  // null in tests: the usual ones
  redis::Client* redis = nullptr;             // what replicas share; null = each is for itself
};

/// How one attempt ended.
enum class AttemptEnd : std::uint8_t {
  Running,
  Answered,
  Failed,
  Cancelled,
  Unsure,   // it answered, and the answer was thrown away: another target is asked (Escalation)
  Skipped,  // the target was not asked, since it rests
  Stored,   // likewise, since its answer was there already
};

/// What an answer says of the model that made it; empty = nothing. Cut where it is longer.
struct MadeBy {
  std::array<char, 64> model_bytes, fingerprint_bytes;
  std::uint8_t model_size = 0, fingerprint_size = 0;
  std::string_view model() const { return {model_bytes.data(), model_size}; }
  std::string_view fingerprint() const { return {fingerprint_bytes.data(), fingerprint_size}; }
};

/// A provider's answer of status 200, whole, as it came: kept to be given again.
struct StoredAnswer {
  static constexpr std::size_t kPadding = 64;  // readable bytes behind it
  std::string content_type;
  RecycledString padded;  // the body, kPadding zeros behind it
  bool streamed = false;  // event by event
  std::string_view body() const { return {padded.data(), padded.size() - kPadding}; }
};

/// Keeps an answer while it passes by, for whoever put it on the attempt.
struct AnswerTap {
  explicit AnswerTap(std::size_t bytes) : most(bytes) {}
  std::size_t most;  // of a body; a larger one is not kept
  bool too_large = false;
  StoredAnswer answer;  // whole when the attempt has ended well; without padding
  void take(std::string_view piece) {
    too_large |= piece.size() > most - answer.padded.size();
    if (too_large) return;
    // A whole answer comes in one piece.
    if (answer.padded.empty()) answer.padded.reserve(piece.size() + StoredAnswer::kPadding);
    answer.padded += piece;
  }
};

/// One try at one target, on its own fork of the request.
struct Attempt {
  const Target* target = nullptr;
  const Dialect* dialect = nullptr;  // that the target is spoken to in
  Request request;                   // in the application's dialect
  std::string translated;            // the body in the target's; empty = it is the application's
  AttemptEnd end = AttemptEnd::Running;
  std::optional<Error> error;
  Monotonic started{};
  std::chrono::nanoseconds took{0};
  std::chrono::nanoseconds connecting{0};  // of this, to make a connection; 0 = one was there
  std::chrono::nanoseconds queued{0};      // likewise, in lines of ours before it was asked
  std::chrono::nanoseconds waited{0};  // for the provider, to the end of its answer; what a slow
                                       // caller takes to read it is not in it
  bool sent = false;                   // a call was made
  /// Of a stage's attempt hook: given in the place of a call.
  std::shared_ptr<const StoredAnswer> stored;
  std::unique_ptr<AnswerTap> tap;  // likewise, to have the answer
  /// Of an answer that is judged by its tokens' probabilities.
  std::unique_ptr<LogprobReader> logprobs;
  Usage usage;  // also of an attempt that failed when tokens had been made
  /// ledger: what it cost, where it has given no answer; nothing = unpriced.
  std::optional<std::int64_t> cost_nanos;
  MadeBy made_by;
};

/// How the exchange ended, for on_done.
struct Outcome {
  int status = 0;              // as sent to the caller; 499 when it left before
  std::optional<Error> error;  // why it failed, also when that came after the answer had begun
  bool cut_by_client = false;  // the client left before the end
  bool streamed = false;
  Stop stop = Stop::None;
  Usage usage;  // of the attempt that answered
  Usage saved;  // what a stored answer had cost in tokens when it was made; then `usage` is nothing
  std::chrono::nanoseconds total{0};
  std::chrono::nanoseconds to_first_content{0};  // 0 = no content was sent
  std::chrono::nanoseconds upstream{0};          // waiting for providers; of a stream up to its
                                                 // first content
  std::chrono::nanoseconds caller{0};  // likewise, waiting for the caller: for its request,
                                       // and for it to take the answer
  std::chrono::nanoseconds queued{0};  // likewise, in lines of ours for a place at a target
  std::uint64_t request_bytes = 0, answer_bytes = 0;

  /// The whole of it; of a stream up to its first content.
  std::chrono::nanoseconds until_answer() const {
    return streamed && to_first_content.count() > 0 ? to_first_content : total;
  }
  /// Of that, what went by in Causeway itself. What was waited for both others at once counts once
  /// too often as theirs.
  std::chrono::nanoseconds own() const {
    return std::max(until_answer() - upstream - caller - queued, std::chrono::nanoseconds(0));
  }
};

/// The verdict of one stage, for the trace.
struct StageMark {
  std::uint8_t stage = 0;         // its place in the pipeline
  bool ended = false;             // it ended the exchange
  std::uint32_t nanoseconds = 0;  // time spent in its hooks before the answer
};

/// What a guarding stage found in the request, for the trace: never the words themselves.
struct Fired {
  std::string_view stage, kind, action;  // that live as long as the program: "pii", "email", "mask"
  std::uint32_t count = 0;
};

/// A field that a stage adds to the answer's head.
struct SaidField {
  std::string_view name;  // lives as long as the program
  std::string value;
};

struct Exchange {
  // Set when it begins.
  http::ServerStream* stream = nullptr;
  LoopContext* context = nullptr;
  const Snapshot* snapshot = nullptr;
  const Operation* operation = nullptr;
  std::string_view argument;        // of the operation's path
  std::string id;                   // request id, as sent back
  std::string_view address;         // of the caller, as text; behind proxies that are trusted what
                                    // they say; "" of ask()
  std::array<char, 32> trace_id{};  // W3C trace context, lower-case hex
  std::array<char, 16> span_id{};
  std::array<char, 16> parent_span_id{};  // the caller's; the first is 0 where there is none
  Monotonic started{};
  Wall started_wall{};
  bool internal = false;   // ask(): the caller is Causeway itself, principal set by it
  std::uint8_t depth = 0;  // exchanges that wait for this one, each inside the one before

  // Set by stages, each by the one named.
  const Principal* principal = nullptr;     // identify; lives as long as the exchange
  const Model* model = nullptr;             // resolve
  std::string_view model_name;              // resolve: as the application asked
  const EffectivePolicy* policy = nullptr;  // resolve
  std::vector<const Target*> targets;       // choose: in the order to be tried
  const Escalation* escalate = nullptr;     // choose: of these; null = no answer is judged

  RequestIndex index;
  Request request;
  std::vector<Attempt> attempts;
  Cancel cancel;        // requested when the client leaves (unless policy drains) or time is up
  std::string dropped;  // fields of the request that the target does not know, for the caller
  Outcome outcome;
  std::optional<std::int64_t>
      cost_micros;  // ledger: what it cost, in micro-units; nothing = unpriced
  std::optional<std::int64_t> cost_nanos;    // the same, to the billionth, when it is settled
  std::optional<std::int64_t> saved_micros;  // ledger: what a stored answer had cost
  std::string_view answered_from;            // where no model answered: "cache", "meaning", "faq";
                                             // by the stage that has the answer; lives as long as
                                             // the program
  std::optional<std::uint32_t>
      tokens_saved;  // minimise: estimated, of what is not sent; nothing = no policy asks for it
  std::vector<StageMark> marks;
  std::vector<SaidField> said;  // by any stage
  std::vector<Fired> fired;     // pii
  bool searched = false;        // pii: all texts were looked through; `fired` is all that is there
  std::optional<double>
      confidence;                // of the answer that was judged last (LogprobReader::confidence())
  std::string_view rule;         // choose: of the model, whose targets these are; empty = none
  bool explain = false;          // ask(): to be told which targets would be tried, nothing else
  std::uint64_t stages_run = 0;  // bit per stage in the pipeline
  SlotMemory slots;
  std::vector<std::shared_ptr<const void>> kept;  // whatever must live as long as the exchange

  explicit Exchange(const SlotLayout& layout) : slots(layout) {}
  /// Back to the state before the first request; keeps memory.
  void reset();

  const http::RequestHead& head() const;
  template <class T>
  T& slot(Slot<T> s) {
    return s.in(slots);
  }
};

}  // namespace causeway
