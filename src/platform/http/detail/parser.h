// Heads and chunked bodies of HTTP/1.1, both directions: bytes in, views out, no sockets. The
// grammar is Boost.Beast's basic_parser; what we refuse beyond it is in guard.h. A head is parsed
// once, in one piece, when its end has arrived: so the verdict cannot depend on how it was cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "platform/http/message.h"

namespace causeway::http::detail {

struct HeadLimits {
  std::size_t head_bytes = 32 * 1024;  // start line, fields and the empty line
  std::size_t fields = 64;
  std::size_t field_bytes = 16 * 1024;  // name and value of one field
};

enum class Parsed : std::uint8_t { NeedMore, Done, Refused };

/// Why a message was refused. `status` is what a server answers: 400, 413, 431, 501 or 505.
struct Refusal {
  int status = 0;
  std::string_view why;  // a literal, fit for the caller's eyes
};

/// How the body behind a head is delimited.
struct Framing {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;  // what the message says: version and Connection field
  bool http10 = false;
};

/// Finds the end of a head in a growing buffer, each byte looked at once. Refuses a line that ends
/// with a bare LF and a start that no HTTP message has, without waiting for the end.
class HeadScanner {
 public:
  void reset() { *this = {}; }
  /// `buffer` holds the message from its first byte on. After Done, size() is the head's length.
  Parsed scan(std::string_view buffer, const HeadLimits& limits);
  std::size_t size() const { return size_; }
  const Refusal& refusal() const { return refusal_; }

 private:
  Parsed refuse(int status, std::string_view why);
  std::size_t scanned_ = 0;
  std::size_t line_ = 0;   // where the current line begins
  std::size_t lines_ = 0;  // complete lines, the first one included
  std::size_t size_ = 0;
  Refusal refusal_;
};

/// Parses requests, one after the other. The views point into the buffer that parse() was given.
class RequestParser {
 public:
  explicit RequestParser(const HeadLimits& limits) : limits_(limits) {}

  /// May be called with a longer (also moved) buffer after NeedMore; it must begin with the
  /// request's first byte. After Done or Refused: reset() before the next.
  Parsed parse(std::string_view buffer);
  void reset();

  /// After Done. `size` is the length of the head; the body begins there.
  const RequestHead& head() const { return head_; }
  const Framing& framing() const { return framing_; }
  std::size_t size() const { return scanner_.size(); }
  /// After Refused.
  const Refusal& refusal() const { return refusal_; }

 private:
  HeadLimits limits_;
  HeadScanner scanner_;
  RequestHead head_;
  Framing framing_;
  Refusal refusal_;
  std::vector<Field> fields_;
};

/// Parses answers, 1xx included: each is a head of its own.
class ResponseParser {
 public:
  explicit ResponseParser(const HeadLimits& limits) : limits_(limits) {}

  /// As RequestParser::parse().
  Parsed parse(std::string_view buffer);
  void reset();

  const ResponseHead& head() const { return head_; }
  const Framing& framing() const { return framing_; }
  std::size_t size() const { return scanner_.size(); }
  const Refusal& refusal() const { return refusal_; }

 private:
  HeadLimits limits_;
  HeadScanner scanner_;
  ResponseHead head_;
  Framing framing_;
  Refusal refusal_;
  std::vector<Field> fields_;
};

/// Takes the chunks off a body.
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  // bytes of the input that are done with
    std::string_view data;     // a piece of the body, inside the input; may be empty
    Parsed state = Parsed::NeedMore;
  };

  ChunkedDecoder();
  ~ChunkedDecoder();
  ChunkedDecoder(ChunkedDecoder&&) noexcept;
  ChunkedDecoder& operator=(ChunkedDecoder&&) noexcept;

  /// One step: either a piece of data (state NeedMore; call again with what is behind `consumed`),
  /// or no data and NeedMore: keep the unconsumed tail, add bytes behind it, call again. Done: the
  /// last chunk and the trailer (which is dropped) are consumed. Refused: bad framing.
  Step next(std::string_view input);
  void reset();

  /// Longest tail that next() leaves unconsumed: a chunk line with extensions, or the trailer.
  static constexpr std::size_t kMaxTail = 8 * 1024;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::http::detail
