// What stands around the names model, over any text and any labels: chunks and findings are in
// order, do not overlap and lie within the text, also merged with what the rules found; the cutter
// gives no more pieces than bytes. The same bytes as a file of weights are refused or read.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "features/privacy/pii/detector.h"
#include "features/privacy/pii/model_chunks.h"
#include "features/privacy/pii/model_reader.h"
#include "platform/bert/weights_file.h"

namespace {

using namespace causeway;
using namespace causeway::pii;

void require(bool holds) {
  if (!holds) std::abort();
}

const bert::WordPieces& words() {
  static const auto made = bert::WordPieces::make(
      "[UNK]\n[CLS]\n[SEP]\na\nal\nalex\n-\n.\n,\n1\n12\n##e\n##x\n##and\n##1");
  return *made;
}

void require_order(const std::vector<Finding>& found, std::size_t size) {
  std::uint32_t end = 0;
  for (const Finding& one : found) {
    require(one.begin >= end && one.begin < one.end && one.end <= size);
    end = one.end;
  }
}

void look_at(std::string_view text, std::string_view labels) {
  std::vector<Chunk> chunks;
  find_chunks(text, chunks);
  std::uint32_t end = 0;
  for (const Chunk& chunk : chunks) {
    require(chunk.begin >= end && chunk.begin < chunk.end && chunk.end <= text.size());
    require(chunk.end - chunk.begin <= kMostChunk);
    end = chunk.end;
  }
  std::vector<bert::Piece> pieces;
  words().cut(text, pieces);
  require(pieces.size() <= text.size());
  std::vector<ModelReader::Part> parts;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    require(pieces[i].begin < pieces[i].end && pieces[i].end <= text.size());
    const int label = labels.empty() ? 1 : labels[i % labels.size()] % 14;
    parts.push_back(label > 6 || label < 0 ? ModelReader::Part::None
                                           : static_cast<ModelReader::Part>(label));
  }
  const std::vector<float> scores(pieces.size(), 0.9F);
  std::vector<Finding> model, found;
  ModelReader::to_findings(text, pieces, parts, scores, model);
  require_order(model, text.size());
  static const auto detector = Detector::make({});
  static Scratch scratch;
  (*detector)->scan(text, scratch, found);
  merge_findings(text, model, found);
  require_order(found, text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  static_cast<void>(bert::WeightsFile::parse(std::string(data, data + size)));
  // The first byte says how many of the others are labels. The text has memory of its own, so that
  // a sanitizer sees a read behind its end.
  const std::size_t labels = std::min<std::size_t>(data[0], size - 1);
  const std::vector<char> text(data + 1 + labels, data + size);
  look_at({text.data(), text.size()}, {reinterpret_cast<const char*>(data + 1), labels});
  return 0;
}
