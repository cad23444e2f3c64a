// Frames → the Anthropic form. A frame that came in this dialect and was not edited passes as it
// is; edited texts are spliced into its JSON.
#include "core/editing_writer.h"
#include "dialects/anthropic/dialect.h"
#include "platform/text/json_writer.h"

namespace causeway::anthropic {
namespace {

class Writer final : public EditingWriter {
 public:
  Writer(const Dialect& dialect, WriterSettings settings)
      : EditingWriter(always_with_usage(settings), ""), dialect_(dialect) {}

  void text(const Lane& lane, std::string_view text, Bytes& out) override {
    std::string wire = "event: content_block_delta\ndata: ";
    text::JsonWriter json(wire);
    json.begin_object().field("type", "content_block_delta").field("index", lane.item);
    json.key("delta").begin_object();
    switch (lane.channel) {
      case Channel::Reasoning:
        json.field("type", "thinking_delta").field("thinking", text);
        break;
      case Channel::ToolArguments:
        json.field("type", "input_json_delta").field("partial_json", text);
        break;
      default:
        json.field("type", "text_delta").field("text", text);
    }
    json.end_object().end_object();
    out.own(wire + "\n\n");
  }

  void error(const Error& error, std::string_view request_id, Bytes& out) override {
    out.own("event: error\ndata: " + dialect_.error_body(error, request_id) + "\n\n");
  }

  std::string_view heartbeat() const override {
    return "event: ping\ndata: {\"type\":\"ping\"}\n\n";
  }

 private:
  static WriterSettings always_with_usage(WriterSettings settings) {
    settings.usage_wanted = true;
    return settings;
  }
  void remember(const Frame&) override {}  // a delta needs nothing of the frames before it

  const Dialect& dialect_;
};

}  // namespace

std::unique_ptr<AnswerWriter> AnthropicDialect::writer(const Operation&,
                                                       WriterSettings settings) const {
  return std::make_unique<Writer>(*this, settings);
}

}  // namespace causeway::anthropic
