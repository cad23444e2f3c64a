// Answers in the Anthropic form → frames. A lane of this dialect is a content block: its index, and
// by its kind the channel.
#include <string>

#include "dialects/anthropic/dialect.h"
#include "dialects/anthropic/words.h"
#include "platform/http/sse.h"

namespace causeway::anthropic {
namespace {

namespace od = simdjson::ondemand;
using json::each_element, json::each_member, json::is_string, json::text_of;

std::unexpected<Error> broken(std::string detail) {
  auto result = fail(ErrorKind::UpstreamBroken, Origin::Upstream,
                     "the provider's answer is not what its protocol says");
  result.error().retryable = true;
  result.error().detail = std::move(detail);
  return result;
}

class Reader final : public AnswerReader {
 public:
  explicit Reader(OperationKind kind) : kind_(kind) {}

  void feed(std::string_view piece) override { sse_.feed(piece); }
  std::size_t kept() const override { return sse_.kept(); }

  Result<bool> next(Frame& frame) override {
    http::SseEvent event;
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
    auto parsed = parse(frame, [this](od::object object) { read_event(object); });
    if (!parsed) return pass(std::move(parsed));
    return true;
  }

  Result<void> whole(std::string_view body, Frame& frame) override {
    frame.clear();
    frame.wire = frame.data = body;
    frame.kind = Frame::Kind::End;
    bool complete = false;
    auto parsed = parse(frame, [&](od::object object) { complete = read_whole(object); });
    if (!parsed || frame.kind == Frame::Kind::Error) return parsed;
    if (!complete) return broken("no message with content, nor a count");
    return {};
  }

 private:
  template <class Read>
  Result<void> parse(Frame& frame, Read read) {
    frame_ = &frame;
    frame.events.reserve(2);
    try {
      json::with_parser(frame.data.size(), [&](od::parser& parser) {
        od::document document = parser.iterate(frame.data.data(), frame.data.size(),
                                               frame.data.size() + simdjson::SIMDJSON_PADDING);
        read(json::take(document.get_object()));
      });
      return {};
    } catch (const simdjson::simdjson_error& bad) {
      return broken(std::string("JSON: ") + bad.what());
    }
  }

  ByteRange range_of(od::value value) const {
    const std::string_view token = json::trimmed(value.raw_json_token());
    const auto begin = static_cast<std::uint32_t>(token.data() - frame_->data.data());
    return {begin, begin + static_cast<std::uint32_t>(token.size())};
  }

  // The string is taken, as simdjson needs it.
  ByteRange text_at(od::value value) const {
    const ByteRange range = range_of(value);
    (void)json::string_of(value);
    return range;
  }

  // An empty text tells nothing and makes no event.
  void add_text(ByteRange value, Channel channel, bool last = false) {
    if (value.end - value.begin <= 2) return;
    Event event;
    event.kind = EventKind::Text;
    event.lane = {0, block_, channel};
    event.value = value;
    event.last = last;
    frame_->events.push_back(event);
    frame_->has_content = true;
  }

  void add_call(std::string_view name) {
    Event event;
    event.kind = EventKind::ToolCall;
    event.lane = {0, block_, Channel::ToolArguments};
    event.raw = name;
    frame_->events.push_back(event);
    frame_->has_content = true;
  }

  void add_stop(std::string_view reason) {
    if (reason.empty()) return;
    Event event;
    event.kind = EventKind::Stop;
    event.stop = stop_of(reason);
    event.raw = reason;
    frame_->events.push_back(event);
  }

  void add_usage() {
    if (usage_.source == UsageSource::None) return;
    frame_->usage = usage_;
    Event event;
    event.kind = EventKind::Usage;
    event.usage = &frame_->usage;
    frame_->events.push_back(event);
  }

  // What an event says depends on its type, which may stand behind the rest; so may its index.
  void read_event(od::object object) {
    std::string_view word;
    std::uint64_t index = 0;
    std::string type;
    if (json::look_up(object, "type", word)) type = word;
    if (json::look_up(object, "index", index)) {
      if (index >= kMostBlocks) throw simdjson::simdjson_error(simdjson::NUMBER_OUT_OF_RANGE);
      block_ = static_cast<std::uint16_t>(index);
    }
    frame_->more = type != "content_block_delta";
    if (type == "message_start") {
      each_member(object, [&](std::string_view key, od::value value) {
        if (key == "message") read_start(value);
      });
    } else if (type == "content_block_start") {
      each_member(object, [&](std::string_view key, od::value value) {
        if (key == "content_block") read_block(value, false);
      });
    } else if (type == "content_block_delta") {
      each_member(object, [&](std::string_view key, od::value value) {
        if (key == "delta") read_delta(value);
      });
    } else if (type == "content_block_stop") {
      end_block();
    } else if (type == "message_delta") {
      read_end(object);
    } else if (type == "message_stop") {
      frame_->kind = Frame::Kind::End;
    } else if (type == "error") {
      frame_->kind = Frame::Kind::Error;
    } else {
      frame_->kind = Frame::Kind::Ignored;
    }
  }

  void read_start(od::value message) {
    usage_ = {};
    each_member(message, [&](std::string_view key, od::value value) {
      if (key == "id") frame_->id = range_of(value);
      if (key == "model") frame_->model = range_of(value);
      if (key == "usage") (void)read_usage(value, usage_);
    });
  }

  void read_delta(od::value delta) {
    each_member(delta, [&](std::string_view key, od::value value) {
      if (key == "type") return;
      if (!is_string(value)) {
        frame_->more = true;
      } else if (key == "text") {
        add_text(text_at(value), Channel::Content);
      } else if (key == "thinking") {
        add_text(text_at(value), Channel::Reasoning);
      } else if (key == "partial_json") {
        add_text(text_at(value), Channel::ToolArguments);
      } else {
        frame_->more = true;
      }
    });
    frame_->has_content |= frame_->more;
  }

  void read_end(od::object object) {
    each_member(object, [&](std::string_view key, od::value value) {
      if (key == "delta") {
        each_member(value, [&](std::string_view inner, od::value one) {
          if (inner == "stop_reason") add_stop(text_of(one));
        });
      } else if (key == "usage") {
        note_usage(value);
      }
    });
    add_usage();
  }

  void note_usage(od::value value) {
    if (value.type() != od::json_type::object) return;
    frame_->usage_at = range_of(value).begin + 1;
    if (read_usage(value, usage_)) frame_->usage_at = 0;
  }

  // What may be held of a block's text goes out before the block ends.
  void end_block() {
    for (const Channel channel : {Channel::Content, Channel::Reasoning, Channel::ToolArguments}) {
      Event event;
      event.kind = EventKind::TextEnd;
      event.lane = {0, block_, channel};
      frame_->events.push_back(event);
    }
  }

  void read_block(od::value block, bool whole) {
    std::string type;
    std::string_view name;
    each_member(block, [&](std::string_view key, od::value value) {
      if (key == "type") {
        type = text_of(value);
      } else if (key == "name") {
        name = text_of(value);
      } else if (key == "text" && is_string(value)) {
        add_text(text_at(value), Channel::Content, whole);
      } else if (key == "thinking" && is_string(value)) {
        add_text(text_at(value), Channel::Reasoning, whole);
      } else if (key == "input" && whole) {
        add_strings(value);
      }
    });
    if (type == "tool_use") add_call(name);
    // A text or a thought that has only begun is no content yet; all other blocks are whole.
    if (type != "text" && type != "thinking") frame_->has_content = true;
  }

  // The arguments of a whole call are an object: its strings are the texts in it.
  void add_strings(od::value value) {
    switch (value.type().value()) {
      case od::json_type::object:
        each_member(value, [&](std::string_view, od::value member) { add_strings(member); });
        break;
      case od::json_type::array:
        each_element(value, [&](od::value element) { add_strings(element); });
        break;
      case od::json_type::string:
        add_text(text_at(value), Channel::ToolArguments, true);
        break;
      default:
        break;
    }
  }

  bool read_whole(od::object object) {
    bool message = false, content = false, counted = false;
    each_member(object, [&](std::string_view key, od::value value) {
      if (key == "type") {
        const std::string_view type = text_of(value);
        message = type == "message";
        if (type == "error") frame_->kind = Frame::Kind::Error;
      } else if (key == "content" && value.type() == od::json_type::array) {
        content = frame_->has_content = true;
        block_ = 0;
        each_element(value, [&](od::value block) {
          read_block(block, true);
          ++block_;
        });
      } else if (key == "stop_reason") {
        add_stop(text_of(value));
      } else if (key == "usage") {
        note_usage(value);
      } else if (key == "input_tokens" && kind_ == OperationKind::CountTokens) {
        counted = frame_->has_content = json::integer_of(value).value_or(-1) >= 0;
      } else if (key == "id") {
        frame_->id = range_of(value);
      } else if (key == "model") {
        frame_->model = range_of(value);
      }
    });
    add_usage();
    return kind_ == OperationKind::Chat ? message && content : counted;
  }

  OperationKind kind_;
  http::SseReader sse_;
  Frame* frame_ = nullptr;
  std::uint16_t block_ = 0;
  Usage usage_;  // told at the start and, as sums, at the end
};

}  // namespace

std::unique_ptr<AnswerReader> AnthropicDialect::reader(const Operation& operation) const {
  return std::make_unique<Reader>(operation.kind);
}

}  // namespace causeway::anthropic
