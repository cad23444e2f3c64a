// Gemini's answers → frames and events.
#include <algorithm>
#include <utility>

#include "dialects/gemini/dialect.h"
#include "dialects/gemini/usage.h"
#include "dialects/gemini/words.h"
#include "platform/http/sse.h"

namespace causeway::gemini {
namespace {

using json::each_element, json::each_member, json::text_of;

class Reader final : public AnswerReader {
 public:
  void feed(std::string_view piece) override { sse_.feed(piece); }
  std::size_t kept() const override { return sse_.kept(); }

  Result<bool> next(Frame& frame) override {
    http::SseEvent event;
    auto more = sse_.next(event);
    if (!more) return pass(std::move(more));
    frame.clear();
    if (!*more) {
      if (!closed_ || !complete() || std::exchange(told_, true)) return false;
      frame.kind = Frame::Kind::End;
      return true;
    }
    frame.wire = event.wire;
    frame.data = event.data;
    if (event.data.empty()) {
      frame.kind = Frame::Kind::Ignored;
      return true;
    }
    if (auto parsed = parse(frame); !parsed) return pass(std::move(parsed));
    return true;
  }

  // There is no terminal mark: an answer is whole when each of its candidates told why it ended.
  Result<bool> finish() override {
    closed_ = true;
    return complete();
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
  bool complete() const {
    if (sse_.partial()) return false;
    if (choices_.empty()) return blocked_;
    return std::all_of(choices_.begin(), choices_.end(),
                       [](const Choice& one) { return one.ended; });
  }

  Result<void> parse(Frame& frame) {
    frame_ = &frame;
    frame.events.reserve(4);
    try {
      json::with_parser(frame.data.size(), [&](od::parser& parser) {
        od::document document = parser.iterate(frame.data.data(), frame.data.size(),
                                               frame.data.size() + simdjson::SIMDJSON_PADDING);
        read_answer(json::take(document.get_object()));
      });
      return {};
    } catch (const simdjson::simdjson_error& bad) {
      auto broken = fail(ErrorKind::UpstreamBroken, Origin::Upstream,
                         "the provider's answer is not what its protocol says");
      broken.error().retryable = true;
      broken.error().detail = std::string("JSON: ") + simdjson::error_message(bad.error());
      return broken;
    }
  }

  ByteRange range(std::string_view token) const {
    token = json::trimmed(token);
    const auto begin = static_cast<std::uint32_t>(token.data() - frame_->data.data());
    return {begin, begin + static_cast<std::uint32_t>(token.size())};
  }

  void read_answer(od::object answer) {
    each_member(answer, [&](std::string_view key, od::value value) {
      if (key == "candidates") {
        std::uint16_t position = 0;
        each_element(value, [&](od::value candidate) { read_candidate(candidate, position++); });
      } else if (key == "usageMetadata") {
        read_usage_of(value);
      } else if (key == "promptFeedback") {
        read_feedback(value);
      } else if (key == "responseId") {
        frame_->id = range(value.raw_json_token());
      } else if (key == "modelVersion") {
        frame_->model = range(value.raw_json_token());
      } else if (key == "error") {
        if (!json::is_null(value)) frame_->kind = Frame::Kind::Error;
      } else if (key == "embedding") {
        frame_->has_content |= value.type() == od::json_type::object;
      } else if (key == "embeddings") {
        frame_->has_content |= json::has_elements(value);
      } else if (key == "totalTokens") {
        frame_->has_content |= json::integer_of(value).value_or(-1) >= 0;
      }
    });
  }

  // The candidate's index may stand behind its contents: events get it at the end.
  void read_candidate(od::value candidate, std::uint16_t position) {
    const std::size_t first = frame_->events.size();
    std::int64_t index = position;
    std::string_view reason;
    has_calls_ = false;
    each_member(candidate, [&](std::string_view key, od::value value) {
      if (key == "content") {
        each_member(value, [&](std::string_view inner, od::value member) {
          if (inner != "parts") return;
          each_element(member, [&](od::value part) { read_part(part); });
        });
      } else if (key == "finishReason") {
        reason = text_of(value);
      } else if (key == "index") {
        index = json::integer_of(value).value_or(position);
      } else {
        frame_->more = true;
      }
    });
    const auto choice = static_cast<std::uint16_t>(std::clamp<std::int64_t>(index, 0, 0xFFFF));
    if (choice >= choices_.size()) choices_.resize(std::min(choice + 1u, 128u));
    if (choice < choices_.size()) tell(choice, first, reason);
    for (std::size_t i = first; i < frame_->events.size(); ++i) {
      frame_->events[i].lane.choice = choice;
      frame_->events[i].last |= !reason.empty();
    }
  }

  void tell(std::uint16_t number, std::size_t first, std::string_view reason) {
    Choice& choice = choices_[number];
    choice.has_calls |= has_calls_;
    std::uint16_t item = 0;
    for (std::size_t i = first; i < frame_->events.size(); ++i) {
      Event& event = frame_->events[i];
      if (event.kind == EventKind::ToolCall) item = choice.calls++;
      if (event.lane.channel == Channel::ToolArguments) event.lane.item = item;
    }
    if (!reason.empty()) {
      add_stop(reason, choice.has_calls);
      choice.ended = true;
    }
  }

  void add_stop(std::string_view reason, bool has_calls) {
    Event stop;
    stop.kind = EventKind::Stop;
    stop.stop = stop_of(reason);
    if (stop.stop == Stop::Done && has_calls) stop.stop = Stop::Tools;
    stop.raw = reason;
    frame_->events.push_back(stop);
  }

  // The prompt was refused: there are no candidates, and that is all of the answer.
  void read_feedback(od::value value) {
    std::string_view reason;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "blockReason") reason = text_of(member);
    });
    if (reason.empty()) return;
    Event stop;
    stop.kind = EventKind::Stop;
    stop.stop = Stop::Filtered;
    stop.raw = reason;
    frame_->events.push_back(stop);
    frame_->has_content = blocked_ = true;
  }

  void read_part(od::value part) {
    ByteRange text;
    bool thought = false;
    each_member(part, [&](std::string_view key, od::value value) {
      if (key == "text") {
        if (json::is_string(value)) text = range(value.raw_json_token());
        (void)text_of(value);
      } else if (key == "thought") {
        thought = json::boolean_of(value).value_or(false);
      } else if (key == "functionCall") {
        read_call(value);
      } else {
        frame_->more = true;
        frame_->has_content |= key != "thoughtSignature";
      }
    });
    if (text.end - text.begin <= 2) return;  // an empty text tells nothing
    Event event;
    event.kind = EventKind::Text;
    event.lane.channel = thought ? Channel::Reasoning : Channel::Content;
    event.value = text;
    frame_->events.push_back(event);
    frame_->has_content = true;
  }

  // What was said before a call goes out before it. Each string in its arguments is a text by
  // itself: the call comes whole, so nothing of it is held back.
  void read_call(od::value call) {
    has_calls_ = frame_->has_content = true;
    for (const Channel channel : {Channel::Reasoning, Channel::Content}) {
      Event end;
      end.kind = EventKind::TextEnd;
      end.lane.channel = channel;
      frame_->events.push_back(end);
    }
    Event event;
    event.kind = EventKind::ToolCall;
    event.lane.channel = Channel::ToolArguments;
    const std::size_t at = frame_->events.size();
    frame_->events.push_back(event);
    each_member(call, [&](std::string_view key, od::value value) {
      if (key == "name") frame_->events[at].raw = text_of(value);
      if (key == "args") read_strings(value);
    });
  }

  void read_strings(od::value value) {
    if (json::is_string(value)) {
      const ByteRange text = range(value.raw_json_token());
      (void)text_of(value);
      if (text.end - text.begin <= 2) return;
      Event event;
      event.kind = EventKind::Text;
      event.lane.channel = Channel::ToolArguments;
      event.value = text;
      event.last = true;
      frame_->events.push_back(event);
    } else {
      each_element(value, [&](od::value element) { read_strings(element); });
      each_member(value, [&](std::string_view, od::value member) { read_strings(member); });
    }
  }

  void read_usage_of(od::value value) {
    if (value.type() != od::json_type::object) return;
    frame_->usage_at = range(value.raw_json_token()).begin + 1;
    frame_->usage = read_usage(value);
    Event event;
    event.kind = EventKind::Usage;
    event.usage = &frame_->usage;
    frame_->events.push_back(event);
  }

  struct Choice {
    bool ended = false, has_calls = false;
    std::uint16_t calls = 0;
  };

  http::SseReader sse_;
  Frame* frame_ = nullptr;
  std::vector<Choice> choices_;
  bool has_calls_ = false;  // of the candidate that is read
  bool blocked_ = false, closed_ = false, told_ = false;
};

}  // namespace

std::unique_ptr<AnswerReader> GeminiDialect::reader(const Operation&) const {
  return std::make_unique<Reader>();
}

}  // namespace causeway::gemini
