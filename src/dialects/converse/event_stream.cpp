#include "dialects/converse/event_stream.h"

#include <zlib.h>

#include <array>
#include <cstdint>

namespace causeway::converse {
namespace {

constexpr std::size_t kPrelude = 12, kSum = 4;
constexpr std::size_t kMostKept = 64 * 1024;

std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < size; ++i) {
    number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

std::uint32_t sum_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::unexpected<Error> broken(std::string what) {
  auto result = fail(ErrorKind::UpstreamBroken, Origin::Upstream,
                     "The provider's answer is not what its protocol says.", "upstream_broken");
  result.error().retryable = true;
  result.error().detail = "event stream: " + std::move(what);
  return result;
}

/// Takes `size` bytes from the front; false where there are fewer.
bool take(std::string_view& bytes, std::size_t size, std::string_view& taken) {
  if (bytes.size() < size) return false;
  taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

bool take_number(std::string_view& bytes, std::size_t size, std::uint32_t& number) {
  std::string_view taken;
  if (!take(bytes, size, taken)) return false;
  number = number_at(taken, 0, size);
  return true;
}

/// A header's value: booleans, integers of 1 to 8 bytes, bytes, text, time, UUID, by its type.
bool take_value(std::string_view& bytes, std::uint32_t type, std::string_view& value) {
  constexpr std::array<std::size_t, 10> kSizes = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
  if (type >= kSizes.size()) return false;
  if (type != 6 && type != 7) return take(bytes, kSizes[type], value);
  std::uint32_t size = 0;
  return take_number(bytes, 2, size) && take(bytes, size, value);
}

bool read_headers(std::string_view bytes, StreamMessage& message) {
  while (!bytes.empty()) {
    std::uint32_t name_size = 0, type = 0;
    std::string_view name, value;
    if (!take_number(bytes, 1, name_size) || !take(bytes, name_size, name)) return false;
    if (!take_number(bytes, 1, type) || !take_value(bytes, type, value)) return false;
    if (type != 7) continue;
    if (name == ":message-type") message.type = value;
    if (name == ":event-type" || name == ":exception-type" || name == ":error-code") {
      message.name = value;
    }
    if (name == ":error-message") message.text = value;
  }
  return true;
}

}  // namespace

void EventStreamReader::feed(std::string_view piece) {
  buffer_.resize(end_);
  buffer_.erase(0, at_);
  at_ = 0;
  // The room of a large message is not kept for the next one.
  if (buffer_.empty() && buffer_.capacity() > kMostKept) std::string().swap(buffer_);
  buffer_.append(piece);
  end_ = buffer_.size();
  buffer_.append(kPadding, '\0');
}

Result<bool> EventStreamReader::next(StreamMessage& message) {
  const std::string_view left = std::string_view(buffer_).substr(at_, end_ - at_);
  if (left.size() < kPrelude) return false;
  const std::size_t total = number_at(left, 0, 4), headers = number_at(left, 4, 4);
  if (sum_of(left.substr(0, 8)) != number_at(left, 8, 4)) return broken("sum of the prelude");
  if (total > max_message_) return broken("a message of " + std::to_string(total) + " bytes");
  if (total < kPrelude + kSum || headers > total - kPrelude - kSum) return broken("lengths");
  if (left.size() < total) return false;
  if (sum_of(left.substr(0, total - kSum)) != number_at(left, total - kSum, 4)) {
    return broken("sum of the message");
  }
  message = {};
  if (!read_headers(left.substr(kPrelude, headers), message)) return broken("headers");
  message.payload = left.substr(kPrelude + headers, total - kPrelude - headers - kSum);
  at_ += total;
  return true;
}

}  // namespace causeway::converse
