// Frames of the Responses API → bytes for the application.
#include <map>

#include "core/editing_writer.h"
#include "core/error.h"
#include "dialects/openai/detail/decoding.h"
#include "dialects/openai/responses.h"
#include "platform/text/json_writer.h"

namespace causeway::openai {
namespace {

class Writer final : public EditingWriter {
 public:
  explicit Writer(WriterSettings settings) : EditingWriter(settings, "[]") {
    settings_.usage_wanted = true;  // this dialect always tells it
  }

  // Held text goes out as a delta of its own, with the number of the event before it.
  void text(const Lane& lane, std::string_view text, Bytes& out) override {
    const std::string type =
        lane.channel == Channel::ToolArguments ? "response.function_call_arguments.delta"
        : lane.channel == Channel::Reasoning   ? "response.reasoning_summary_text.delta"
        : lane.channel == Channel::Refusal     ? "response.refusal.delta"
                                               : "response.output_text.delta";
    std::string wire = "event: " + type + "\ndata: ";
    text::JsonWriter json(wire);
    json.begin_object().field("type", type).field("sequence_number", sequence_);
    json.field("item_id", items_[lane.item >> 4]).field("output_index", lane.item >> 4);
    if (lane.channel == Channel::Reasoning) {
      json.field("summary_index", lane.item & 15);
    } else if (lane.channel != Channel::ToolArguments) {
      json.field("content_index", lane.item & 15);
    }
    json.field("delta", text);
    if (lane.channel == Channel::Content) json.key("logprobs").begin_array().end_array();
    json.end_object();
    out.own(wire + "\n\n");
  }

  void error(const Error& error, std::string_view request_id, Bytes& out) override {
    std::string wire = "event: error\ndata: ";
    text::JsonWriter json(wire);
    json.begin_object().field("type", "error").field("sequence_number", sequence_ + 1);
    json.field("code", error_code(error));
    json.field("message", error.message.empty() ? "The request failed." : error.message);
    json.key("param");
    if (error.param.empty()) {
      json.null();
    } else {
      json.string(error.param);
    }
    if (!request_id.empty()) json.field("request_id", request_id);
    json.end_object();
    out.own(wire + "\n\n");
  }

 private:
  // Which item stands at which place, and the number of the last event.
  void remember(const Frame& frame) override {
    if (frame.kind == Frame::Kind::Ignored) return;
    try {
      json::with_parser(frame.data.size(), [&](od::parser& parser) {
        od::document document = parser.iterate(frame.data.data(), frame.data.size(),
                                               frame.data.size() + simdjson::SIMDJSON_PADDING);
        read(json::take(document.get_object()));
      });
    } catch (const simdjson::simdjson_error&) {
      // The reader has read it; what is not there is not needed.
    }
  }

  void read(od::object object) {
    std::uint32_t output = 0;
    std::string id;
    json::each_member(object, [&](std::string_view key, od::value value) {
      if (key == "sequence_number") {
        sequence_ = count_of(value).value_or(0);
      } else if (key == "output_index") {
        output = count_of(value).value_or(0);
      } else if (key == "item_id") {
        id = json::text_of(value);
      } else if (key == "item") {
        json::each_member(value, [&](std::string_view inner, od::value one) {
          if (inner == "id") id = json::text_of(one);
        });
      }
    });
    if (!id.empty() && output < kMostItems) items_[output] = id;
  }

  static constexpr std::uint32_t kMostItems = 4096;
  std::map<std::uint32_t, std::string> items_;
  std::uint32_t sequence_ = 0;
};

}  // namespace

std::unique_ptr<AnswerWriter> ResponsesDialect::writer(const Operation&,
                                                       WriterSettings settings) const {
  return std::make_unique<Writer>(settings);
}

}  // namespace causeway::openai
