// The PII detector over any bytes: findings are in order, do not overlap, lie within the text and
// not inside a character of it; a text of ASCII gives the same with an invisible character behind
// it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "features/privacy/pii/detector.h"

namespace {

using namespace causeway::pii;

void require(bool holds) {
  if (!holds) std::abort();
}

const Detector& detector() {
  static const auto made = Detector::make({});
  return **made;
}

bool ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Scratch scratch;
  if (size > 4096) return 0;
  // Memory of its own, so that a sanitizer sees a read behind its end.
  const std::vector<char> bytes(data, data + size);
  const std::string_view text(bytes.data(), bytes.size());
  std::vector<Finding> found, again;
  detector().scan(text, scratch, found);
  std::uint32_t end = 0;
  for (const Finding& one : found) {
    require(one.begin >= end && one.end > one.begin && one.end <= size);
    require(one.confidence >= 0.5F && one.confidence <= 1 && !one.rule.empty());
    end = one.end;
  }
  if (!ascii(text)) return 0;
  detector().scan(std::string(text) + "\u200b", scratch, again);
  require(again.size() == found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    require(again[i].begin == found[i].begin && again[i].end == found[i].end &&
            again[i].rule == found[i].rule);
  }
  return 0;
}
