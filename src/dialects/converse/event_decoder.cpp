// An answer of Converse or ConverseStream → neutral events.
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "dialects/converse/dialect.h"
#include "dialects/converse/event_stream.h"
#include "platform/json/on_demand.h"

namespace causeway::converse {
namespace {

namespace od = simdjson::ondemand;
using json::each_element, json::each_member, json::integer_of, json::raw_of, json::text_of;
using Kind = ChatEvent::Kind;

std::unexpected<Error> broken(std::string message, std::string code, std::string detail = {}) {
  auto result =
      fail(ErrorKind::UpstreamBroken, Origin::Upstream, std::move(message), std::move(code));
  result.error().retryable = true;
  result.error().detail = std::move(detail);
  return result;
}

Stop stop_of(std::string_view reason) {
  constexpr std::array<std::pair<std::string_view, Stop>, 9> kReasons = {{
      {"end_turn", Stop::Done},
      {"stop_sequence", Stop::Done},
      {"tool_use", Stop::Tools},
      {"max_tokens", Stop::Length},
      {"model_context_window_exceeded", Stop::Length},
      {"guardrail_intervened", Stop::Filtered},
      {"content_filtered", Stop::Filtered},
      {"malformed_model_output", Stop::Broken},
      {"malformed_tool_use", Stop::Broken},
  }};
  const auto found = std::find_if(kReasons.begin(), kReasons.end(),
                                  [&](const auto& one) { return one.first == reason; });
  return found == kReasons.end() ? Stop::Unknown : found->second;
}

std::uint32_t count_of(od::value value) {
  const auto number = integer_of(value);
  return number && *number > 0 && *number <= 0xFFFFFFFF ? static_cast<std::uint32_t>(*number) : 0;
}

/// A tool call that has begun.
struct Call {
  std::uint16_t item = 0;
  bool has_arguments = false;
};

class Decoder final : public EventDecoder {
 public:
  Result<void> feed(std::string_view piece, ChatSink& sink) override {
    sink_ = &sink;
    stream_.feed(piece);
    for (;;) {
      StreamMessage message;
      auto more = stream_.next(message);
      if (!more) return pass(std::move(more));
      if (!*more) return {};
      if (message.type == "exception") {
        return std::unexpected(classify_exception(message.name, 0, message.payload));
      }
      if (message.type == "error") {
        Error error = classify_exception(message.name, 0, {});
        error.detail = std::string(message.name) + ": " + std::string(message.text.substr(0, 500));
        return std::unexpected(std::move(error));
      }
      if (ended_ || message.type != "event") continue;
      const std::string_view name = message.name;
      auto read = parse(message.payload, [&](od::object event) { read_event(name, event); });
      if (!read) return read;
    }
  }

  // The usage comes behind the stop; where it does not, the answer is complete all the same.
  Result<void> finish(ChatSink& sink) override {
    sink_ = &sink;
    if (ended_) return {};
    if (!stopped_ || stream_.partial()) {
      return broken("The provider's answer was cut before its end.", "upstream_cut");
    }
    end();
    return {};
  }

  std::size_t kept() const override { return stream_.kept(); }

  Result<void> whole(std::string_view body, ChatSink& sink) override {
    sink_ = &sink;
    auto read = parse(body, [&](od::object answer) { read_whole(answer); });
    if (!read) return read;
    if (!has_message_ || !stopped_) {
      return broken("The provider's answer has no message.", "unexpected_answer",
                    std::string(body.substr(0, 200)));
    }
    end();
    return {};
  }

 private:
  template <class Read>
  Result<void> parse(std::string_view text, Read read) {
    try {
      json::with_parser(text.size(), [&](od::parser& parser) {
        od::document document =
            parser.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING);
        read(json::take(document.get_object()));
      });
    } catch (const simdjson::simdjson_error& bad) {
      return broken("The provider's answer is not what its protocol says.", "upstream_broken",
                    std::string("JSON: ") + bad.what());
    }
    return {};
  }

  void tell(ChatEvent::Kind kind) {
    ChatEvent event;
    event.kind = kind;
    sink_->event(event);
  }

  void begin() {
    if (!std::exchange(begun_, true)) tell(Kind::Begin);
  }

  void end() {
    tell(Kind::End);
    ended_ = true;
  }

  void text(Channel channel, std::uint16_t item, std::string_view piece) {
    if (piece.empty()) return;
    begin();
    ChatEvent event;
    event.kind = Kind::Text;
    event.lane = {0, item, channel};
    event.text = piece;
    sink_->event(event);
  }

  // A signature is the model maker's own: Claude's are the same wherever it runs.
  void seal(std::uint16_t item, std::string_view dialect, std::string_view value, bool hidden) {
    if (value.empty()) return;
    begin();
    ChatEvent event;
    event.kind = Kind::Seal;
    event.lane = {0, item, Channel::Reasoning};
    event.dialect = dialect;
    event.text = value;
    event.hidden = hidden;
    sink_->event(event);
  }

  void read_event(std::string_view name, od::object event) {
    if (name == "messageStart") return begin();
    if (name == "messageStop") {
      each_member(event, [&](std::string_view key, od::value value) {
        if (key == "stopReason") stop(text_of(value));
      });
      return;
    }
    if (name == "metadata") {
      each_member(event, [&](std::string_view key, od::value value) {
        if (key == "usage") read_usage(value);
      });
      if (stopped_) end();
      return;
    }
    std::uint64_t number = 0;
    if (!event["contentBlockIndex"].get_uint64().get(number)) {
      block_ = static_cast<std::uint16_t>(number);
    }
    json::take(event.reset());
    if (name == "contentBlockStop") return end_block();
    each_member(event, [&](std::string_view key, od::value value) {
      if (key == "start" && name == "contentBlockStart") read_start(value);
      if (key == "delta" && name == "contentBlockDelta") read_delta(value);
    });
  }

  void read_start(od::value start) {
    each_member(start, [&](std::string_view key, od::value value) {
      if (key != "toolUse") return;
      std::string id, name, type;
      each_member(value, [&](std::string_view member, od::value one) {
        if (member == "toolUseId") id = text_of(one);
        if (member == "name") name = text_of(one);
        if (member == "type") type = text_of(one);
      });
      // Of tools that the service runs itself nobody could give a result.
      if (type != "server_tool_use") begin_call(id, name);
    });
  }

  void begin_call(std::string_view id, std::string_view name) {
    begin();
    Call& call = calls_[block_];
    call = {next_call_++, false};
    ChatEvent event;
    event.kind = Kind::ToolCall;
    event.lane = {0, call.item, Channel::ToolArguments};
    event.id = id;
    event.name = name;
    sink_->event(event);
  }

  void arguments(std::string_view piece) {
    const auto call = calls_.find(block_);
    if (call == calls_.end() || piece.empty()) return;
    call->second.has_arguments = true;
    text(Channel::ToolArguments, call->second.item, piece);
  }

  // A call without arguments has none in its deltas; to everybody else they are an empty object.
  void end_block() {
    const auto call = calls_.find(block_);
    if (call != calls_.end() && !call->second.has_arguments) arguments("{}");
  }

  void read_delta(od::value delta) {
    each_member(delta, [&](std::string_view key, od::value value) {
      if (key == "text") {
        text(Channel::Content, block_, text_of(value));
      } else if (key == "toolUse") {
        each_member(value, [&](std::string_view member, od::value one) {
          if (member == "input") arguments(text_of(one));
        });
      } else if (key == "reasoningContent") {
        each_member(value, [&](std::string_view member, od::value one) { reason(member, one); });
      } else if (key == "citation") {
        cite(value);
      }
    });
  }

  void reason(std::string_view key, od::value value) {
    if (key == "text") text(Channel::Reasoning, block_, text_of(value));
    if (key == "signature") seal(block_, "anthropic", text_of(value), false);
    if (key == "redactedContent") seal(block_, "converse", text_of(value), true);
  }

  void cite(od::value citation) {
    begin();
    ChatEvent event;
    event.kind = Kind::Citation;
    event.lane = {0, block_, Channel::Content};
    event.dialect = "converse";
    event.text = raw_of(citation);
    sink_->event(event);
  }

  void stop(std::string_view reason) {
    begin();
    stopped_ = true;
    ChatEvent event;
    event.kind = Kind::Stop;
    event.stop = stop_of(reason);
    event.raw = reason;
    sink_->event(event);
  }

  void read_usage(od::value value) {
    begin();
    usage_ = {};
    usage_.source = UsageSource::Reported;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "inputTokens") usage_.input_uncached = count_of(member);
      if (key == "outputTokens") usage_.output_visible = count_of(member);
      if (key == "cacheReadInputTokens") usage_.cache_read = count_of(member);
      if (key == "cacheWriteInputTokens") usage_.cache_write = count_of(member);
    });
    ChatEvent event;
    event.kind = Kind::Usage;
    event.usage = &usage_;
    sink_->event(event);
  }

  // The stop is told behind the contents, wherever it stands.
  void read_whole(od::object answer) {
    std::string reason;
    each_member(answer, [&](std::string_view key, od::value value) {
      if (key == "stopReason") reason = text_of(value);
      if (key == "usage") read_usage(value);
      if (key != "output") return;
      each_member(value, [&](std::string_view output, od::value message) {
        if (output != "message") return;
        has_message_ = true;
        begin();
        each_member(message, [&](std::string_view member, od::value content) {
          if (member == "content") each_element(content, [&](od::value b) { read_block(b); });
        });
      });
    });
    if (!reason.empty()) stop(reason);
  }

  void read_block(od::value block) {
    each_member(block, [&](std::string_view key, od::value value) {
      if (key == "text") {
        text(Channel::Content, block_, text_of(value));
      } else if (key == "toolUse") {
        read_call(value);
      } else if (key == "reasoningContent") {
        each_member(value, [&](std::string_view member, od::value inner) {
          if (member != "reasoningText") return reason(member, inner);
          each_member(inner, [&](std::string_view part, od::value one) { reason(part, one); });
        });
      } else if (key == "citationsContent") {
        read_cited(value);
      }
    });
    ++block_;
  }

  void read_call(od::value call) {
    std::string id, name, input, type;
    each_member(call, [&](std::string_view key, od::value value) {
      if (key == "toolUseId") id = text_of(value);
      if (key == "name") name = text_of(value);
      if (key == "input") input = raw_of(value);
      if (key == "type") type = text_of(value);
    });
    if (type == "server_tool_use") return;
    begin_call(id, name);
    arguments(input.empty() ? "{}" : input);
  }

  void read_cited(od::value cited) {
    each_member(cited, [&](std::string_view key, od::value value) {
      if (key == "content") {
        each_element(value, [&](od::value part) {
          each_member(part, [&](std::string_view member, od::value one) {
            if (member == "text") text(Channel::Content, block_, text_of(one));
          });
        });
      } else if (key == "citations") {
        each_element(value, [&](od::value one) { cite(one); });
      }
    });
  }

  EventStreamReader stream_;
  ChatSink* sink_ = nullptr;
  std::uint16_t block_ = 0, next_call_ = 0;
  std::map<std::uint16_t, Call> calls_;
  Usage usage_;
  bool begun_ = false, has_message_ = false, stopped_ = false, ended_ = false;
};

}  // namespace

std::unique_ptr<EventDecoder> ConverseDialect::decoder(bool) const {
  return std::make_unique<Decoder>();
}

}  // namespace causeway::converse
