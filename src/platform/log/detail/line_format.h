// How a line of the program log looks, in both forms.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/base/clock.h"
#include "platform/log/log.h"

namespace causeway::log::detail {

/// One event of the log before it is text.
struct Line {
  Wall time{};
  Level level = Level::Info;
  std::string_view message{};
  Fields fields{};
  std::string_view before{};     // of a state line: the state that it was in
  std::uint64_t suppressed = 0;  // equal messages left out before this one
};

/// "2026-11-24T19:28:26.123Z"
void append_utc(std::string& out, Wall time);

/// {"time":"…","level":"info","message":"…","key":value,…}
std::string format_json(const Line& line);

/// 2026-11-24T19:28:26.123Z info  message key=value key="two words"; with colours for a terminal.
/// Line ends and control characters are escaped, so that nobody can write lines of their own.
std::string format_text(const Line& line, bool colours);

}  // namespace causeway::log::detail
