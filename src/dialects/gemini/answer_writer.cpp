// Frames → Gemini's form. A frame that came in this dialect and was not edited passes as it is.
#include "core/editing_writer.h"
#include "dialects/gemini/dialect.h"

namespace causeway::gemini {
namespace {

class Writer final : public EditingWriter {
 public:
  Writer(const Dialect& dialect, WriterSettings settings)
      : EditingWriter(settings, {}), dialect_(dialect) {}

  void text(const Lane& lane, std::string_view text, Bytes& out) override {
    std::string json = R"({"candidates":[{"content":{"parts":[{"text":)" + encode_json_string(text);
    if (lane.channel == Channel::Reasoning) json += R"(,"thought":true)";
    json += R"(}],"role":"model"},"index":)" + std::to_string(lane.choice) + "}]";
    if (!model_.empty()) json += R"(,"modelVersion":)" + model_;
    if (!id_.empty()) json += R"(,"responseId":)" + id_;
    out.own("data: " + json + "}\n\n");
  }

  void error(const Error& error, std::string_view request_id, Bytes& out) override {
    out.own("data: " + dialect_.error_body(error, request_id) + "\n\n");
  }

  // Google's client takes every line for JSON, comments too: an answer with nothing in it.
  std::string_view heartbeat() const override { return "data: {}\n\n"; }

 private:
  void remember(const Frame& frame) override {
    const auto copy = [&](ByteRange range, std::string& to) {
      if (!range.empty()) to = frame.data.substr(range.begin, range.end - range.begin);
    };
    copy(frame.id, id_);
    copy(frame.model, model_);
  }

  const Dialect& dialect_;
  std::string id_, model_;
};

}  // namespace

std::unique_ptr<AnswerWriter> GeminiDialect::writer(const Operation&,
                                                    WriterSettings settings) const {
  return std::make_unique<Writer>(*this, settings);
}

}  // namespace causeway::gemini
