// What is found in any text becomes stand-ins, and these the words again: JSON stays JSON both
// ways, nothing that was found is left, and an answer cut anywhere is restored as it is in one
// piece.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/json_text.h"
#include "features/privacy/pii/restorer.h"
#include "features/privacy/pii/treat.h"
#include "platform/text/utf8.h"

namespace {

using namespace causeway;
using namespace causeway::pii;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string restored(const StandIns& stand_ins, std::string_view text, std::size_t step) {
  const Restorer restorer(stand_ins);
  Restorer::Place place;
  std::string out, held;
  for (std::size_t i = 0; i < text.size(); i += step) {
    const bool last = i + step >= text.size();
    EventText piece(held + std::string(text.substr(i, step)));
    restorer.run(piece, place, last, false);
    const std::size_t release =
        last ? piece.get().size() : std::max(piece.held_from(), piece.final_bytes());
    out += piece.get().substr(0, release);
    held = piece.get().substr(release);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto treatment = *make_treatment({});
  if (size < 2 || size > 2048) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (!text::utf8_valid(text)) return 0;
  const std::string body = encode_json_string(text);
  RequestIndex index;
  index.body = body;
  index.texts.push_back({{}, {0, static_cast<std::uint32_t>(body.size())}});
  Request request(index);
  auto texts = request.texts();
  StandIns stand_ins;
  const auto found = find_all(*treatment, index, texts, stand_ins);
  const auto rewritten = rewrite_all(*treatment, texts, found, "secret", stand_ins);
  const std::string& out = rewritten.empty() ? text : rewritten.front().second;
  require(rewritten.empty() == found.empty());
  if (is_json(text) && begins_as_json(text)) require(is_json(out));
  const std::size_t step = 1 + data[0] % 7;
  const std::string whole = restored(stand_ins, out, out.size() + 1);
  require(restored(stand_ins, out, step) == whole);
  // The text itself may hold things like stand-ins, bent ones too.
  require(restored(stand_ins, text, step) == restored(stand_ins, text, text.size() + 1));
  return 0;
}
