#include "dialects/openai/audio.h"

#include <algorithm>

#include "dialects/openai/dialect.h"
#include "platform/http/sse.h"
#include "platform/json/on_demand.h"

namespace causeway::openai {
namespace {

namespace od = simdjson::ondemand;
using json::string_of, json::text_of, json::with_parser;

constexpr std::size_t kLongestModel = 256;

std::unexpected<Error> refused(std::string message, std::string param) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client, std::move(message));
  error.error().param = std::move(param);
  return error;
}

/// The only part of that name, null where there is none. A part that stands there twice is refused:
/// a reader here and one at the provider might take different ones.
Result<const http::FormPart*> only(std::span<const http::FormPart> parts, std::string_view name) {
  const http::FormPart* found = nullptr;
  for (const auto& part : parts) {
    if (part.name != name) continue;
    if (found) return refused("\"" + std::string(name) + "\" is there twice.", std::string(name));
    found = &part;
  }
  return found;
}

/// An answer as it came: what is no JSON (text, subtitles) or not known has no events.
class TranscriptReader final : public AnswerReader {
 public:
  void feed(std::string_view piece) override { sse_.feed(piece); }
  std::size_t kept() const override { return sse_.kept(); }

  Result<bool> next(Frame& frame) override {
    http::SseEvent event;
    auto more = sse_.next(event);
    if (!more) return pass(std::move(more));
    frame.clear();
    if (!*more) {
      if (!std::exchange(ending_, false)) return false;
      frame.kind = Frame::Kind::End;
      return true;
    }
    frame.wire = event.wire;
    frame.data = event.data;
    if (event.data.empty()) {
      frame.kind = Frame::Kind::Ignored;
    } else if (event.data == "[DONE]") {
      frame.kind = Frame::Kind::End;
    } else {
      parse(frame);
    }
    return true;
  }

  // OpenAI's last event says so itself; [DONE] may follow, or not.
  Result<bool> finish() override { return ending_ = done_ && !sse_.partial(); }

  Result<void> whole(std::string_view body, Frame& frame) override {
    frame.clear();
    frame.wire = frame.data = body;
    if (body.starts_with('{')) parse(frame);
    if (frame.kind == Frame::Kind::Data) frame.kind = Frame::Kind::End;
    frame.has_content = true;
    for (auto& event : frame.events) event.last = true;
    return {};
  }

 private:
  void parse(Frame& frame) {
    frame_ = &frame;
    segments_ = 0;
    try {
      with_parser(frame.data.size(), [&](od::parser& parser) {
        od::document document = parser.iterate(frame.data.data(), frame.data.size(),
                                               frame.data.size() + simdjson::SIMDJSON_PADDING);
        json::each_member(document.get_object(),
                          [this](std::string_view key, od::value value) { member(key, value); });
      });
    } catch (const simdjson::simdjson_error&) {
      frame.events.clear();  // a text that only looks like JSON
    }
  }

  void member(std::string_view key, od::value value) {
    if (key == "delta") {
      add_text(value, 0);
    } else if (key == "text") {
      add_text(value, 0);
    } else if (key == "segments") {
      json::each_element(value, [this](od::value segment) {
        ++segments_;
        json::each_member(segment, [this](std::string_view name, od::value part) {
          if (name == "text") add_text(part, segments_);
        });
      });
    } else if (key == "choices") {  // as vLLM streams
      json::each_element(value, [this](od::value choice) { read_choice(choice); });
    } else if (key == "type") {
      done_ |= text_of(value) == "transcript.text.done";
    } else if (key == "usage") {
      read_usage(value);
    } else if (key == "error" && !json::is_null(value)) {
      frame_->kind = Frame::Kind::Error;
    }
  }

  void read_choice(od::value choice) {
    json::each_member(choice, [this](std::string_view key, od::value value) {
      if (key == "finish_reason") done_ |= json::is_string(value);
      if (key != "delta") return;
      json::each_member(value, [this](std::string_view name, od::value part) {
        if (name == "content") add_text(part, 0);
      });
    });
  }

  void add_text(od::value value, std::uint16_t item) {
    if (!json::is_string(value)) return;
    const std::string_view token = json::trimmed(value.raw_json_token());
    const auto begin = static_cast<std::uint32_t>(token.data() - frame_->data.data());
    (void)text_of(value);
    if (token.size() <= 2) return;
    Event event;
    event.lane.item = item;
    event.value = {begin, begin + static_cast<std::uint32_t>(token.size())};
    frame_->events.push_back(event);
    frame_->has_content = true;
  }

  // Tokens; models that are paid by the minute tell seconds, which are none.
  void read_usage(od::value value) {
    Usage usage;
    bool tokens = false;
    const auto count = [](od::value number) {
      const auto whole = json::integer_of(number).value_or(0);
      return static_cast<std::uint32_t>(std::clamp<std::int64_t>(whole, 0, 0xFFFFFFFF));
    };
    json::each_member(value, [&](std::string_view key, od::value part) {
      if (key == "input_tokens" || key == "prompt_tokens") {
        usage.input_uncached = count(part);
        tokens = true;
      } else if (key == "output_tokens" || key == "completion_tokens") {
        usage.output_visible = count(part);
      } else if (key == "input_token_details") {
        json::each_member(part, [&](std::string_view name, od::value detail) {
          if (name == "audio_tokens") usage.audio_in = count(detail);
        });
      }
    });
    if (!tokens) return;
    usage.source = UsageSource::Reported;
    frame_->usage = usage;
    Event event;
    event.kind = EventKind::Usage;
    event.usage = &frame_->usage;
    frame_->events.push_back(event);
  }

  http::SseReader sse_;
  Frame* frame_ = nullptr;
  std::uint16_t segments_ = 0;
  bool done_ = false, ending_ = false;
};

}  // namespace

std::unique_ptr<AnswerReader> make_transcript_reader() {
  return std::make_unique<TranscriptReader>();
}

Result<std::size_t> OpenAiDialect::read_form(const Operation&,
                                             std::span<const http::FormPart> parts,
                                             RequestIndex& index) const {
  const auto model = only(parts, "model");
  if (!model) return std::unexpected(model.error());
  const auto stream = only(parts, "stream");
  if (!stream) return std::unexpected(stream.error());
  const auto file = only(parts, "file");
  if (!file) return std::unexpected(file.error());
  if (!*model) return refused("\"model\" is missing.", "model");
  if (!*file) return refused("\"file\" is missing.", "file");
  const std::string_view name = (*model)->value;
  const auto control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  if ((*model)->is_file || name.empty() || name.size() > kLongestModel ||
      std::ranges::any_of(name, control)) {
    return refused("\"model\" must be a model's name.", "model");
  }
  index.model = name;
  index.stream = *stream && ((*stream)->value == "true" || (*stream)->value == "1");
  index.has_unread_content = index.unread_elsewhere = true;
  return static_cast<std::size_t>(*model - parts.data());
}

}  // namespace causeway::openai
