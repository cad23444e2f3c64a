#include "dialects/openai/answer_writer.h"

#include <algorithm>

#include "platform/text/number.h"

namespace causeway::openai {
namespace {

std::string_view delta_key(Channel channel) {
  switch (channel) {
    case Channel::Reasoning:
      return "reasoning_content";
    case Channel::Refusal:
      return "refusal";
    default:
      return "content";
  }
}

class Writer final : public AnswerWriter {
 public:
  Writer(const Dialect& dialect, OperationKind kind, WriterSettings settings)
      : dialect_(dialect), kind_(kind), settings_(settings) {}

  void frame(const Frame& frame, Bytes& out) override {
    if (frame.usage_only && !settings_.usage_wanted) return;
    if (settings_.may_edit) remember(frame);
    if (frame.swallowed) return;
    if (frame.usage_at && !cost_.empty()) return frame_with_cost(frame, out);
    if (frame.released.empty()) {
      out.view(frame.wire);
    } else if (frame.wire.data() == frame.data.data()) {
      out.own(spliced(frame));
    } else {
      out.own(event_of(spliced(frame)));
    }
  }

  void cost(std::int64_t micros) override {
    if (!settings_.usage_wanted) return;
    cost_ = R"("cost":)";
    text::append_money(cost_, micros);
  }

  void text(const Lane& lane, std::string_view text, Bytes& out) override {
    std::string json = R"({"id":)" + id_;
    const bool chat = kind_ == OperationKind::Chat;
    json += chat ? R"(,"object":"chat.completion.chunk","created":)"
                 : R"(,"object":"text_completion","created":)";
    json += created_ + R"(,"model":)" + model_;
    json += R"(,"choices":[{"index":)" + std::to_string(lane.choice);
    if (!chat) {
      json += R"(,"text":)" + encode_json_string(text);
    } else if (lane.channel == Channel::ToolArguments) {
      json += R"(,"delta":{"tool_calls":[{"index":)" + std::to_string(lane.item) +
              R"(,"function":{"arguments":)" + encode_json_string(text) + "}}]}";
    } else {
      json += R"(,"delta":{")";
      json += delta_key(lane.channel);
      json += "\":" + encode_json_string(text) + "}";
    }
    json += R"(,"logprobs":null,"finish_reason":null}]})";
    out.own("data: " + json + "\n\n");
  }

  void error(const Error& error, std::string_view request_id, Bytes& out) override {
    out.own("data: " + dialect_.error_body(error, request_id) + "\n\n");
  }

  std::string_view heartbeat() const override { return ": waiting\n\n"; }
  std::string_view content_type() const override { return "text/event-stream; charset=utf-8"; }

 private:
  void remember(const Frame& frame) {
    const auto copy = [&](ByteRange range, std::string& to) {
      if (!range.empty()) to = frame.data.substr(range.begin, range.end - range.begin);
    };
    copy(frame.id, id_);
    copy(frame.created, created_);
    copy(frame.model, model_);
  }

  // Data that came in several lines has line feeds between its tokens, where a blank does as well.
  static std::string event_of(std::string json) {
    std::replace(json.begin(), json.end(), '\n', ' ');
    return "data: " + json + "\n\n";
  }

  // The frame's JSON with each text replaced by what was released of it. Log probabilities belong
  // to the tokens as the model made them: where text changed they no longer fit and become null.
  std::string spliced(const Frame& frame) const {
    std::string json;
    std::size_t at = 0, text = 0;
    for (const auto& event : frame.events) {
      if (event.kind != EventKind::Text) continue;
      append_data(frame, at, event.value.begin, json);
      json += encode_json_string(frame.released[text++]);
      at = event.value.end;
    }
    append_data(frame, at, frame.data.size(), json);
    drop_logprobs(json);
    return json;
  }

  // The cost becomes the first member of the usage object; nothing else of the frame changes.
  [[gnu::cold]] void frame_with_cost(const Frame& frame, Bytes& out) const {
    const char* begin = frame.data.data();
    const char* end = frame.wire.data() + frame.wire.size();
    if (!frame.released.empty()) return out.own(event_of(spliced(frame)));
    if (begin < frame.wire.data() || begin >= end) {  // data of several lines, joined
      std::string json;
      append_data(frame, 0, frame.data.size(), json);
      return out.own(event_of(std::move(json)));
    }
    const std::size_t at = static_cast<std::size_t>(begin - frame.wire.data()) + frame.usage_at;
    out.view(frame.wire.substr(0, at));
    out.own(cost_member(frame));
    out.view(frame.wire.substr(at));
  }

  std::string cost_member(const Frame& frame) const {
    const auto next = frame.data.find_first_not_of(" \t\r\n", frame.usage_at);
    return cost_ + (frame.data[next] == '}' ? "" : ",");
  }

  // data[begin, end), with the cost where it belongs in there.
  void append_data(const Frame& frame, std::size_t begin, std::size_t end,
                   std::string& json) const {
    const std::size_t at = frame.usage_at;
    const bool here = !cost_.empty() && at > begin && at <= end;
    if (here) json.append(frame.data, begin, at - begin).append(cost_member(frame));
    const std::size_t rest = here ? at : begin;
    json.append(frame.data, rest, end - rest);
  }

  static void drop_logprobs(std::string& json);

  const Dialect& dialect_;
  OperationKind kind_;
  WriterSettings settings_;
  std::string cost_;  // as a member; empty = not known or not asked for
  std::string id_ = "\"\"", created_ = "0", model_ = "\"\"";
};

// Finds `"logprobs":` outside strings and replaces an object behind it by null.
void Writer::drop_logprobs(std::string& json) {
  constexpr std::string_view kName = "\"logprobs\"";
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    if (c != '"') continue;
    if (json.compare(i, kName.size(), kName) != 0) {
      in_string = true;
      continue;
    }
    std::size_t value = json.find_first_not_of(" \t\r\n", i + kName.size());
    if (value == std::string::npos || json[value] != ':') {
      in_string = true;
      continue;
    }
    value = json.find_first_not_of(" \t\r\n", value + 1);
    if (value == std::string::npos || (json[value] != '{' && json[value] != '[')) {
      i += kName.size() - 1;
      continue;
    }
    std::size_t end = value;
    int depth = 0;
    bool quoted = false;
    for (; end < json.size(); ++end) {
      const char d = json[end];
      if (quoted) {
        if (d == '\\') {
          ++end;
        } else if (d == '"') {
          quoted = false;
        }
      } else if (d == '"') {
        quoted = true;
      } else if (d == '{' || d == '[') {
        ++depth;
      } else if ((d == '}' || d == ']') && --depth == 0) {
        break;
      }
    }
    json.replace(value, end + 1 - value, "null");
    i = value + 3;
  }
}

}  // namespace

std::unique_ptr<AnswerWriter> make_answer_writer(const Dialect& dialect, const Operation& operation,
                                                 WriterSettings settings) {
  return std::make_unique<Writer>(dialect, operation.kind, settings);
}

}  // namespace causeway::openai
