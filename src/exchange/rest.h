// An answer that goes on where it was cut: what the caller has been told, how the next target is
// asked for the rest, and how that becomes the same stream. What counts is what the caller has got,
// so the bytes that went out are read again; what was held back of the first answer never was.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/chat_event.h"
#include "core/dialect.h"
#include "core/exchange.h"
#include "core/usage.h"
#include "exchange/settings.h"

namespace causeway::exchange {

/// Takes off the beginning of a text what repeats the end of another.
class Overlap {
 public:
  enum class May : std::uint8_t {
    RepeatWords,  // whoever was told to go on may begin with the last words once more
    RepeatAll,    // whoever goes on by itself at most says all of it, or the last spaces
  };
  Overlap(std::string said, May may);
  /// What of the text up to here is new; what may still be a repetition waits for more.
  std::string take(std::string_view piece);
  /// The text has ended: what waited and is new.
  std::string end();
  std::size_t kept() const { return decided_ ? 0 : said_.size() + held_.capacity(); }

 private:
  std::string decide();
  std::string said_, held_;
  std::vector<std::uint32_t> begins_;  // where in said_ a repetition may begin that fits so far
  std::size_t repeated_ = 0;           // bytes of held_, as far as is known
  bool decided_ = false;
};

/// What the caller has got of an answer.
class Told final : private ChatSink {
 public:
  /// Null where the dialect's streams cannot be read as events.
  static std::unique_ptr<Told> make(const Dialect& dialect, const RetrySettings& settings);
  Told(std::unique_ptr<EventDecoder> decoder, std::span<const std::string> which)
      : prefill(which), decoder_(std::move(decoder)) {}

  /// These bytes went out.
  void sent(const Bytes& bytes);
  /// Whether another target can say the rest: only text has gone out, and it has not ended.
  bool may_go_on() const { return !closed_ && !between; }
  bool empty() const { return text_.empty(); }
  const std::string& text() const { return text_; }
  /// Brings an encoder to where the stream stands; `wire` gets what it writes meanwhile.
  void replay(EventEncoder& encoder, std::string& wire) const;
  /// Where the rest's first text belongs.
  Lane next_lane() const;
  std::size_t kept() const;

  const std::span<const std::string> prefill;  // as RetrySettings
  bool between = false;  // a part of the answer has ended, and no other has begun
  bool goes_on = false;  // what is tried now is to say the rest
  bool thinks = false;   // the request asks for reasoning
  Usage before;          // of the targets that were cut, together
  Usage own;             // of the one that says the rest

 private:
  struct Step {
    ChatEvent event;
    std::string text, id, name, dialect;
  };
  void event(const ChatEvent& event) override;
  void add(const ChatEvent& event);

  std::unique_ptr<EventDecoder> decoder_;
  std::string piece_;
  std::vector<Step> steps_;
  std::string text_;  // of the content
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

/// Whether the request, as the application sent it, wants an answer that can be put together from
/// two: one choice, in words. Notes whether it asks for reasoning.
bool may_be_continued(const Exchange& exchange, Told& told);

/// Puts what has been said behind the attempt's conversation, and where the target does not go on
/// by itself the request to do so. In front of the attempt's hooks: it is words like all others.
/// Errors: as of Request::insert().
Result<void> ask_for_rest(const Told& told, std::uint64_t told_tokens, Attempt& attempt);

/// Events of an attempt that says the rest, as that: without a beginning, without thoughts, without
/// what was said before, its usage with that of the others.
std::unique_ptr<EventDecoder> rest_decoder(std::unique_ptr<EventDecoder> decoder, Told& told,
                                           Attempt& attempt);

/// Both together; the sources' order: None, Reported, Estimated.
Usage sum(const Usage& a, const Usage& b);

}  // namespace causeway::exchange
