// Gemini's answers → frames.
#include <string>

#include "dialects/gemini/dialect.h"
#include "dialects/gemini/usage.h"
#include "dialects/gemini/words.h"
#include "platform/http/sse.h"

namespace causeway::gemini {
namespace {

using json::each_element, json::each_member, json::is_string, json::text_of;

class Reader final : public AnswerReader {
 public:
  explicit Reader(OperationKind kind) : kind_(kind) {}

  void feed(std::string_view piece) override { sse_.feed(piece); }

  Result<bool> next(Frame& frame) override {
    http::SseEvent event;
    if (at_end_) {
      frame.clear();
      frame.kind = Frame::Kind::End;
      at_end_ = false;
      return true;
    }
    auto more = sse_.next(event);
    if (!more) return pass(std::move(more));
    if (!*more) return false;
    frame.clear();
    frame.wire = event.wire;
    frame.data = event.data;
    if (event.data.empty()) {
      frame.kind = Frame::Kind::Ignored;
      return true;
    }
    if (auto parsed = parse(frame); !parsed) return pass(std::move(parsed));
    return true;
  }

  Result<bool> finish() override {
    at_end_ = stopped_ && !sse_.partial();
    return at_end_;
  }

  Result<void> whole(std::string_view body, Frame& frame) override {
    frame.clear();
    frame.wire = frame.data = body;
    auto parsed = parse(frame);
    if (parsed && frame.kind == Frame::Kind::Data) {
      frame.kind = Frame::Kind::End;
      for (auto& event : frame.events) event.last = true;
    }
    return parsed;
  }

 private:
  Result<void> parse(Frame& frame) {
    frame_ = &frame;
    try {
      json::with_parser(frame.data.size(), [&](od::parser& parser) {
        od::document document = parser.iterate(frame.data.data(), frame.data.size(),
                                               frame.data.size() + simdjson::SIMDJSON_PADDING);
        each_member(json::take(document.get_object()),
                    [this](std::string_view key, od::value value) { member(key, value); });
      });
      return {};
    } catch (const simdjson::simdjson_error& bad) {
      auto broken = fail(ErrorKind::UpstreamBroken, Origin::Upstream,
                         "the provider's answer is not what its protocol says");
      broken.error().retryable = true;
      broken.error().detail = std::string("JSON: ") + bad.what();
      return broken;
    }
  }

  ByteRange range_of(od::value value) const {
    const std::string_view token = json::trimmed(value.raw_json_token());
    const auto begin = static_cast<std::uint32_t>(token.data() - frame_->data.data());
    return {begin, begin + static_cast<std::uint32_t>(token.size())};
  }

  void member(std::string_view key, od::value value) {
    if (key == "candidates") {
      std::uint16_t position = 0;
      each_element(value, [&](od::value candidate) { read_candidate(candidate, position++); });
    } else if (key == "promptFeedback") {
      each_member(value, [&](std::string_view inner, od::value one) {
        if (inner == "blockReason") add_stop(0, Stop::Filtered, text_of(one));
      });
    } else if (key == "usageMetadata") {
      frame_->usage_at = range_of(value).begin + 1;
      frame_->usage = read_usage(value);
      Event event;
      event.kind = EventKind::Usage;
      event.usage = &frame_->usage;
      frame_->events.push_back(event);
    } else if (key == "responseId") {
      frame_->id = range_of(value);
    } else if (key == "modelVersion") {
      frame_->model = range_of(value);
    } else if (key == "error") {
      frame_->kind = Frame::Kind::Error;
    } else if (key == "totalTokens" && kind_ == OperationKind::CountTokens) {
      frame_->has_content = true;
    }
  }

  void add_stop(std::uint16_t choice, Stop stop, std::string_view raw) {
    stopped_ = true;
    frame_->has_content = true;
    Event event;
    event.kind = EventKind::Stop;
    event.lane.choice = choice;
    event.stop = stop;
    event.raw = raw;
    frame_->events.push_back(event);
  }

  // The candidate's index may stand behind its contents: events get it at the end.
  void read_candidate(od::value candidate, std::uint16_t position) {
    const std::size_t first = frame_->events.size();
    std::uint16_t index = position;
    std::string_view reason;
    bool calls = false;
    each_member(candidate, [&](std::string_view key, od::value value) {
      if (key == "content") {
        each_member(value, [&](std::string_view inner, od::value parts) {
          if (inner != "parts") return;
          each_element(parts, [&](od::value part) { calls |= read_part(part); });
        });
      } else if (key == "finishReason") {
        reason = text_of(value);
      } else if (key == "index") {
        index = static_cast<std::uint16_t>(count_of(value));
      } else {
        frame_->more = true;
      }
    });
    calls_ |= calls;
    if (!reason.empty()) {
      const Stop known = stop_of(reason);
      add_stop(index, known == Stop::Done && calls_ ? Stop::Tools : known, reason);
    }
    for (std::size_t i = first; i < frame_->events.size(); ++i) {
      frame_->events[i].lane.choice = index;
      frame_->events[i].last |= !reason.empty();
    }
  }

  /// Whether it is a call.
  bool read_part(od::value part) {
    ByteRange text{};
    bool thought = false, call = false;
    each_member(part, [&](std::string_view key, od::value value) {
      if (key == "text" && is_string(value)) {
        text = range_of(value);
        (void)json::string_of(value);
      } else if (key == "thought") {
        thought = json::boolean_of(value).value_or(false);
      } else {
        frame_->more = true;
        frame_->has_content = true;
        call |= key == "functionCall";
      }
    });
    if (call) {
      Event event;
      event.kind = EventKind::ToolCall;
      event.lane.channel = Channel::ToolArguments;
      frame_->events.push_back(event);
    }
    if (text.end - text.begin > 2) {
      Event event;
      event.kind = EventKind::Text;
      event.lane.channel = thought ? Channel::Reasoning : Channel::Content;
      event.value = text;
      frame_->events.push_back(event);
      frame_->has_content = true;
    }
    return call;
  }

  OperationKind kind_;
  http::SseReader sse_;
  Frame* frame_ = nullptr;
  bool stopped_ = false, calls_ = false, at_end_ = false;
};

}  // namespace

std::unique_ptr<AnswerReader> GeminiDialect::reader(const Operation& operation) const {
  return std::make_unique<Reader>(operation.kind);
}

}  // namespace causeway::gemini
