// Neutral events → Gemini's answers. Calls are told whole here, so each waits for its end; why an
// answer ended waits for its usage, since both stand in the last piece.
#include <string>
#include <utility>
#include <vector>

#include "core/json_text.h"
#include "dialects/gemini/dialect.h"
#include "dialects/gemini/usage.h"
#include "dialects/gemini/words.h"

namespace causeway::gemini {
namespace {

using Kind = ChatEvent::Kind;
using text::JsonWriter;

struct Part {
  bool thought = false, call = false;
  std::string text;  // of a call its arguments
  std::string id, name, signature;
};

struct Candidate {
  std::vector<Part> parts;         // of a whole answer; of a stream the calls that are not told yet
  std::vector<std::size_t> calls;  // of a call's number: its place in parts
  std::string reason;
  bool ended = false;
};

class Encoder final : public EventEncoder {
 public:
  explicit Encoder(const EncoderSettings& settings)
      : stream_(settings.stream), id_(settings.id), model_(settings.model) {}

  void event(const ChatEvent& event, std::string& out) override {
    if (event.kind == Kind::Begin) {
      if (!event.id.empty()) id_ = event.id;
      if (!event.name.empty()) model_ = event.name;
    } else if (event.kind == Kind::Usage) {
      usage_ = *event.usage;
    } else if (event.kind == Kind::End) {
      end(out);
    } else {
      if (candidates_.size() <= event.lane.choice) candidates_.resize(event.lane.choice + 1u);
      take(event, candidates_[event.lane.choice], out);
    }
  }

 private:
  void take(const ChatEvent& event, Candidate& candidate, std::string& out) {
    const bool call = event.lane.channel == Channel::ToolArguments;
    if (event.kind == Kind::ToolCall) {
      if (candidate.calls.size() <= event.lane.item) candidate.calls.resize(event.lane.item + 1u);
      candidate.calls[event.lane.item] = candidate.parts.size();
      Part& part = candidate.parts.emplace_back();
      part.call = true;
      part.id = event.id;
      part.name = event.name;
    } else if (event.kind == Kind::Text && call) {
      if (event.lane.item < candidate.calls.size()) {
        candidate.parts[candidate.calls[event.lane.item]].text += event.text;
      }
    } else if (event.kind == Kind::Text) {
      take_text(event, candidate, out);
    } else if (event.kind == Kind::Seal) {
      take_seal(event, candidate);
    } else if (event.kind == Kind::Stop) {
      candidate.ended = true;
      candidate.reason = reason_of(event.stop, event.raw);
    }
  }

  void take_text(const ChatEvent& event, Candidate& candidate, std::string& out) {
    Part part;
    part.thought = event.lane.channel == Channel::Reasoning;
    part.text = event.text;
    if (stream_) {
      chunk(event.lane.choice, &part, out);
      return;
    }
    // Pieces of one text are one part.
    auto& parts = candidate.parts;
    if (!parts.empty() && !parts.back().call && parts.back().thought == part.thought) {
      parts.back().text += part.text;
    } else {
      parts.push_back(std::move(part));
    }
  }

  static void take_seal(const ChatEvent& event, Candidate& candidate) {
    if (event.dialect != "gemini") return;  // only its own are taken back
    if (event.lane.channel == Channel::ToolArguments) {
      if (event.lane.item < candidate.calls.size()) {
        candidate.parts[candidate.calls[event.lane.item]].signature = event.text;
      }
    } else if (!candidate.parts.empty()) {
      candidate.parts.back().signature = event.text;
    }
  }

  void write_part(JsonWriter& json, const Part& part) const {
    json.begin_object();
    if (part.call) {
      json.key("functionCall").begin_object();
      if (!part.id.empty()) json.field("id", part.id);
      json.field("name", part.name).key("args");
      // What is no object cannot be said here as it is.
      if (is_json_object(part.text)) {
        json.raw(part.text);
      } else {
        json.begin_object();
        if (!part.text.empty()) json.field("arguments", part.text);
        json.end_object();
      }
      json.end_object();
    } else {
      json.field("text", part.text);
      if (part.thought) json.field("thought", true);
    }
    if (!part.signature.empty()) json.field("thoughtSignature", part.signature);
    json.end_object();
  }

  void write_identity(JsonWriter& json) const {
    json.field("modelVersion", model_).field("responseId", id_);
  }

  void chunk(std::uint16_t choice, const Part* part, std::string& out) const {
    out += "data: ";
    JsonWriter json(out);
    json.begin_object().key("candidates").begin_array().begin_object();
    json.key("content").begin_object().key("parts").begin_array();
    if (part) write_part(json, *part);
    json.end_array().field("role", "model").end_object();
    json.field("index", choice).end_object().end_array();
    write_identity(json);
    json.end_object();
    out += "\n\n";
  }

  // The last piece, or all of it: every candidate with what has not been told.
  void end(std::string& out) const {
    if (stream_) out += "data: ";
    JsonWriter json(out);
    json.begin_object().key("candidates").begin_array();
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      const Candidate& candidate = candidates_[i];
      json.begin_object().key("content").begin_object().key("parts").begin_array();
      for (const auto& part : candidate.parts) write_part(json, part);
      json.end_array().field("role", "model").end_object();
      if (candidate.ended) json.field("finishReason", candidate.reason);
      json.field("index", i).end_object();
    }
    json.end_array();
    if (usage_.source != UsageSource::None) {
      json.key("usageMetadata");
      write_usage(json, usage_);
    }
    write_identity(json);
    json.end_object();
    if (stream_) out += "\n\n";
  }

  const bool stream_;
  std::string id_, model_;
  std::vector<Candidate> candidates_;
  Usage usage_;
};

}  // namespace

std::unique_ptr<EventEncoder> GeminiDialect::encoder(const EncoderSettings& settings) const {
  return std::make_unique<Encoder>(settings);
}

}  // namespace causeway::gemini
