// Messages of application/vnd.amazon.eventstream out of pieces of a stream: a prelude (length of
// the message, length of its headers, CRC-32 of both), headers, payload, CRC-32 of all before it;
// numbers are big-endian. Source: the Smithy specification, "Amazon Event Stream".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway::converse {

struct StreamMessage {
  std::string_view type;     // :message-type: "event", "exception", "error"
  std::string_view name;     // :event-type, :exception-type or :error-code
  std::string_view text;     // :error-message
  std::string_view payload;  // with kPadding readable bytes behind it
};

class EventStreamReader {
 public:
  static constexpr std::size_t kPadding = 64;

  explicit EventStreamReader(std::size_t max_message = 16 * 1024 * 1024)
      : max_message_(max_message) {}

  /// The next piece, which is copied. Call next() until it answers false before the next feed().
  /// Views of messages die with the next feed().
  void feed(std::string_view piece);

  /// Errors: UpstreamBroken for a message that is larger than max_message or not well formed, or
  /// whose sums are wrong; no message can be found behind it.
  Result<bool> next(StreamMessage& message);

  /// Bytes of memory that it has until the next feed().
  std::size_t kept() const { return buffer_.capacity(); }

  /// Whether bytes of an unfinished message are left.
  bool partial() const { return at_ != end_; }

 private:
  std::size_t max_message_;
  std::string buffer_;  // [at_, end_) is to be read; kPadding zeros stand behind
  std::size_t at_ = 0, end_ = 0;
};

}  // namespace causeway::converse
