// Chunked bodies: any bytes, decoded whole and in pieces of one size. Body, verdict and the place
// where the message ends must be the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "platform/http/detail/parser.h"

namespace {

using namespace causeway::http::detail;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Decoded {
  Parsed state = Parsed::NeedMore;
  std::string body;
  std::size_t consumed = 0;
};

Decoded decode(std::string_view bytes, std::size_t step) {
  Decoded result;
  ChunkedDecoder decoder;
  std::size_t arrived = 0;
  while (result.state == Parsed::NeedMore) {
    // A copy of exactly the tail, so that reading past its end is seen.
    const std::string tail(bytes.substr(result.consumed, arrived - result.consumed));
    const auto next = decoder.next(tail);
    require(next.consumed <= tail.size());
    result.state = next.state;
    result.consumed += next.consumed;
    result.body += next.data;
    if (next.state == Parsed::NeedMore && next.data.empty()) {
      require(tail.size() - next.consumed <= ChunkedDecoder::kMaxTail);
      if (arrived == bytes.size()) break;
      arrived = std::min(bytes.size(), arrived + step);
    }
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Decoded whole = decode(bytes, bytes.size() + 1);
  const Decoded pieces = decode(bytes, data[0] % 16 + 1U);
  require(whole.state == pieces.state);
  if (whole.state == Parsed::Refused) return 0;  // how far one came before it saw may differ
  require(whole.body == pieces.body);
  require(whole.consumed == pieces.consumed);
  return 0;
}
