// A chat completion's answer → neutral events.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "dialects/openai/dialect.h"
#include "dialects/openai/words.h"
#include "platform/http/sse.h"
#include "platform/json/on_demand.h"

namespace causeway::openai {
namespace {

namespace od = simdjson::ondemand;
using json::each_element, json::each_member, json::integer_of, json::raw_of, json::text_of;

constexpr std::size_t kMostCalls = 1024;    // of one answer; each is compared with those before it
constexpr std::int64_t kMostChoices = 128;  // what OpenAI allows

std::unexpected<Error> broken(std::string message, std::string code, std::string detail = {}) {
  auto result =
      fail(ErrorKind::UpstreamBroken, Origin::Upstream, std::move(message), std::move(code));
  result.error().retryable = true;
  result.error().detail = std::move(detail);
  return result;
}

std::uint32_t count_of(od::value value) {
  const auto number = integer_of(value);
  if (!number || *number < 0 || *number > 0xFFFFFFFF) return 0;
  return static_cast<std::uint32_t>(*number);
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
      if (event.data.empty() || ended_) continue;
      if (event.data == "[DONE]") {
        if (!has_choice_) return no_choice({});
        end(sink);
      } else if (auto read = parse(event.data, sink); !read) {
        return read;
      }
    }
  }

  Result<void> finish(ChatSink&) override {
    if (ended_) return {};
    return broken("The provider's answer was cut before its end.", "upstream_cut");
  }

  std::size_t kept() const override { return sse_.kept(); }

  Result<void> whole(std::string_view body, ChatSink& sink) override {
    if (auto read = parse(body, sink); !read) return read;
    if (!has_choice_) return no_choice(body.substr(0, 200));
    end(sink);
    return {};
  }

 private:
  static std::unexpected<Error> no_choice(std::string_view said) {
    return broken("The provider's answer has no choices.", "unexpected_answer", std::string(said));
  }

  void end(ChatSink& sink) {
    ChatEvent event;
    event.kind = ChatEvent::Kind::End;
    sink.event(event);
    ended_ = true;
  }

  Result<void> parse(std::string_view text, ChatSink& sink) {
    sink_ = &sink;
    has_error_ = false;
    try {
      json::with_parser(text.size(), [&](od::parser& parser) {
        od::document document =
            parser.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING);
        read_answer(json::take(document.get_object()));
      });
    } catch (const simdjson::simdjson_error& bad) {
      return broken("The provider's answer is not what its protocol says.", "upstream_broken",
                    std::string("JSON: ") + bad.what());
    }
    if (!has_error_) {
      if (!out_of_bounds_) return {};
      return broken("The provider's answer has more choices or tool calls than one can have.",
                    "unexpected_answer");
    }
    Error error = dialect_.classify(500, {}, text);
    error.upstream_status = 200;
    error.retryable = true;
    return std::unexpected(std::move(error));
  }

  // The identity stands before the choices in every known server's answer; where it does not, the
  // answer goes out without it.
  void read_answer(od::object answer) {
    for (auto result : answer) {
      od::field field = json::take(std::move(result));
      const std::string_view key = json::key_of(field);
      od::value value = field.value();
      if (key == "id") {
        if (id_.empty()) id_ = text_of(value);
      } else if (key == "model") {
        if (model_.empty()) model_ = text_of(value);
      } else if (key == "created") {
        if (created_ == 0) created_ = integer_of(value).value_or(0);
      } else if (key == "choices") {
        each_element(value, [this](od::value choice) { read_choice(choice); });
      } else if (key == "usage") {
        read_usage(value);
      } else if (key == "error") {
        has_error_ = !json::is_null(value);
      }
    }
  }

  void begin() {
    if (std::exchange(begun_, true)) return;
    ChatEvent event;
    event.kind = ChatEvent::Kind::Begin;
    event.id = id_;
    event.name = model_;
    event.created = created_;
    sink_->event(event);
  }

  // The choice's index may stand behind its contents, so it is looked for first.
  void read_choice(od::value choice) {
    has_choice_ = true;
    begin();
    choice_ = 0;
    std::int64_t index = 0;
    od::object object = json::take(choice.get_object());
    od::value place;
    const auto looked = object["index"].get(place);
    if (looked && looked != simdjson::NO_SUCH_FIELD) throw simdjson::simdjson_error(looked);
    if (!looked) index = json::is_null(place) ? 0 : integer_of(place).value_or(-1);
    if (index < 0 || index >= kMostChoices) {
      out_of_bounds_ = true;
      return;
    }
    choice_ = static_cast<std::uint16_t>(index);
    std::string reason;
    json::take(object.reset());
    each_member(object, [&](std::string_view key, od::value value) {
      if (key == "delta" || key == "message") {
        read_message(value);
      } else if (key == "finish_reason") {
        reason = text_of(value);
      }
    });
    if (reason.empty()) return;
    ChatEvent stop;
    stop.kind = ChatEvent::Kind::Stop;
    stop.lane.choice = choice_;
    stop.stop = stop_of(reason);
    stop.raw = reason;
    sink_->event(stop);
  }

  void read_message(od::value message) {
    each_member(message, [&](std::string_view key, od::value value) {
      if (key == "content") {
        text(Channel::Content, 0, text_of(value));
      } else if (key == "reasoning_content" || key == "reasoning") {
        text(Channel::Reasoning, 0, text_of(value));
      } else if (key == "refusal") {
        text(Channel::Refusal, 0, text_of(value));
      } else if (key == "tool_calls") {
        each_element(value, [this](od::value call) { read_call(call); });
      } else if (key == "function_call") {
        read_call_of({}, value);
      } else if (key == "reasoning_details") {
        each_element(value, [this](od::value detail) { read_detail(detail); });
      } else if (key == "annotations") {
        each_element(value, [this](od::value note) { read_annotation(note); });
      }
    });
  }

  void text(Channel channel, std::uint16_t item, std::string_view piece) {
    if (piece.empty()) return;
    ChatEvent event;
    event.kind = ChatEvent::Kind::Text;
    event.lane = {choice_, item, channel};
    event.text = piece;
    sink_->event(event);
  }

  void seal(Lane lane, std::string_view dialect, std::string_view value, bool hidden = false) {
    ChatEvent event;
    event.hidden = hidden;
    event.kind = ChatEvent::Kind::Seal;
    event.lane = lane;
    event.dialect = dialect;
    event.text = value;
    sink_->event(event);
  }

  void read_annotation(od::value note) {
    ChatEvent event;
    event.kind = ChatEvent::Kind::Citation;
    event.lane = {choice_, 0, Channel::Content};
    event.dialect = "openai";
    const std::string line = in_one_line(raw_of(note));
    event.text = line;
    sink_->event(event);
  }

  void read_detail(od::value detail) {
    std::string signature, format;
    bool hidden = false;
    each_member(detail, [&](std::string_view key, od::value value) {
      if (key == "signature" || key == "data") {
        signature = text_of(value);
        hidden = key == "data";
      }
      if (key == "format") format = text_of(value);
    });
    if (!signature.empty()) seal({choice_, 0, Channel::Reasoning}, format, signature, hidden);
  }

  /// What is known of a call in this choice. Some servers leave the index out, or give each call 0.
  struct Call {
    std::uint16_t choice;
    std::uint32_t index;
    std::string id;
  };

  std::uint16_t item_of(std::uint32_t index, std::string_view id) {
    std::uint16_t item = 0, last = 0;
    bool found = false;
    for (const auto& call : calls_) {
      if (call.choice != choice_) continue;
      if (call.index == index && (id.empty() || call.id == id)) {
        last = item;
        found = true;
      }
      ++item;
    }
    if (found) return last;
    if (calls_.size() >= kMostCalls) {
      out_of_bounds_ = true;
      return item;
    }
    calls_.push_back({choice_, index, std::string(id)});
    return item;
  }

  void read_call(od::value call) {
    std::string id, name, arguments, sealed;
    std::uint32_t index = 0;
    each_member(call, [&](std::string_view key, od::value value) {
      if (key == "index") {
        index = count_of(value);
      } else if (key == "id") {
        id = text_of(value);
      } else if (key == "function") {
        read_function(value, name, arguments);
      } else if (key == "extra_content") {
        each_member(value, [&](std::string_view, od::value inner) {
          each_member(inner, [&](std::string_view what, od::value one) {
            if (what == "thought_signature") sealed = text_of(one);
          });
        });
      }
    });
    tell_call(index, id, name, arguments);
    if (!sealed.empty()) {
      seal({choice_, item_of(index, id), Channel::ToolArguments}, "gemini", sealed);
    }
  }

  void read_call_of(std::string id, od::value function) {
    if (json::is_null(function)) return;
    std::string name, arguments;
    read_function(function, name, arguments);
    tell_call(0, id, name, arguments);
  }

  static void read_function(od::value function, std::string& name, std::string& arguments) {
    each_member(function, [&](std::string_view key, od::value value) {
      if (key == "name") name = text_of(value);
      if (key == "arguments") arguments = text_of(value);
    });
  }

  void tell_call(std::uint32_t index, const std::string& id, const std::string& name,
                 const std::string& arguments) {
    if (out_of_bounds_) return;
    const std::size_t known = calls_.size();
    const std::uint16_t item = item_of(index, id);
    if (calls_.size() > known) {
      ChatEvent event;
      event.kind = ChatEvent::Kind::ToolCall;
      event.lane = {choice_, item, Channel::ToolArguments};
      event.id = id;
      event.name = name;
      sink_->event(event);
    }
    text(Channel::ToolArguments, item, arguments);
  }

  void read_usage(od::value value) {
    if (json::is_null(value)) return;
    begin();
    usage_ = {};
    usage_.source = UsageSource::Reported;
    std::uint32_t prompt = 0, completion = 0;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "prompt_tokens") {
        prompt = count_of(member);
      } else if (key == "completion_tokens") {
        completion = count_of(member);
      } else if (key == "prompt_tokens_details") {
        read_details(member, usage_.audio_in);
      } else if (key == "completion_tokens_details") {
        read_details(member, usage_.audio_out);
      }
    });
    usage_.input_uncached = prompt - std::min(prompt, usage_.cache_read + usage_.cache_write);
    usage_.output_visible = completion - std::min(completion, usage_.reasoning);
    ChatEvent event;
    event.kind = ChatEvent::Kind::Usage;
    event.usage = &usage_;
    sink_->event(event);
  }

  void read_details(od::value value, std::uint32_t& audio) {
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "cached_tokens") {
        usage_.cache_read = count_of(member);
      } else if (key == "cache_write_tokens" || key == "cache_creation_tokens") {
        usage_.cache_write = count_of(member);
      } else if (key == "reasoning_tokens") {
        usage_.reasoning = count_of(member);
      } else if (key == "audio_tokens") {
        audio = count_of(member);
      }
    });
  }

  const Dialect& dialect_;
  http::SseReader sse_;
  ChatSink* sink_ = nullptr;
  std::string id_, model_;
  std::int64_t created_ = 0;
  std::uint16_t choice_ = 0;
  std::vector<Call> calls_;
  Usage usage_;
  bool begun_ = false, ended_ = false, has_choice_ = false, has_error_ = false;
  bool out_of_bounds_ = false;
};

}  // namespace

std::unique_ptr<EventDecoder> OpenAiDialect::decoder(bool) const {
  return std::make_unique<Decoder>(*this);
}

}  // namespace causeway::openai
