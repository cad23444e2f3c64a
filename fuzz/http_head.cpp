// Heads of requests and answers: any bytes, parsed whole and in two pieces. The verdict must not
// depend on the cut, every view must lie inside the input, and what was accepted must be framed in
// one way only.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>

#include "platform/http/detail/parser.h"

namespace {

using namespace causeway::http;
using namespace causeway::http::detail;

void require(bool holds) {
  if (!holds) std::abort();
}

bool inside(std::string_view part, std::string_view whole) {
  const std::less_equal<const char*> before;
  return part.empty() || (before(whole.data(), part.data()) &&
                          before(part.data() + part.size(), whole.data() + whole.size()));
}

template <class Parser>
void check_fields(const Parser& parser, std::string_view bytes) {
  int lengths = 0, encodings = 0;
  for (const Field& field : parser.head().fields) {
    require(inside(field.name, bytes) && inside(field.value, bytes));
    require(field.value.find_first_of("\r\n\0", 0, 3) == std::string_view::npos);
    lengths += same_name(field.name, "content-length");
    encodings += same_name(field.name, "transfer-encoding");
  }
  require(lengths + encodings <= 1);
  require(lengths == (parser.framing().content_length ? 1 : 0));
  require(encodings == (parser.framing().chunked ? 1 : 0));
  require(parser.size() <= bytes.size());
}

template <class Parser>
Parsed parse_both_ways(std::string_view bytes, std::size_t cut) {
  Parser whole{HeadLimits()};
  const Parsed verdict = whole.parse(bytes);
  Parser pieces{HeadLimits()};
  const Parsed early = pieces.parse(bytes.substr(0, cut));
  const std::string moved(bytes);  // the buffer may have grown and moved in between
  if (early == Parsed::NeedMore) {
    require(pieces.parse(moved) == verdict);
    if (verdict == Parsed::Done) check_fields(pieces, moved);
  } else {
    require(early == verdict);
  }
  if (verdict == Parsed::Done) check_fields(whole, bytes);
  return verdict;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = bytes.size() * data[0] / 255;
  parse_both_ways<RequestParser>(bytes, cut);
  parse_both_ways<ResponseParser>(bytes, cut);
  return 0;
}
