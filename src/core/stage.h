// One step of the pipeline. Every hook is optional and says so in hooks(); the lists that the
// runner walks hold only those that a stage has. Hooks are plain functions: a stage that must wait
// in on_request says Waits and has the coroutine form instead. None of them throws.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/event.h"
#include "core/policy.h"
#include "platform/base/error.h"
#include "platform/base/task.h"

namespace causeway {

namespace http {
struct ResponseHead;
}

struct Exchange;
struct Attempt;
struct Outcome;

/// An answer that a stage gives instead of a model's.
struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  /// Not empty, and `body` is: what the assistant says. It is written as a model's answer, in the
  /// form and the dialect that the caller asked for. Of chats only.
  std::string text;
};

/// nullptr: go on. A Reply or an Error ends the exchange with it.
using Verdict = Result<std::unique_ptr<Reply>>;
inline Verdict go_on() { return nullptr; }

enum Hooks : std::uint16_t {
  kOnHead = 1,
  kOnRequest = 2,
  kOnAttempt = 4,
  kOnEvent = 8,
  kOnDone = 16,
  kWaits = 32,  // wait_request() instead of on_request()
  kOnUsage = 64,
  /// With kOnRequest: reads all texts. Where these come to more than 256 KiB, on_request runs on
  /// the CPU thread group: nothing else touches the exchange then, but the stage must keep to it
  /// (its cancel excepted) and to what is safe from any thread. Not for before_policy().
  kReadsTexts = 128,
  kOnSettle = 256,
  kOnAttemptEnd = 512,   // on_answering() and on_attempt_end()
  kWaitsAttempt = 1024,  // wait_attempt() instead of on_attempt()
};

class Stage {
 public:
  virtual ~Stage() = default;
  virtual std::string_view name() const = 0;
  virtual unsigned hooks() const = 0;  // of Hooks
  /// The same under these settings: where a stage waits under some of them only.
  virtual unsigned hooks_under(const Sections&) const { return hooks(); }

  /// Whether this stage does anything under these settings; off stages are left out of the lists.
  /// Head and done hooks are there for every exchange and do not ask.
  virtual bool enabled(const Sections&) const { return true; }
  /// Runs before the policy is known (it may be what finds it). Its on_request is in one global
  /// list.
  virtual bool before_policy() const { return false; }

  /// Only the head is there: no body, no policy.
  virtual Verdict on_head(Exchange&) { return go_on(); }
  /// The request has been read and indexed.
  virtual Verdict on_request(Exchange&) { return go_on(); }
  virtual Task<Verdict> wait_request(Exchange&);
  /// Before each try, on the attempt's own fork of the request.
  virtual Verdict on_attempt(Exchange&, Attempt&) { return go_on(); }
  virtual Task<Verdict> wait_attempt(Exchange&, Attempt&);
  /// The target's answer has begun, and is no error. Its end may be far away.
  virtual void on_answering(Exchange&, Attempt&, const http::ResponseHead&) noexcept {}
  /// After each try whose on_attempt was called, however it ended (Attempt::end, error, took).
  virtual void on_attempt_end(Exchange&, Attempt&) noexcept {}
  /// Each event of an answer, streamed or not. Only an Error counts; a Reply is not possible here.
  virtual Verdict on_event(Exchange&, Event&) { return go_on(); }
  virtual Hold hold(const Sections&) const { return Hold::none(); }
  /// Whether on_event has anything to do with the answer to this exchange's last attempt: asked
  /// once before its first event. An answer that nobody watches is not taken apart.
  virtual bool watches(const Exchange&) const { return true; }
  /// Once, when the usage of the answer is known, reported or estimated: for an answer that is not
  /// streamed before its head goes out.
  virtual void on_usage(Exchange&, const Usage&) noexcept {}
  /// Once, for those stages of which another hook ran: when the answer is whole, before its last
  /// bytes go out, so that no caller has an answer of which a killed process knows nothing; of an
  /// exchange that ends in any other way, just before on_done. Never waits.
  virtual void on_settle(Exchange&, const Outcome&) noexcept {}
  /// Always, in reverse order, for exactly those stages of which another hook ran or that have no
  /// other hook. Never waits.
  virtual void on_done(Exchange&, const Outcome&) noexcept {}
};

}  // namespace causeway
