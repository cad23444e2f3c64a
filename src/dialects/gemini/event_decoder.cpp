// An answer of generateContent → neutral events.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "dialects/gemini/dialect.h"
#include "dialects/gemini/usage.h"
#include "dialects/gemini/words.h"
#include "platform/http/sse.h"

namespace causeway::gemini {
namespace {

using json::each_element, json::each_member, json::raw_of, json::text_of;

constexpr std::uint16_t kMostChoices = 128;
constexpr std::uint16_t kMostCalls = 1024;  // of one candidate

std::unexpected<Error> broken(std::string message, std::string code, std::string detail = {}) {
  auto result =
      fail(ErrorKind::UpstreamBroken, Origin::Upstream, std::move(message), std::move(code));
  result.error().retryable = true;
  result.error().detail = std::move(detail);
  return result;
}

class Decoder final : public EventDecoder {
 public:
  explicit Decoder(const Dialect& dialect) : dialect_(dialect) {}

  Result<void> feed(std::string_view piece, ChatSink& sink) override {
    sse_.feed(piece);
    for (;;) {
      http::SseEvent event;
      auto more = sse_.next(event);
      if (!more) return pass(std::move(more));
      if (!*more) return {};
      if (event.data.empty()) continue;
      if (auto read = parse(event.data, sink); !read) return read;
    }
  }

  // The bytes' end is the only mark of the answer's: it is whole when every candidate told why it
  // ended, or the prompt was refused.
  Result<void> finish(ChatSink& sink) override {
    if (!complete() || sse_.partial()) {
      return broken("The provider's answer was cut before its end.", "upstream_cut");
    }
    sink_ = &sink;
    end();
    return {};
  }

  std::size_t kept() const override { return sse_.kept(); }

  Result<void> whole(std::string_view body, ChatSink& sink) override {
    if (auto read = parse(body, sink); !read) return read;
    if (!complete()) {
      return broken("The provider's answer has no candidates that ended.", "unexpected_answer",
                    std::string(body.substr(0, 200)));
    }
    end();
    return {};
  }

 private:
  using Kind = ChatEvent::Kind;

  struct Choice {
    std::uint16_t calls = 0, block = 0;
    bool has_text = false, ended = false;
    Channel channel = Channel::Content;
  };

  bool complete() const {
    if (choices_.empty()) return blocked_;
    return std::all_of(choices_.begin(), choices_.end(), [](const auto& c) { return c.ended; });
  }

  void send(ChatEvent event) { sink_->event(event); }

  ChatEvent event_of(Kind kind, Lane lane = {}) const {
    ChatEvent event;
    event.kind = kind;
    event.lane = lane;
    return event;
  }

  // Usage stands in every event of a stream and grows: the last one counts.
  void end() {
    begin();
    if (usage_.source != UsageSource::None) {
      ChatEvent event = event_of(Kind::Usage);
      event.usage = &usage_;
      send(event);
    }
    send(event_of(Kind::End));
  }

  Result<void> parse(std::string_view text, ChatSink& sink) {
    sink_ = &sink;
    has_error_ = false;
    unsaid_.clear();
    try {
      json::with_parser(text.size(), [&](od::parser& parser) {
        od::document document =
            parser.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING);
        read_identity(json::take(document.get_object()));
        document.rewind();
        read_answer(json::take(document.get_object()));
      });
    } catch (const simdjson::simdjson_error& bad) {
      return broken("The provider's answer is not what its protocol says.", "upstream_broken",
                    std::string("JSON: ") + bad.what());
    }
    if (!unsaid_.empty()) {
      return broken("The provider's answer holds what cannot be translated (" + unsaid_ + ").",
                    "unexpected_answer");
    }
    if (!has_error_) return {};
    Error error = dialect_.classify(500, {}, text);
    error.upstream_status = 200;
    error.retryable = true;
    return std::unexpected(std::move(error));
  }

  // Model and id stand behind the candidates.
  void read_identity(od::object answer) {
    if (begun_) return;
    each_member(answer, [&](std::string_view key, od::value value) {
      if (key == "responseId") id_ = text_of(value);
      if (key == "modelVersion") model_ = text_of(value);
    });
  }

  void read_answer(od::object answer) {
    each_member(answer, [&](std::string_view key, od::value value) {
      if (key == "candidates") {
        std::uint16_t position = 0;
        each_element(value, [&](od::value candidate) { read_candidate(candidate, position++); });
      } else if (key == "usageMetadata") {
        if (!json::is_null(value)) usage_ = read_usage(value);
      } else if (key == "promptFeedback") {
        read_feedback(value);
      } else if (key == "error") {
        has_error_ = !json::is_null(value);
      }
    });
  }

  void begin() {
    if (std::exchange(begun_, true)) return;
    ChatEvent event = event_of(Kind::Begin);
    event.id = id_;
    event.name = model_;
    send(event);
  }

  void stop(Stop reason, std::string_view raw) {
    ChatEvent event = event_of(Kind::Stop, {number_, 0, Channel::Content});
    event.stop = reason;
    event.raw = raw;
    send(event);
  }

  // A prompt that was refused has no candidates: an answer that was filtered, not an empty one.
  void read_feedback(od::value feedback) {
    std::string reason;
    each_member(feedback, [&](std::string_view key, od::value value) {
      if (key == "blockReason") reason = text_of(value);
    });
    if (reason.empty()) return;
    begin();
    blocked_ = true;
    number_ = 0;
    stop(Stop::Filtered, reason);
  }

  // The candidate's index may stand behind its contents, so it is looked for first.
  void read_candidate(od::value candidate, std::uint16_t position) {
    begin();
    std::int64_t index = 0;
    od::object object = json::take(candidate.get_object());
    const bool told = json::look_up(object, "index", index);
    number_ =
        told && index >= 0 && index < kMostChoices ? static_cast<std::uint16_t>(index) : position;
    if (number_ >= kMostChoices) {
      unsaid_ = "too many candidates";
      return;
    }
    if (choices_.size() <= number_) choices_.resize(number_ + 1u);
    std::string reason;
    each_member(object, [&](std::string_view key, od::value value) {
      if (key == "content") {
        each_member(value, [&](std::string_view inner, od::value parts) {
          if (inner != "parts") return;
          each_element(parts, [&](od::value part) { read_part(part); });
        });
      } else if (key == "finishReason") {
        reason = text_of(value);
      }
    });
    Choice& choice = choices_[number_];
    if (reason.empty() || std::exchange(choice.ended, true)) return;
    Stop why = stop_of(reason);
    if (why == Stop::Done && choice.calls > 0) why = Stop::Tools;
    stop(why, reason);
  }

  void read_part(od::value part) {
    std::string text, signature, id, name, arguments;
    bool thought = false, call = false;
    each_member(part, [&](std::string_view key, od::value value) {
      if (key == "text") {
        text = text_of(value);
      } else if (key == "thought") {
        thought = json::boolean_of(value).value_or(false);
      } else if (key == "thoughtSignature") {
        signature = text_of(value);
      } else if (key == "functionCall") {
        call = true;
        read_call(value, id, name, arguments);
      } else if (is_content(key)) {
        unsaid_ = key;
      }
    });
    if (call) {
      tell_call(id, name, arguments, signature);
    } else if (!text.empty() || !signature.empty()) {
      tell_text(thought ? Channel::Reasoning : Channel::Content, text, signature);
    }
  }

  // Parts that only come where the request asked for them in a way that is not translated.
  static bool is_content(std::string_view key) {
    return key == "inlineData" || key == "fileData" || key == "executableCode" ||
           key == "codeExecutionResult" || key == "functionResponse";
  }

  static void read_call(od::value call, std::string& id, std::string& name,
                        std::string& arguments) {
    each_member(call, [&](std::string_view key, od::value value) {
      if (key == "id") id = text_of(value);
      if (key == "name") name = text_of(value);
      if (key == "args") arguments = compact(raw_of(value));
    });
  }

  void tell_call(std::string id, const std::string& name, std::string arguments,
                 const std::string& signature) {
    Choice& choice = choices_[number_];
    if (made_ >= kMostCalls || choice.calls >= kMostCalls) {
      unsaid_ = "too many calls";
      return;
    }
    const Lane lane{number_, choice.calls, Channel::ToolArguments};
    ++choice.calls;
    if (id.empty()) id = made_id(id_, ++made_);
    if (arguments.empty()) arguments = "{}";
    ChatEvent begun = event_of(Kind::ToolCall, lane);
    begun.id = id;
    begun.name = name;
    send(begun);
    ChatEvent said = event_of(Kind::Text, lane);
    said.text = arguments;
    send(said);
    seal(lane, signature, false);
  }

  // Thoughts and text take turns: each run of one kind is an item.
  void tell_text(Channel channel, const std::string& text, const std::string& signature) {
    Choice& choice = choices_[number_];
    if (choice.has_text && choice.channel != channel) ++choice.block;
    choice.has_text = true;
    choice.channel = channel;
    const Lane lane{number_, choice.block, channel};
    if (!text.empty()) {
      ChatEvent said = event_of(Kind::Text, lane);
      said.text = text;
      send(said);
    }
    seal(lane, signature, channel == Channel::Content);
  }

  void seal(Lane lane, const std::string& signature, bool hidden) {
    if (signature.empty()) return;
    ChatEvent event = event_of(Kind::Seal, lane);
    const Seal known = seal_of(signature);
    event.dialect = known.dialect;
    event.text = known.value;
    event.hidden = hidden;
    send(event);
  }

  const Dialect& dialect_;
  http::SseReader sse_;
  ChatSink* sink_ = nullptr;
  std::string id_, model_, unsaid_;
  std::uint16_t number_ = 0;  // of the candidate that is read
  std::vector<Choice> choices_;
  std::size_t made_ = 0;
  Usage usage_;
  bool begun_ = false, blocked_ = false, has_error_ = false;
};

}  // namespace

std::unique_ptr<EventDecoder> GeminiDialect::decoder(bool) const {
  return std::make_unique<Decoder>(*this);
}

}  // namespace causeway::gemini
