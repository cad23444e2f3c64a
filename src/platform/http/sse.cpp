#include "platform/http/sse.h"

#include <cstring>

namespace causeway::http {
namespace {

constexpr std::size_t kMostKept = 64 * 1024;

// Length of the event at the front of `bytes` with its blank line, 0 when it is not all there.
// `from`: no blank line ends before it.
std::size_t event_length(std::string_view bytes, std::size_t from) {
  for (std::size_t at = from; at < bytes.size();) {
    const void* found = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
    if (!found) return 0;
    const auto newline = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    // A blank line at the very front is an empty event.
    if (newline == 0 || (newline == 1 && bytes[0] == '\r')) return newline + 1;
    std::size_t next = newline + 1;
    if (next < bytes.size() && bytes[next] == '\r') ++next;
    if (next < bytes.size() && bytes[next] == '\n') return next + 1;
    at = newline + 1;
  }
  return 0;
}

std::unexpected<Error> too_large() {
  return fail(ErrorKind::UpstreamBroken, Origin::Upstream, "an event of the stream is too large");
}

}  // namespace

void SseReader::feed(std::string_view piece) {
  piece_ = piece;
  joined_data_.clear();
  // What was given out is dead now. The room of a large event is not kept for the next one: it
  // would stay with every stream that had one.
  std::string& given = carry_[active_ ^ 1];
  if (given.capacity() > kMostKept) std::string().swap(given);
}

std::size_t SseReader::kept() const {
  std::size_t bytes = carry_[0].capacity() + carry_[1].capacity();
  for (const std::string& joined : joined_data_) bytes += joined.capacity();
  return bytes;
}

Result<bool> SseReader::next(SseEvent& event) {
  std::string& carry = carry_[active_];
  if (carry.empty()) {
    if (piece_.empty()) return false;
    if (const std::size_t length = event_length(piece_, 0)) {
      if (length > max_event_) return too_large();
      parse(piece_.substr(0, length), event);
      piece_.remove_prefix(length);
      return true;
    }
  }
  const std::size_t before = carry.size();
  if (carry.capacity() < before + piece_.size() + kPadding) {
    carry.reserve(2 * (before + piece_.size()) + kPadding);
  }
  carry.append(piece_);
  const std::size_t length = event_length(carry, before > 3 ? before - 3 : 0);
  // The same verdict wherever the pieces were cut: what counts is the event, not what came with it.
  if ((length > 0 ? length : carry.size()) > max_event_) return too_large();
  if (length == 0) {
    piece_ = {};
    return false;
  }
  piece_.remove_prefix(length - before);
  carry.resize(length);
  parse(carry, event);
  active_ ^= 1;
  carry_[active_].clear();
  return true;
}

void SseReader::parse(std::string_view wire, SseEvent& event) {
  event = {};
  event.wire = wire;
  event.comment_only = true;
  std::size_t data_lines = 0;
  for (std::size_t at = 0; at < wire.size();) {
    const void* found = std::memchr(wire.data() + at, '\n', wire.size() - at);
    const auto end = found ? static_cast<std::size_t>(static_cast<const char*>(found) - wire.data())
                           : wire.size();
    std::string_view line = wire.substr(at, end - at);
    at = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == ':') continue;
    event.comment_only = false;
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "data") {
      if (data_lines == 0) {
        event.data = value;
      } else {
        if (data_lines == 1) joined_data_.emplace_front(event.data);
        std::string& joined = joined_data_.front();
        joined += '\n';
        joined += value;
        joined.reserve(joined.size() + kPadding);
        event.data = joined;
      }
      ++data_lines;
    } else if (name == "event") {
      event.event = value;
    }
  }
}

}  // namespace causeway::http
