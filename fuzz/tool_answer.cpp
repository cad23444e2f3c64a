// What an embedded model writes, read back into calls of tools: any cutting of the text into pieces
// tells the same. And the cuts of vocabularies: no byte of it is lost.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "platform/bpe/splitter.h"
#include "providers/embedded/answer_scanner.h"

using namespace causeway;

namespace {

struct Heard {
  std::string calls, text;
  bool good = true, complete = false;
};

Heard hear(std::string_view answer, std::size_t step) {
  Heard heard;
  embedded::AnswerScanner scanner;
  const embedded::AnswerScanner::Told told{
      .call = [&](std::string_view json) { heard.calls.append(json) += '\n'; },
      .text = [&](std::string_view piece) { heard.text += piece; }};
  for (std::size_t at = 0; at < answer.size() && heard.good; at += step) {
    heard.good = scanner.feed(answer.substr(at, step), told);
  }
  heard.complete = scanner.complete();
  return heard;
}

// White space around what is no JSON may be told or not.
std::string without_space(std::string text) {
  std::erase_if(
      text, [](char c) { return std::string_view(" \t\r\n").find(c) != std::string_view::npos; });
  return text;
}

void require(bool good) {
  if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view answer(reinterpret_cast<const char*>(data), size);
  const Heard whole = hear(answer, size + 1), single = hear(answer, 1);
  require(whole.good == single.good);
  require(!whole.good || (whole.calls == single.calls && whole.complete == single.complete));
  require(!whole.complete || without_space(whole.text) == without_space(single.text));
  for (const auto cuts : {bpe::Cuts::Cl100k, bpe::Cuts::O200k}) {
    bpe::Splitter splitter(answer, cuts);
    std::size_t seen = 0;
    for (std::string_view piece; splitter.next(piece); seen += piece.size()) {
      require(!piece.empty());
    }
    require(seen == size);
  }
  return 0;
}
