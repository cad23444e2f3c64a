// What a Redis may answer, cut anywhere: the same replies, or the same refusal, however the bytes
// arrive.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "platform/redis/reply.h"

namespace {

using namespace causeway;

void require(bool holds) {
  if (!holds) std::abort();
}

void say(const redis::Reply& reply, int depth, std::string& out) {
  require(depth < 10);
  require(reply.items.empty() || reply.kind == redis::Reply::Kind::Array);
  out += std::to_string(static_cast<int>(reply.kind)) + ":" + std::to_string(reply.integer) + ":" +
         reply.text + "(";
  for (const redis::Reply& item : reply.items) say(item, depth + 1, out);
  out += ")";
}

std::string read(std::string_view bytes, std::size_t piece) {
  redis::ReplyReader reader;
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.feed(bytes.substr(at, piece));
    bool more = true;
    while (more) {
      redis::Reply reply;
      const auto whole = reader.next(reply);
      if (!whole) return out + "!";
      more = *whole;
      if (more) say(reply, 0, out);
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  require(read(bytes, bytes.size()) == read(bytes, 1 + data[0] % 16));
  return 0;
}
