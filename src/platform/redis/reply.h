// What Redis answers (RESP2), and the reader that makes it of bytes. The protocol is hiredis's;
// what is here is the bounds and a form of ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"

namespace causeway::redis {

struct Reply {
  enum class Kind : std::uint8_t { Nil, Integer, Text, Status, Error, Array };
  Kind kind = Kind::Nil;
  std::int64_t integer = 0;
  std::string text;  // of Text, Status and Error
  std::vector<Reply> items;

  bool is_error() const { return kind == Kind::Error; }
  /// The first word of an error: "NOSCRIPT", "READONLY".
  std::string_view error_code() const;
};

/// Bytes to replies, in the order in which they came. After an error nothing more is to be had.
class ReplyReader {
 public:
  static constexpr std::size_t kMostBytes = 1 << 20;  // of one reply; hiredis: at most 7 levels
  static constexpr std::size_t kMostItems = 16 * 1024;

  ReplyReader();
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  /// Takes bytes in; at most 64 KiB at once.
  void feed(std::string_view bytes);
  /// True: `out` is the next reply. False: more bytes are needed. Errors: UpstreamBroken, for what
  /// is not the protocol and what is too large.
  Result<bool> next(Reply& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::redis
