// Answers of the Responses API → frames. A stream tells each text in pieces and then again, up to
// four times: those are marked as repeats, so that what stages changed stays changed.
#include <algorithm>
#include <string>

#include "dialects/openai/detail/decoding.h"
#include "dialects/openai/responses.h"
#include "platform/http/sse.h"

namespace causeway::openai {
namespace {

using json::each_element, json::each_member, json::is_string, json::text_of;

std::uint32_t number_of(od::value value) { return count_of(value).value_or(0); }

class Reader final : public AnswerReader {
 public:
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
    if (auto parsed = parse(frame, false); !parsed) return pass(std::move(parsed));
    return true;
  }

  Result<void> whole(std::string_view body, Frame& frame) override {
    frame.clear();
    frame.wire = frame.data = body;
    auto parsed = parse(frame, true);
    if (parsed && frame.kind == Frame::Kind::Data) frame.kind = Frame::Kind::End;
    return parsed;
  }

 private:
  Result<void> parse(Frame& frame, bool whole) {
    frame_ = &frame;
    try {
      json::with_parser(frame.data.size(), [&](od::parser& parser) {
        od::document document = parser.iterate(frame.data.data(), frame.data.size(),
                                               frame.data.size() + simdjson::SIMDJSON_PADDING);
        if (whole) {
          read_response(json::take(document.get_object()), false);
        } else {
          read_event(json::take(document.get_object()));
        }
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

  // A text's place; the string is taken, as simdjson needs it.
  ByteRange text_at(od::value value) const {
    const ByteRange range = range_of(value);
    (void)json::string_of(value);
    return range;
  }

  void add_text(ByteRange value, Lane lane, bool repeats, bool last) {
    if (value.end - value.begin <= 2 && !repeats) return;
    Event event;
    event.kind = EventKind::Text;
    event.lane = lane;
    event.value = value;
    event.repeats = repeats;
    event.last = last;
    frame_->events.push_back(event);
  }

  struct Heard {
    std::string type;
    ByteRange delta{}, text{};
    std::uint32_t output = 0, part = 0;
  };

  // What an event says depends on its type, which may stand behind the rest.
  void read_event(od::object object) {
    Heard heard;
    heard.type = text_of(json::take(object["type"]));
    std::uint64_t number = 0;
    json::take(object.reset());
    if (json::look_up(object, "output_index", number)) heard.output = std::uint32_t(number);
    if (json::look_up(object, "content_index", number)) heard.part = std::uint32_t(number);
    if (json::look_up(object, "summary_index", number)) heard.part = std::uint32_t(number);
    each_member(object, [&](std::string_view key, od::value value) { member(key, value, heard); });
    conclude(heard);
  }

  void member(std::string_view key, od::value value, Heard& heard) {
    if (key == "delta" && is_string(value)) {
      heard.delta = text_at(value);
    } else if ((key == "text" || key == "refusal" || key == "arguments") && is_string(value)) {
      heard.text = text_at(value);
    } else if (key == "part") {
      read_part(value, heard.output, heard.part, heard.type.ends_with(".done"));
    } else if (key == "item") {
      read_item(value, heard.output, heard.type.ends_with(".done"));
    } else if (key == "response" && value.type() == od::json_type::object) {
      const bool last = is_last(heard.type);
      read_response(json::take(value.get_object()), true);
      if (!last)
        std::erase_if(frame_->events, [](const Event& e) { return e.kind == EventKind::Stop; });
    }
  }

  static bool is_last(std::string_view type) {
    return type == "response.completed" || type == "response.incomplete";
  }

  static Channel channel_of(std::string_view type) {
    if (type.find("arguments") != type.npos) return Channel::ToolArguments;
    if (type.find("reasoning") != type.npos) return Channel::Reasoning;
    if (type.find("refusal") != type.npos) return Channel::Refusal;
    return Channel::Content;
  }

  void conclude(const Heard& heard) {
    const std::string_view type = heard.type;
    const Lane lane{0, lane_item(heard.output, heard.part), channel_of(type)};
    if (!heard.delta.empty() && type.find("audio") == type.npos) {
      add_text(heard.delta, lane, false, false);
    }
    if (!heard.text.empty() && type.ends_with(".done")) add_text(heard.text, lane, true, true);
    if (type == "error" || type == "response.failed") {
      frame_->kind = Frame::Kind::Error;
    } else if (is_last(type)) {
      frame_->kind = Frame::Kind::End;
    }
    // What only tells that an answer will come is no content yet.
    const bool begins =
        type == "response.created" || type == "response.in_progress" || type == "response.queued";
    told_ |= !begins && !is_last(type);
    frame_->has_content = !begins && told_;
    frame_->more = heard.delta.empty();
  }

  void read_part(od::value part, std::uint32_t output, std::uint32_t index, bool repeats) {
    ByteRange text{};
    Channel channel = Channel::Content;
    each_member(part, [&](std::string_view key, od::value value) {
      if (key == "type") {
        const std::string_view type = text_of(value);
        channel = type == "summary_text" ? Channel::Reasoning : channel_of(type);
      } else if ((key == "text" || key == "refusal") && is_string(value)) {
        text = text_at(value);
      }
    });
    if (!text.empty()) add_text(text, {0, lane_item(output, index), channel}, repeats, true);
  }

  void read_item(od::value item, std::uint32_t output, bool repeats) {
    std::string name;
    bool call = false;
    each_member(item, [&](std::string_view key, od::value value) {
      if (key == "type") {
        call = text_of(value) == "function_call";
      } else if (key == "name") {
        name = text_of(value);
      } else if (key == "arguments" && is_string(value)) {
        add_text(text_at(value), {0, lane_item(output, 0), Channel::ToolArguments}, repeats, true);
      } else if (key == "content" || key == "summary") {
        std::uint32_t index = 0;
        each_element(value, [&](od::value part) { read_part(part, output, index++, repeats); });
      }
    });
    calls_ |= call;
    if (!call || repeats) return;
    Event event;
    event.kind = EventKind::ToolCall;
    event.lane = {0, lane_item(output, 0), Channel::ToolArguments};
    frame_->events.push_back(event);
  }

  void read_response(od::object response, bool streamed) {
    Stop stop = Stop::None;
    std::string status, why;
    each_member(response, [&](std::string_view key, od::value value) {
      if (key == "status") {
        status = text_of(value);
      } else if (key == "incomplete_details") {
        each_member(value, [&](std::string_view inner, od::value one) {
          if (inner == "reason") why = text_of(one);
        });
      } else if (key == "output") {
        std::uint32_t output = 0;
        each_element(value, [&](od::value item) { read_item(item, output++, streamed); });
        told_ |= output > 0;
        frame_->has_content = true;
      } else if (key == "usage") {
        read_usage(value);
      } else if (key == "id") {
        frame_->id = range_of(value);
      } else if (key == "model") {
        frame_->model = range_of(value);
      } else if (key == "error" && !json::is_null(value) && !streamed) {
        frame_->kind = Frame::Kind::Error;
      }
    });
    // A stream that is complete with nothing in it has not said that it is.
    if (status == "completed" && (told_ || !streamed)) stop = calls_ ? Stop::Tools : Stop::Done;
    if (status == "incomplete") {
      stop = why == "max_output_tokens" ? Stop::Length
             : why == "content_filter"  ? Stop::Filtered
                                        : Stop::Unknown;
    }
    if (stop == Stop::None) return;
    Event event;
    event.kind = EventKind::Stop;
    event.stop = stop;
    frame_->events.push_back(event);
  }

  void read_usage(od::value value) {
    if (value.type() != od::json_type::object) return;
    Usage usage;
    usage.source = UsageSource::Reported;
    std::uint32_t input = 0, output = 0;
    frame_->usage_at = range_of(value).begin + 1;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "input_tokens") {
        input = number_of(member);
      } else if (key == "output_tokens") {
        output = number_of(member);
      } else if (key == "cost") {
        frame_->usage_at = 0;
      } else {
        each_member(member, [&](std::string_view inner, od::value one) {
          if (inner == "cached_tokens") usage.cache_read = number_of(one);
          if (inner == "cache_write_tokens") usage.cache_write = number_of(one);
          if (inner == "reasoning_tokens") usage.reasoning = number_of(one);
        });
      }
    });
    usage.input_uncached = input - std::min(input, usage.cache_read + usage.cache_write);
    usage.output_visible = output - std::min(output, usage.reasoning);
    frame_->usage = usage;
    Event event;
    event.kind = EventKind::Usage;
    event.usage = &frame_->usage;
    frame_->events.push_back(event);
  }

  http::SseReader sse_;
  Frame* frame_ = nullptr;
  bool calls_ = false;
  bool told_ = false;  // there was an item, or a part of one
};

}  // namespace

std::unique_ptr<AnswerReader> ResponsesDialect::reader(const Operation&) const {
  return std::make_unique<Reader>();
}

}  // namespace causeway::openai
