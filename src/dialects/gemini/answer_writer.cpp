// Frames of Gemini's dialect → bytes for the application.
#include "core/editing_writer.h"
#include "dialects/gemini/dialect.h"
#include "platform/text/json_writer.h"

namespace causeway::gemini {
namespace {

class Writer final : public EditingWriter {
 public:
  Writer(const Dialect& dialect, WriterSettings settings)
      : EditingWriter(settings, {}), dialect_(dialect) {
    settings_.usage_wanted = true;  // this dialect always tells it
  }

  void frame(const Frame& frame, Bytes& out) override {
    // The end of the stream has no bytes of its own.
    if (!frame.wire.empty()) EditingWriter::frame(frame, out);
  }

  void text(const Lane& lane, std::string_view text, Bytes& out) override {
    std::string wire = "data: ";
    text::JsonWriter json(wire);
    json.begin_object().key("candidates").begin_array().begin_object();
    json.key("content").begin_object().key("parts").begin_array().begin_object();
    json.field("text", text);
    if (lane.channel == Channel::Reasoning) json.field("thought", true);
    json.end_object().end_array().field("role", "model").end_object();
    json.field("index", lane.choice).end_object().end_array();
    json.key("modelVersion").raw(model_).key("responseId").raw(id_).end_object();
    out.own(wire + "\n\n");
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
    copy(frame.model, model_);
  }

  const Dialect& dialect_;
  std::string id_ = "\"\"", model_ = "\"\"";
};

}  // namespace

std::unique_ptr<AnswerWriter> GeminiDialect::writer(const Operation&,
                                                    WriterSettings settings) const {
  return std::make_unique<Writer>(*this, settings);
}

}  // namespace causeway::gemini
