#include "dialects/openai/answer_writer.h"

#include "core/editing_writer.h"

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

class Writer final : public EditingWriter {
 public:
  Writer(const Dialect& dialect, OperationKind kind, WriterSettings settings)
      : EditingWriter(settings, "null"), dialect_(dialect), kind_(kind) {}

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

 private:
  void remember(const Frame& frame) override {
    const auto copy = [&](ByteRange range, std::string& to) {
      if (!range.empty()) to = frame.data.substr(range.begin, range.end - range.begin);
    };
    copy(frame.id, id_);
    copy(frame.created, created_);
    copy(frame.model, model_);
  }

  const Dialect& dialect_;
  OperationKind kind_;
  std::string id_ = "\"\"", created_ = "0", model_ = "\"\"";
};

}  // namespace

std::unique_ptr<AnswerWriter> make_answer_writer(const Dialect& dialect, const Operation& operation,
                                                 WriterSettings settings) {
  return std::make_unique<Writer>(dialect, operation.kind, settings);
}

}  // namespace causeway::openai
