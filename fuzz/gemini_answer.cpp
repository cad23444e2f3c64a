// Streams in Gemini's form, cut anywhere: the decoder and the reader must come to the same however
// the bytes arrive, and what the decoder understood is understood again when it is said anew.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "dialects/gemini/vertex.h"

namespace {

using namespace causeway;

constexpr std::size_t kPadding = 64;
const gemini::GeminiDialect kGemini;
const gemini::VertexDialect kVertex{kGemini};

void require(bool holds) {
  if (!holds) std::abort();
}

/// What a client makes of an answer, whatever pieces it came in.
class Seen final : public ChatSink {
 public:
  void event(const ChatEvent& event) override {
    using Kind = ChatEvent::Kind;
    const std::string choice = std::to_string(event.lane.choice) + ":";
    switch (event.kind) {
      case Kind::Text:
        require(event.lane.channel != Channel::ToolArguments || calls > event.lane.item);
        text += event.text;
        break;
      case Kind::ToolCall:
        require(!event.id.empty());
        calls = std::max<std::size_t>(calls, event.lane.item + 1u);
        text += choice + "call " + std::string(event.name);
        break;
      case Kind::Stop:
        require(event.stop != Stop::None);
        text += choice + "stop " + std::string(event.raw);
        break;
      case Kind::End:
        ended = true;
        break;
      default:
        break;
    }
    encoder->event(event, wire);
  }
  std::unique_ptr<EventEncoder> encoder = [] {
    EncoderSettings settings;
    settings.stream = true;
    return kGemini.encoder(settings);
  }();
  std::string text, wire;
  std::size_t calls = 0;
  bool ended = false, failed = false;
};

Seen decode(std::string_view bytes, std::size_t most) {
  Seen seen;
  const auto decoder = kGemini.decoder(true);
  std::vector<std::string> pieces;
  while (!bytes.empty() && !seen.failed) {
    const std::size_t size = std::min(most, bytes.size());
    auto& piece = pieces.emplace_back(bytes.substr(0, size));
    piece.append(kPadding, '\0');
    seen.failed = !decoder->feed(std::string_view(piece).substr(0, size), seen);
    bytes.remove_prefix(size);
  }
  if (!seen.failed) seen.failed = !decoder->finish(seen);
  require(seen.failed || seen.ended);
  return seen;
}

std::size_t frames(std::string_view bytes, std::size_t most) {
  const auto reader = kGemini.reader({});
  std::vector<std::string> pieces;
  std::size_t count = 0;
  const auto take = [&] {
    Frame frame;
    for (;;) {
      const auto more = reader->next(frame);
      if (!more) return false;
      if (!*more) return true;
      ++count;
      for (const auto& event : frame.events) {
        if (event.kind != EventKind::Text) continue;
        require(event.value.end <= frame.data.size());
        require(frame.data[event.value.begin] == '"' && frame.data[event.value.end - 1] == '"');
      }
    }
  };
  while (!bytes.empty()) {
    const std::size_t size = std::min(most, bytes.size());
    auto& piece = pieces.emplace_back(bytes.substr(0, size));
    piece.append(kPadding, '\0');
    reader->feed(std::string_view(piece).substr(0, size));
    if (!take()) return count;
    bytes.remove_prefix(size);
  }
  (void)reader->finish();
  (void)take();
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t most = 1 + data[0] % 64;
  const Seen at_once = decode(bytes, bytes.size() + 1);
  const Seen cut = decode(bytes, most);
  require(at_once.failed == cut.failed && at_once.text == cut.text);
  require(frames(bytes, bytes.size() + 1) == frames(bytes, most));
  if (!at_once.failed) require(decode(at_once.wire, most).ended);
  Seen whole;
  std::string padded(bytes);
  padded.append(kPadding, '\0');
  const auto read =
      kGemini.decoder(false)->whole(std::string_view(padded).substr(0, bytes.size()), whole);
  require(read.has_value() == whole.ended);
  Frame frame;
  (void)kGemini.reader({})->whole(std::string_view(padded).substr(0, bytes.size()), frame);
  (void)kGemini.decode_vectors(std::string_view(padded).substr(0, bytes.size()));
  (void)kVertex.decode_vectors(std::string_view(padded).substr(0, bytes.size()));
  (void)kGemini.classify(429, {}, bytes);
  return 0;
}
