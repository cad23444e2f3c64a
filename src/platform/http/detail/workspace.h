// The memory that a connection needs only while a request is in progress: the bytes that arrived,
// the parser with its views, the answer's head. Borrowed from a pool of the loop when the first
// byte arrives and given back when the exchange is over, so that an idle connection holds none of
// it and a busy loop keeps using the same few that are warm in the cache.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/http/detail/parser.h"
#include "platform/http/server_stream.h"

namespace causeway::http::detail {

class Workspace {
 public:
  static constexpr std::size_t kCapacity = 16 * 1024;

  explicit Workspace(const HeadLimits& limits) : parser(limits) { allocate(kCapacity); }

  char* data() { return bytes_.get(); }
  std::size_t capacity() const { return capacity_; }
  std::string_view view(std::size_t begin, std::size_t end) const {
    return {bytes_.get() + begin, end - begin};
  }
  /// Moves the first `used` bytes to a larger place: all views into the old one are void.
  void grow(std::size_t capacity, std::size_t used) {
    std::unique_ptr<char[]> old = std::move(bytes_);
    allocate(capacity);
    std::memcpy(bytes_.get(), old.get(), used);
  }

  RequestParser parser;
  ChunkedDecoder chunks;
  std::string out;

 private:
  void allocate(std::size_t capacity) {
    bytes_ = std::make_unique_for_overwrite<char[]>(capacity + ServerStream::kPadding);
    // The padding may be read (by SIMD code that looks ahead) but what it holds means nothing.
    std::memset(bytes_.get() + capacity, 0, ServerStream::kPadding);
    capacity_ = capacity;
  }
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
};

/// Keeps what is given back, up to what was lately needed at once.
class WorkspacePool {
 public:
  explicit WorkspacePool(const HeadLimits& limits) : limits_(limits) {}

  std::unique_ptr<Workspace> take();
  void give(std::unique_ptr<Workspace> workspace);
  /// Once a second: lets go of what was not needed in the last seconds.
  void trim();

 private:
  static constexpr std::size_t kKept = 16;
  HeadLimits limits_;
  std::vector<std::unique_ptr<Workspace>> spare_;
  std::size_t unused_ = 0;    // the fewest spare ones since the last trim
  std::size_t released_ = 0;  // since memory was last given back to the system
};

}  // namespace causeway::http::detail
