// Amazon's binary event streams: any bytes, read in one piece and in pieces of one size: both must
// give the same messages and the same end. The bytes are read twice: as they are, and cut into
// parts that are given right lengths and sums, since a fuzzer would not find a CRC-32 by itself.
#include "dialects/converse/event_stream.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/chat_event.h"
#include "dialects/converse/dialect.h"
#include "dialects/converse/testing/wire.h"

namespace {

using namespace causeway;
using converse::EventStreamReader, converse::StreamMessage;

constexpr std::size_t kMaxInput = 4096, kMaxMessage = 2048;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Reads the padding that a JSON parser may read, so that a sanitizer sees it.
void touch_padding(std::string_view data) {
  volatile char sink = 0;
  for (std::size_t i = 0; i < EventStreamReader::kPadding; ++i) sink = data.data()[data.size() + i];
  (void)sink;
}

struct Seen {
  std::vector<std::string> messages;
  bool broken = false;
  bool operator==(const Seen&) const = default;
};

Seen in_pieces(std::string_view wire, std::size_t step) {
  Seen seen;
  EventStreamReader reader(kMaxMessage);
  for (; !wire.empty() && !seen.broken; wire.remove_prefix(std::min(step, wire.size()))) {
    reader.feed(wire.substr(0, step));
    for (;;) {
      StreamMessage message;
      const auto more = reader.next(message);
      seen.broken = !more;
      if (!more || !*more) break;
      touch_padding(message.payload);
      std::string text;
      for (const auto part : {message.type, message.name, message.text, message.payload}) {
        text.append(part).append("|");
      }
      seen.messages.push_back(std::move(text));
    }
  }
  return seen;
}

/// Whatever comes, events follow their order: nothing behind the end.
class Sink final : public ChatSink {
 public:
  void event(const ChatEvent& event) override {
    require(!ended_);
    ended_ = event.kind == ChatEvent::Kind::End;
  }

 private:
  bool ended_ = false;
};

void decode(std::string_view wire, std::size_t step) {
  Sink sink;
  const auto decoder = converse::ConverseDialect().decoder(true);
  for (; !wire.empty(); wire.remove_prefix(std::min(step, wire.size()))) {
    if (!decoder->feed(wire.substr(0, step), sink)) return;
  }
  (void)decoder->finish(sink);
}

/// Each line becomes a message: up to the first '|' its headers as they are, then its payload;
/// a line "=name|payload" becomes an event of that name.
std::string with_sums(std::string_view bytes) {
  std::string wire;
  while (!bytes.empty()) {
    const std::string_view line = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(bytes.size(), line.size() + 1));
    const std::string_view front = line.substr(0, line.find('|'));
    const std::string_view payload = line.substr(std::min(line.size(), front.size() + 1));
    if (front.starts_with('=') && front.size() < 256) {
      wire += converse::wire_event(std::string(front.substr(1)), payload);
    } else {
      wire += converse::wire_message(front, payload);
    }
  }
  return wire;
}

void try_both(std::string_view wire, std::size_t step) {
  const Seen whole = in_pieces(wire, wire.size() + 1);
  require(in_pieces(wire, step) == whole);
  decode(wire, step);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kMaxInput) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t step = data[0] % 64 + 1U;
  try_both(bytes, step);
  try_both(with_sums(bytes), step);
  return 0;
}
