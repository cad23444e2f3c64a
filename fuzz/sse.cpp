// Server-sent events: any bytes, read in one piece, cut in two at every place, and in pieces of one
// size. The events must be those of a plain reader that looks at one line after the other.
#include "platform/http/sse.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace causeway::http;

constexpr std::size_t kMaxInput = 256;  // every cut of it is tried
constexpr std::size_t kMaxEvent = 128;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Seen {
  std::string wire, event, data;
  bool comment_only = false;
  bool operator==(const Seen&) const = default;
};

struct Stream {
  std::vector<Seen> events;
  bool too_large = false;
  bool operator==(const Stream&) const = default;
};

/// The same without any of the reader's shortcuts.
Stream plainly(std::string_view bytes) {
  Stream stream;
  Seen event{.wire = {}, .event = {}, .data = {}, .comment_only = true};
  bool has_data = false;
  for (const char byte : bytes) {
    event.wire += byte;
    if (event.wire.size() > kMaxEvent) {
      stream.too_large = true;
      break;
    }
    if (byte != '\n') continue;
    const std::size_t before = event.wire.find_last_of('\n', event.wire.size() - 2);
    const std::size_t start = event.wire.size() > 1 && before != std::string::npos ? before + 1 : 0;
    std::string line = event.wire.substr(start, event.wire.size() - 1 - start);
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) {
      stream.events.push_back(std::move(event));
      event = {.wire = {}, .event = {}, .data = {}, .comment_only = true};
      has_data = false;
      continue;
    }
    if (line[0] == ':') continue;
    event.comment_only = false;
    const std::size_t colon = std::min(line.find(':'), line.size());
    std::string value = line.substr(std::min(colon + 1, line.size()));
    if (value.starts_with(' ')) value.erase(0, 1);
    const std::string name = line.substr(0, colon);
    if (name == "event") event.event = value;
    if (name == "data") {
      if (has_data) event.data += '\n';
      event.data += value;
      has_data = true;
    }
  }
  return stream;
}

/// Reads the padding that a JSON parser may read, so that a sanitizer sees it.
void touch_padding(std::string_view data) {
  if (data.empty()) return;
  volatile char sink = 0;
  for (std::size_t i = 0; i < SseReader::kPadding; ++i) sink = data.data()[data.size() + i];
  (void)sink;
}

/// Pieces of `first` bytes, then of `step` bytes.
Stream in_pieces(std::string_view bytes, std::size_t first, std::size_t step) {
  Stream stream;
  SseReader reader(kMaxEvent);
  std::size_t size = first;
  for (std::size_t at = 0; at < bytes.size() && !stream.too_large; size = step) {
    const std::string_view part = bytes.substr(at, size);
    at += part.size();
    // Memory of its own for each piece, gone before the next one is fed.
    const auto piece = std::make_unique<char[]>(part.size() + SseReader::kPadding);
    std::memcpy(piece.get(), part.data(), part.size());
    reader.feed({piece.get(), part.size()});
    std::vector<SseEvent> views;  // compared when all of this piece has been read
    SseEvent event;
    while (true) {
      const auto more = reader.next(event);
      stream.too_large = !more;
      if (!more || !*more) break;
      views.push_back(event);
    }
    for (const SseEvent& view : views) {
      touch_padding(view.data);
      stream.events.push_back({std::string(view.wire), std::string(view.event),
                               std::string(view.data), view.comment_only});
    }
  }
  std::size_t given = 0;
  for (const Seen& event : stream.events) given += event.wire.size();
  if (!stream.too_large) require(reader.partial() == (given < bytes.size()));
  return stream;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kMaxInput) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Stream expected = plainly(bytes);
  for (std::size_t cut = 1; cut <= bytes.size(); ++cut) {
    require(in_pieces(bytes, cut, bytes.size()) == expected);
  }
  const std::size_t step = data[0] % 16 + 1U;
  require(in_pieces(bytes, step, step) == expected);
  return 0;
}
