// Server-sent events out of pieces of a stream. An event that lies whole in one piece is given as
// views into it, without a copy; only what spans two pieces is joined. Lines end in LF or CRLF.
#pragma once

#include <cstddef>
#include <forward_list>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway::http {

struct SseEvent {
  std::string_view wire;   // everything, up to and with the blank line
  std::string_view event;  // of the event: field, "" when there is none
  std::string_view data;   // of the data: fields, joined by LF when there are several
  bool comment_only = false;
};

class SseReader {
 public:
  static constexpr std::size_t kPadding = 64;

  explicit SseReader(std::size_t max_event = 16 * 1024 * 1024) : max_event_(max_event) {}

  /// The next piece; it must live until the next feed() and have kPadding readable bytes behind it.
  /// Call next() until it answers false before the next feed(). Views of events die with the next
  /// feed().
  void feed(std::string_view piece);

  /// Errors: UpstreamBroken for an event larger than max_event.
  Result<bool> next(SseEvent& event);

  /// Bytes of memory that it has until the next feed().
  std::size_t kept() const;

  /// Whether bytes of an unfinished event are left.
  bool partial() const { return !carry_[active_].empty(); }

 private:
  void parse(std::string_view wire, SseEvent& event);

  std::size_t max_event_;
  std::string_view piece_;
  std::string carry_[2];  // two, since an event given out may still live in the other
  int active_ = 0;
  std::forward_list<std::string> joined_data_;  // data of several lines; a list, since views live
};

}  // namespace causeway::http
