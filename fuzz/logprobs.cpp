// The probabilities of an answer's tokens: however a stream is cut into pieces, the same ones are
// read, and whatever stands there, the confidence is from 0 to 1.
#include "core/logprobs.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "dialects/openai/dialect.h"

using namespace causeway;

namespace {

constexpr std::size_t kPadding = 64;  // readable bytes behind each piece

void require(bool holds) {
  if (!holds) std::abort();
}

std::unique_ptr<LogprobReader> read(std::string_view stream, std::size_t step) {
  auto reader = openai::OpenAiDialect().logprob_reader();
  std::string before, piece;  // a piece lives until the next one
  for (; !stream.empty() && !reader->ended(); stream.remove_prefix(std::min(step, stream.size()))) {
    before = std::exchange(piece, std::string(stream.substr(0, step)));
    const std::size_t size = piece.size();
    piece.append(kPadding, '\0');
    reader->feed({piece.data(), size});
  }
  return reader;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = read(bytes, size + 1), single = read(bytes, 1), some = read(bytes, 7);
  require(whole->ended() == single->ended() && whole->ended() == some->ended());
  if (!whole->ended()) {  // else one piece has told what stands behind the end as well
    require(whole->tokens() == single->tokens() && whole->tokens() == some->tokens());
  }
  for (const auto* reader : {whole.get(), single.get(), some.get()}) {
    require(reader->confidence() >= 0 && reader->confidence() <= 1);
  }
  std::string body(bytes);
  body.append(kPadding, '\0');
  const auto answer = openai::OpenAiDialect().logprob_reader();
  answer->whole({body.data(), size});
  require(answer->ended());
  return 0;
}
