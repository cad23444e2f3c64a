// Gemini's answers → neutral events.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "dialects/gemini/dialect.h"
#include "dialects/gemini/usage.h"
#include "dialects/gemini/words.h"
#include "platform/http/sse.h"

namespace causeway::gemini {
namespace {

using json::each_element, json::each_member, json::raw_of, json::text_of;

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

  // There is no terminal mark: an answer is whole when it has said why it ended.
  Result<void> finish(ChatSink& sink) override {
    if (!stopped_ || sse_.partial()) {
      return broken("The provider's answer was cut before its end.", "upstream_cut");
    }
    end(sink);
    return {};
  }

  Result<void> whole(std::string_view body, ChatSink& sink) override {
    if (auto read = parse(body, sink); !read) return read;
    if (!stopped_) {
      return broken("The provider's answer has no candidates that ended.", "unexpected_answer",
                    std::string(body.substr(0, 200)));
    }
    end(sink);
    return {};
  }

 private:
  struct Candidate {
    std::uint16_t calls = 0;
  };

  static void end(ChatSink& sink) {
    ChatEvent event;
    event.kind = ChatEvent::Kind::End;
    sink.event(event);
  }

  Result<void> parse(std::string_view text, ChatSink& sink) {
    sink_ = &sink;
    has_error_ = false;
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
    if (!has_error_) return {};
    Error error = dialect_.classify(500, {}, text);
    error.upstream_status = 200;
    error.retryable = true;
    return std::unexpected(std::move(error));
  }

  // It stands behind the candidates.
  void read_identity(od::object answer) {
    if (begun_) return;
    each_member(answer, [&](std::string_view key, od::value value) {
      if (key == "responseId") id_ = text_of(value);
      if (key == "modelVersion") model_ = text_of(value);
    });
  }

  void begin() {
    if (std::exchange(begun_, true)) return;
    ChatEvent event;
    event.kind = ChatEvent::Kind::Begin;
    event.id = id_;
    event.name = model_;
    sink_->event(event);
  }

  void read_answer(od::object answer) {
    each_member(answer, [&](std::string_view key, od::value value) {
      if (key == "candidates") {
        each_element(value, [this](od::value candidate) { read_candidate(candidate); });
      } else if (key == "promptFeedback") {
        each_member(value, [&](std::string_view inner, od::value one) {
          if (inner == "blockReason") stop(0, Stop::Filtered, text_of(one));
        });
      } else if (key == "usageMetadata") {
        begin();
        usage_ = read_usage(value);
        ChatEvent event;
        event.kind = ChatEvent::Kind::Usage;
        event.usage = &usage_;
        sink_->event(event);
      } else if (key == "error") {
        has_error_ = true;
      }
    });
  }

  void stop(std::uint16_t choice, Stop reason, std::string_view raw) {
    begin();
    stopped_ = true;
    ChatEvent event;
    event.kind = ChatEvent::Kind::Stop;
    event.lane.choice = choice;
    event.stop = reason;
    event.raw = raw;
    sink_->event(event);
  }

  void read_candidate(od::value value) {
    begin();
    od::object candidate = json::take(value.get_object());
    std::uint64_t index = 0;
    if (!json::look_up(candidate, "index", index)) index = 0;
    const auto choice = static_cast<std::uint16_t>(index);
    std::string reason;
    each_member(candidate, [&](std::string_view key, od::value member) {
      if (key == "content") {
        each_member(member, [&](std::string_view inner, od::value parts) {
          if (inner != "parts") return;
          each_element(parts, [&](od::value part) { read_part(part, choice); });
        });
      } else if (key == "finishReason") {
        reason = text_of(member);
      } else if (key == "citationMetadata") {
        ChatEvent event;
        event.kind = ChatEvent::Kind::Citation;
        event.lane = {choice, 0, Channel::Content};
        event.dialect = "gemini";
        event.text = raw_of(member);
        sink_->event(event);
      }
    });
    if (reason.empty()) return;
    const Stop known = stop_of(reason);
    const bool tools = known == Stop::Done && candidates_[choice].calls > 0;
    stop(choice, tools ? Stop::Tools : known, reason);
  }

  struct Part {
    std::string_view text, signature;
    std::string name, id, arguments;
    bool thought = false, call = false, has_text = false;
  };

  void read_part(od::value value, std::uint16_t choice) {
    Part part;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "text") {
        part.text = text_of(member);
        part.has_text = true;
      } else if (key == "thought") {
        part.thought = json::boolean_of(member).value_or(false);
      } else if (key == "thoughtSignature") {
        part.signature = text_of(member);
      } else if (key == "functionCall") {
        part.call = true;
        read_call(member, part);
      }
    });
    if (part.call) return tell_call(part, choice);
    const Lane lane{choice, 0, part.thought ? Channel::Reasoning : Channel::Content};
    if (!part.text.empty()) tell(ChatEvent::Kind::Text, lane, part.text);
    if (!part.signature.empty()) tell_seal(lane, part.signature);
  }

  static void read_call(od::value call, Part& part) {
    each_member(call, [&](std::string_view key, od::value member) {
      if (key == "name") {
        part.name = text_of(member);
      } else if (key == "id") {
        part.id = text_of(member);
      } else if (key == "args") {
        part.arguments = raw_of(member);
      }
    });
  }

  void tell(ChatEvent::Kind kind, Lane lane, std::string_view text) {
    ChatEvent event;
    event.kind = kind;
    event.lane = lane;
    event.text = text;
    sink_->event(event);
  }

  void tell_seal(Lane lane, std::string_view signature) {
    ChatEvent event;
    event.kind = ChatEvent::Kind::Seal;
    event.lane = lane;
    event.dialect = "gemini";
    event.text = signature;
    sink_->event(event);
  }

  // Where Gemini gives no id, one is made: applications of other dialects answer by it.
  void tell_call(Part& part, std::uint16_t choice) {
    const std::uint16_t item = candidates_[choice].calls++;
    const Lane lane{choice, item, Channel::ToolArguments};
    if (part.id.empty()) {
      part.id = "call_" + std::to_string(choice) + "_" + std::to_string(item) + "_" + id_;
    }
    ChatEvent event;
    event.kind = ChatEvent::Kind::ToolCall;
    event.lane = lane;
    event.id = part.id;
    event.name = part.name;
    sink_->event(event);
    tell(ChatEvent::Kind::Text, lane, part.arguments.empty() ? "{}" : part.arguments);
    if (!part.signature.empty()) tell_seal(lane, part.signature);
  }

  const Dialect& dialect_;
  http::SseReader sse_;
  ChatSink* sink_ = nullptr;
  std::string id_, model_;
  std::map<std::uint16_t, Candidate> candidates_;
  Usage usage_;
  bool begun_ = false, stopped_ = false, has_error_ = false;
};

}  // namespace

std::unique_ptr<EventDecoder> GeminiDialect::decoder(bool) const {
  return std::make_unique<Decoder>(*this);
}

}  // namespace causeway::gemini
