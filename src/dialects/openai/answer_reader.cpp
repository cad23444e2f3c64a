#include "dialects/openai/answer_reader.h"

#include "dialects/openai/words.h"
#include "platform/http/sse.h"
#include "platform/json/on_demand.h"

namespace causeway::openai {
namespace {

namespace od = simdjson::ondemand;
using json::key_of, json::string_of, json::take, json::with_parser;

// A number that is missing, null or out of range is 0: usage is never a reason to fail an answer.
std::uint32_t count(od::value value) {
  std::uint64_t number = 0;
  if (value.type() != od::json_type::number || value.get_uint64().get(number)) return 0;
  if (number > 0xFFFFFFFFu) return 0;
  return static_cast<std::uint32_t>(number);
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
    if (event.data == "[DONE]") {
      frame.kind = Frame::Kind::End;
      return true;
    }
    if (auto parsed = parse(frame); !parsed) return pass(std::move(parsed));
    return true;
  }

  Result<void> whole(std::string_view body, Frame& frame) override {
    frame.clear();
    frame.wire = frame.data = body;
    whole_ = true;
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
    frame.events.reserve(4);  // text, stop, usage: the usual answer
    try {
      with_parser(frame.data.size(), [&](od::parser& parser) {
        od::document document = parser.iterate(frame.data.data(), frame.data.size(),
                                               frame.data.size() + simdjson::SIMDJSON_PADDING);
        read_answer(document);
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
    while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' ||
                              token.back() == '\t')) {
      token.remove_suffix(1);
    }
    const auto begin = static_cast<std::uint32_t>(token.data() - frame_->data.data());
    return {begin, begin + static_cast<std::uint32_t>(token.size())};
  }

  void read_answer(od::document& document) {
    bool has_choices = false, empty_choices = false, has_usage = false;
    od::object object = document.get_object();
    for (auto result : object) {
      od::field field = take(std::move(result));
      const std::string_view key = key_of(field);
      od::value value = field.value();
      if (key == "choices") {
        has_choices = true;
        empty_choices = !read_choices(value);
      } else if (key == "usage") {
        has_usage = read_usage(value);
      } else if (key == "id") {
        frame_->id = range(value.raw_json_token());
      } else if (key == "created") {
        frame_->created = range(value.raw_json_token());
      } else if (key == "model") {
        frame_->model = range(value.raw_json_token());
      } else if (key == "system_fingerprint") {
        frame_->fingerprint = range(value.raw_json_token());
      } else if (key == "error" && value.type() != od::json_type::null) {
        frame_->kind = Frame::Kind::Error;
      } else if (key == "prompt_filter_results" && whole_) {
        frame_->has_content = true;  // Azure's, of a prompt that was filtered: there is no choice
      } else if ((key == "data" && kind_ == OperationKind::Embeddings) ||
                 (key == "results" && kind_ == OperationKind::Moderation)) {
        frame_->has_content |= json::has_elements(value);
      }
    }
    frame_->usage_only = has_usage && has_choices && empty_choices;
    if (has_usage) {
      Event event;
      event.kind = EventKind::Usage;
      event.usage = &frame_->usage;
      frame_->events.push_back(event);
    }
  }

  bool read_choices(od::value value) {
    if (value.type() != od::json_type::array) return false;
    bool any = false;
    std::uint16_t position = 0;
    od::array array = value.get_array();
    for (auto element : array) {
      any = true;
      read_choice(take(std::move(element)), position++);
    }
    return any;
  }

  // The choice's index may stand behind its contents: events get it at the end.
  void read_choice(od::value choice, std::uint16_t position) {
    const std::size_t first = frame_->events.size();
    std::uint32_t index = position;
    std::string_view reason;
    od::object object = choice.get_object();
    for (auto result : object) {
      od::field field = take(std::move(result));
      const std::string_view key = key_of(field);
      od::value value = field.value();
      if (key == "delta" || key == "message") {
        if (value.type() != od::json_type::object) continue;
        frame_->has_content |= key == "message";  // an answer, be it of no words
        read_message(value);
      } else if (key == "text") {
        frame_->has_content |= whole_;
        add_text(value, Channel::Content, 0);
      } else if (key == "finish_reason") {
        if (value.type() == od::json_type::string) reason = string_of(value);
      } else if (key == "index") {
        index = count(value);
      } else if (key == "logprobs") {
        frame_->has_logprobs |= value.type() == od::json_type::object;
      }
    }
    if (!reason.empty()) {
      Event stop;
      stop.kind = EventKind::Stop;
      stop.stop = stop_of(reason);
      stop.raw = reason;
      frame_->events.push_back(stop);
    }
    for (std::size_t i = first; i < frame_->events.size(); ++i) {
      frame_->events[i].lane.choice = static_cast<std::uint16_t>(index);
      frame_->events[i].last |= !reason.empty();
    }
  }

  void read_message(od::value message) {
    od::object object = message.get_object();
    for (auto result : object) {
      od::field field = take(std::move(result));
      const std::string_view key = key_of(field);
      od::value value = field.value();
      if (key == "content") {
        add_text(value, Channel::Content, 0);
      } else if (key == "refusal") {
        add_text(value, Channel::Refusal, 0);
      } else if (key == "reasoning_content" || key == "reasoning") {
        add_text(value, Channel::Reasoning, 0);
      } else if (key == "tool_calls") {
        read_tool_calls(value);
      } else if (key == "function_call") {
        if (value.type() == od::json_type::object) read_function(value, 0);
      } else {
        frame_->more = true;
        if (key == "audio" && value.type() == od::json_type::object) frame_->has_content = true;
      }
    }
  }

  void read_tool_calls(od::value value) {
    if (value.type() != od::json_type::array) return;
    std::uint16_t position = 0;
    od::array array = value.get_array();
    for (auto element : array) {
      const std::size_t first = frame_->events.size();
      std::uint32_t index = position++;
      od::value one = take(std::move(element));
      od::object call = one.get_object();
      for (auto result : call) {
        od::field field = take(std::move(result));
        const std::string_view key = key_of(field);
        od::value member = field.value();
        if (key == "index") {
          index = count(member);
        } else if ((key == "function" || key == "custom") &&
                   member.type() == od::json_type::object) {
          read_function(member, 0);
        }
      }
      for (std::size_t i = first; i < frame_->events.size(); ++i) {
        frame_->events[i].lane.item = static_cast<std::uint16_t>(index);
      }
    }
  }

  void read_function(od::value value, std::uint16_t item) {
    od::object function = value.get_object();
    for (auto result : function) {
      od::field field = take(std::move(result));
      const std::string_view key = key_of(field);
      od::value member = field.value();
      if (key == "name") {
        if (member.type() != od::json_type::string) continue;
        Event event;
        event.kind = EventKind::ToolCall;
        event.raw = string_of(member);
        event.lane = {0, item, Channel::ToolArguments};
        if (event.raw.empty()) continue;
        frame_->events.push_back(event);
        frame_->has_content = true;
      } else if (key == "arguments" || key == "input") {
        add_text(member, Channel::ToolArguments, item);
      }
    }
  }

  // An empty text tells nothing and makes no event.
  void add_text(od::value value, Channel channel, std::uint16_t item) {
    if (value.type() != od::json_type::string) return;
    const ByteRange text = range(value.raw_json_token());
    if (text.end - text.begin <= 2) return;
    Event event;
    event.kind = EventKind::Text;
    event.lane = {0, item, channel};
    event.value = text;
    frame_->events.push_back(event);
    frame_->has_content = true;
  }

  // OpenAI's sums include their parts: prompt_tokens has the cached ones in it, completion_tokens
  // the reasoning ones.
  bool read_usage(od::value value) {
    if (value.type() != od::json_type::object) return false;
    Usage usage;
    usage.source = UsageSource::Reported;
    std::uint32_t prompt = 0, completion = 0;
    frame_->usage_at = range(value.raw_json_token()).begin + 1;
    od::object object = value.get_object();
    for (auto result : object) {
      od::field field = take(std::move(result));
      const std::string_view key = key_of(field);
      if (key == "prompt_tokens") {
        prompt = count(field.value());
      } else if (key == "completion_tokens") {
        completion = count(field.value());
      } else if (key == "prompt_tokens_details") {
        read_details(field.value(), usage, usage.audio_in);
      } else if (key == "completion_tokens_details") {
        read_details(field.value(), usage, usage.audio_out);
      } else if (key == "cost") {
        frame_->usage_at = 0;
      }
    }
    usage.input_uncached = prompt - std::min(prompt, usage.cache_read + usage.cache_write);
    usage.output_visible = completion - std::min(completion, usage.reasoning);
    frame_->usage = usage;
    return true;
  }

  static void read_details(od::value value, Usage& usage, std::uint32_t& audio) {
    if (value.type() != od::json_type::object) return;
    od::object object = value.get_object();
    for (auto result : object) {
      od::field field = take(std::move(result));
      const std::string_view key = key_of(field);
      if (key == "cached_tokens") {
        usage.cache_read = count(field.value());
      } else if (key == "cache_write_tokens" || key == "cache_creation_tokens") {
        usage.cache_write = count(field.value());
      } else if (key == "reasoning_tokens") {
        usage.reasoning = count(field.value());
      } else if (key == "audio_tokens") {
        audio = count(field.value());
      }
    }
  }

  OperationKind kind_;
  bool whole_ = false;
  http::SseReader sse_;
  Frame* frame_ = nullptr;
};

}  // namespace

std::unique_ptr<AnswerReader> make_answer_reader(const Operation& operation) {
  return std::make_unique<Reader>(operation.kind);
}

}  // namespace causeway::openai
