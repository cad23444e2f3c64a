// Streams of Anthropic's form, as a provider may send them, cut anywhere: the reader of the same
// dialect and the translation to OpenAI's form must end, well or with an error, and give the same
// whatever the pieces were.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "dialects/anthropic/dialect.h"
#include "dialects/openai/dialect.h"

namespace {

using namespace causeway;

constexpr std::size_t kPadding = 64;

// What they make refers to them.
const anthropic::AnthropicDialect anthropic_dialect;
const openai::OpenAiDialect openai_dialect;

std::unique_ptr<EventEncoder> make_encoder() {
  EncoderSettings settings;
  settings.stream = true;
  return openai_dialect.encoder(settings);
}

/// The bytes that OpenAI's client would get, and the frames of the dialect itself.
struct Seen final : ChatSink {
  std::unique_ptr<EventEncoder> encoder = make_encoder();
  std::string out, frames;
  void event(const ChatEvent& event) override { encoder->event(event, out); }
};

/// What reads a stream in both ways; each stops at its own first fault.
struct Readers {
  std::unique_ptr<EventDecoder> decoder = anthropic_dialect.decoder(true);
  std::unique_ptr<AnswerReader> reader = anthropic_dialect.reader({});
  bool decodes = true, reads = true;
};

void texts_are_strings(const Frame& frame) {
  for (const Event& event : frame.events) {
    if (event.kind != EventKind::Text) continue;
    const auto text = frame.data.substr(event.value.begin, event.value.end - event.value.begin);
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') std::abort();
  }
}

void feed(Readers& readers, std::string_view piece, Seen& seen) {
  if (readers.decodes) readers.decodes = readers.decoder->feed(piece, seen).has_value();
  if (!readers.reads) return;
  readers.reader->feed(piece);
  Frame frame;
  for (;;) {
    const auto more = readers.reader->next(frame);
    readers.reads = more.has_value();
    if (!more || !*more) return;
    seen.frames += frame.wire;
    texts_are_strings(frame);
  }
}

Seen see(std::string_view wire, std::size_t step) {
  Readers readers;
  Seen seen;
  std::string kept[2];  // a piece lives until the next one is fed
  for (int i = 0; !wire.empty(); ++i) {
    const std::size_t size = std::min(step, wire.size());
    kept[i % 2].assign(wire.substr(0, size));
    kept[i % 2].append(kPadding, '\0');
    feed(readers, std::string_view(kept[i % 2]).substr(0, size), seen);
    wire.remove_prefix(size);
  }
  if (readers.decodes) (void)readers.decoder->finish(seen);
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Seen at_once = see(bytes, std::max<std::size_t>(bytes.size(), 1));
  const Seen in_pieces = see(bytes, data[0] % 64 + 1u);
  if (at_once.out != in_pieces.out || at_once.frames != in_pieces.frames) std::abort();

  std::string body(bytes);
  body.append(kPadding, '\0');
  Seen whole;
  (void)anthropic_dialect.decoder(false)->whole({body.data(), bytes.size()}, whole);
  Frame frame;
  (void)anthropic_dialect.reader({})->whole({body.data(), bytes.size()}, frame);
  return 0;
}
