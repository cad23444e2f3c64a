// Neutral events → an answer of the Responses API: its typed events, or the whole object.
#include <algorithm>
#include <string>
#include <vector>

#include "dialects/openai/responses.h"
#include "dialects/openai/words.h"
#include "platform/text/json_writer.h"

namespace causeway::openai {
namespace {

using Kind = ChatEvent::Kind;
using text::JsonWriter;

/// An entry of `output`.
struct Item {
  enum class Type { Message, Reasoning, Call };
  Type type = Type::Message;
  std::string id;
  std::string text;           // of a message its text, of a call its arguments
  std::string refusal;        // of a message
  std::string call_id, name;  // of a call
  Seal seal;                  // of reasoning
  bool hidden = false;        // of reasoning: there is only the seal
  std::uint16_t block = 0;    // of reasoning: which of the provider's
  std::string citations;      // of a message: elements of an array
  bool done = false;
};

// Members that the answer tells again, as they were asked for, and what they are otherwise.
struct Echo {
  std::string_view name, otherwise;
};
constexpr Echo kEchoes[] = {
    {"instructions", "null"},
    {"max_output_tokens", "null"},
    {"metadata", "{}"},
    {"parallel_tool_calls", "true"},
    {"reasoning", R"({"effort":null,"summary":null})"},
    {"temperature", "null"},
    {"text", R"({"format":{"type":"text"}})"},
    {"tool_choice", R"("auto")"},
    {"tools", "[]"},
    {"top_p", "null"},
    {"truncation", R"("disabled")"},
    {"user", "null"},
};

class Encoder final : public EventEncoder {
 public:
  explicit Encoder(const EncoderSettings& settings)
      : stream_(settings.stream),
        id_("resp_" + std::string(settings.id)),
        model_(settings.model),
        created_(settings.created) {
    for (const auto& echo : kEchoes) {
      std::optional<std::string_view> asked;
      if (settings.request) asked = settings.request->member(echo.name);
      echoes_.push_back(in_one_line(asked ? *asked : echo.otherwise));
    }
  }

  void event(const ChatEvent& event, std::string& out) override {
    if (event.lane.choice != 0) return;  // this dialect has one
    switch (event.kind) {
      case Kind::Begin:
        if (!event.id.empty()) id_ = "resp_" + std::string(event.id);
        if (!event.name.empty()) model_ = event.name;
        if (event.created) created_ = event.created;
        break;
      case Kind::Text:
        begin(out);
        take_text(event, out);
        break;
      case Kind::ToolCall:
        begin(out);
        close(out);
        open(Item::Type::Call, out, event.id, event.name);
        calls_.resize(event.lane.item + 1u);
        calls_[event.lane.item] = items_.size() - 1;
        break;
      case Kind::Seal:
        if (event.lane.channel == Channel::Reasoning) take_seal(event, out);
        break;
      case Kind::Citation:
        take_citation(event);
        break;
      case Kind::Stop:
        stop_ = event.stop;
        raw_ = event.raw;
        break;
      case Kind::Usage:
        usage_ = *event.usage;
        break;
      case Kind::End:
        end(out);
        break;
    }
  }

  std::size_t kept() const override {
    std::size_t bytes = 0;
    for (const Item& item : items_) {
      bytes += item.text.capacity() + item.refusal.capacity() + item.citations.capacity() +
               item.seal.value.capacity();
    }
    return bytes;
  }

 private:
  // One event of the stream; `fill` writes what is its own.
  template <class Fill>
  void tell(std::string& out, std::string_view type, Fill fill) {
    if (!stream_) return;
    out += "event: ";
    out += type;
    out += "\ndata: ";
    JsonWriter json(out);
    json.begin_object().field("type", type).field("sequence_number", sequence_++);
    fill(json);
    json.end_object();
    out += "\n\n";
  }

  void begin(std::string& out) {
    if (begun_) return;
    begun_ = true;
    for (const std::string_view type : {"response.created", "response.in_progress"}) {
      tell(out, type, [&](JsonWriter& json) {
        json.key("response");
        write_response(json, "in_progress");
      });
    }
  }

  std::string item_id(std::string_view prefix) const {
    return std::string(prefix) + id_.substr(5) + "_" + std::to_string(items_.size());
  }

  std::size_t index() const { return items_.size() - 1; }

  void open(Item::Type type, std::string& out, std::string_view call_id = {},
            std::string_view name = {}) {
    Item item;
    item.type = type;
    item.id = item_id(type == Item::Type::Message ? "msg_"
                      : type == Item::Type::Call  ? "fc_"
                                                  : "rs_");
    item.call_id = call_id;
    item.name = name;
    items_.push_back(std::move(item));
    tell(out, "response.output_item.added", [&](JsonWriter& json) {
      json.field("output_index", index()).key("item");
      write_item(json, items_.back(), "in_progress");
    });
  }

  // The part of a message or of reasoning that begins with its first piece.
  void add_part(std::string& out, std::string_view type, std::size_t part) {
    const bool summary = type == "summary_text";
    tell(out, summary ? "response.reasoning_summary_part.added" : "response.content_part.added",
         [&](JsonWriter& json) {
           json.field("item_id", items_.back().id).field("output_index", index());
           json.field(summary ? std::string_view("summary_index") : "content_index", part);
           json.key("part");
           write_part(json, type, {}, {});
         });
  }

  void take_text(const ChatEvent& event, std::string& out) {
    if (event.lane.channel == Channel::ToolArguments) return take_arguments(event, out);
    const bool reasoning = event.lane.channel == Channel::Reasoning;
    const bool refusal = event.lane.channel == Channel::Refusal;
    const auto type = reasoning ? Item::Type::Reasoning : Item::Type::Message;
    if (items_.empty() || items_.back().done || items_.back().type != type ||
        (reasoning && !is_thought(items_.back(), event))) {
      close(out);
      open(type, out);
      items_.back().block = event.lane.item;
    }
    Item& item = items_.back();
    std::string& to = refusal ? item.refusal : item.text;
    // A refusal stands behind the text of its message.
    const std::size_t part = refusal && !item.text.empty() ? 1 : 0;
    if (to.empty()) {
      add_part(out, reasoning ? "summary_text" : refusal ? "refusal" : "output_text", part);
    }
    to += event.text;
    tell(out,
         reasoning ? "response.reasoning_summary_text.delta"
         : refusal ? "response.refusal.delta"
                   : "response.output_text.delta",
         [&](JsonWriter& json) {
           json.field("item_id", item.id).field("output_index", index());
           json.field(reasoning ? std::string_view("summary_index") : "content_index", part);
           json.field("delta", event.text);
           if (!reasoning && !refusal) json.key("logprobs").begin_array().end_array();
         });
  }

  // A seal holds for one thought alone: two of them stay two items.
  static bool is_thought(const Item& item, const ChatEvent& event) {
    return item.type == Item::Type::Reasoning && item.block == event.lane.item &&
           item.hidden == event.hidden;
  }

  void take_seal(const ChatEvent& event, std::string& out) {
    const bool goes_on = !items_.empty() && !items_.back().done && is_thought(items_.back(), event);
    if (!goes_on) {
      const auto same = [&](const Item& item) { return is_thought(item, event); };
      if (!event.hidden && std::ranges::any_of(items_, same)) return;  // its thought was told
      begin(out);
      close(out);
      open(Item::Type::Reasoning, out);
      items_.back().block = event.lane.item;
      items_.back().hidden = event.hidden;
    }
    items_.back().seal.dialect = event.dialect;
    items_.back().seal.value += event.text;
  }

  // Pieces of a call that is not the last item belong to one that was told before: they count in
  // the whole, and are told with its end.
  void take_arguments(const ChatEvent& event, std::string& out) {
    if (event.lane.item >= calls_.size()) return;
    const std::size_t at = calls_[event.lane.item];
    Item& item = items_[at];
    item.text += event.text;
    tell(out, "response.function_call_arguments.delta", [&](JsonWriter& json) {
      json.field("item_id", item.id).field("output_index", at).field("delta", event.text);
    });
  }

  void take_citation(const ChatEvent& event) {
    if (event.dialect != "openai" || items_.empty()) return;
    Item& item = items_.back();
    if (!item.citations.empty()) item.citations += ',';
    item.citations += event.text;
  }

  // Ends the last item, but for a call: its arguments may go on behind the next one's.
  void close(std::string& out) {
    if (items_.empty() || items_.back().done || items_.back().type == Item::Type::Call) return;
    finish(items_.size() - 1, out);
  }

  void finish(std::size_t at, std::string& out) {
    Item& item = items_[at];
    if (item.done) return;
    item.done = true;
    if (item.type == Item::Type::Call) {
      tell(out, "response.function_call_arguments.done", [&](JsonWriter& json) {
        json.field("item_id", item.id).field("output_index", at).field("name", item.name);
        json.field("arguments", item.text);
      });
    } else {
      finish_parts(at, item, out);
    }
    tell(out, "response.output_item.done", [&](JsonWriter& json) {
      json.field("output_index", at).key("item");
      write_item(json, item, "completed");
    });
  }

  void finish_parts(std::size_t at, const Item& item, std::string& out) {
    const bool reasoning = item.type == Item::Type::Reasoning;
    if (!item.text.empty()) {
      const std::string_view type = reasoning ? "summary_text" : "output_text";
      finish_part(at, item, type, "text", item.text, 0, out);
    }
    if (!item.refusal.empty()) {
      finish_part(at, item, "refusal", "refusal", item.refusal, item.text.empty() ? 0 : 1, out);
    }
  }

  void finish_part(std::size_t at, const Item& item, std::string_view type, std::string_view member,
                   std::string_view text, std::size_t part, std::string& out) {
    const bool summary = type == "summary_text";
    const auto place = [&](JsonWriter& json) {
      json.field("item_id", item.id).field("output_index", at);
      json.field(summary ? std::string_view("summary_index") : "content_index", part);
    };
    tell(out,
         summary             ? "response.reasoning_summary_text.done"
         : type == "refusal" ? "response.refusal.done"
                             : "response.output_text.done",
         [&](JsonWriter& json) {
           place(json);
           json.field(member, text);
           if (type == "output_text") json.key("logprobs").begin_array().end_array();
         });
    tell(out, summary ? "response.reasoning_summary_part.done" : "response.content_part.done",
         [&](JsonWriter& json) {
           place(json);
           json.key("part");
           write_part(json, type, text, item.citations);
         });
  }

  static void write_part(JsonWriter& json, std::string_view type, std::string_view text,
                         std::string_view citations) {
    json.begin_object().field("type", type);
    if (type == "refusal") {
      json.field("refusal", text);
    } else {
      json.field("text", text);
    }
    if (type == "output_text") {
      json.key("annotations").raw("[" + std::string(citations) + "]");
      json.key("logprobs").begin_array().end_array();
    }
    json.end_object();
  }

  static void write_item(JsonWriter& json, const Item& item, std::string_view status) {
    json.begin_object().field("id", item.id);
    switch (item.type) {
      case Item::Type::Message:
        json.field("type", "message").field("status", status).field("role", "assistant");
        json.key("content").begin_array();
        if (!item.text.empty()) write_part(json, "output_text", item.text, item.citations);
        if (!item.refusal.empty()) write_part(json, "refusal", item.refusal, {});
        json.end_array();
        break;
      case Item::Type::Reasoning:
        json.field("type", "reasoning").key("summary").begin_array();
        if (!item.text.empty()) write_part(json, "summary_text", item.text, {});
        json.end_array();
        if (!item.seal.value.empty()) {
          json.field("encrypted_content", encrypted_content(item.seal, item.hidden));
        }
        break;
      case Item::Type::Call:
        json.field("type", "function_call").field("status", status);
        json.field("call_id", item.call_id).field("name", item.name);
        json.field("arguments", item.text);
        break;
    }
    json.end_object();
  }

  // A reason that this dialect has no word for stays visible as the provider wrote it.
  std::string_view why_incomplete() const {
    switch (stop_) {
      case Stop::Length:
        return "max_output_tokens";
      case Stop::Filtered:
        return "content_filter";
      case Stop::Done:
      case Stop::Tools:
        return {};
      default:
        return raw_.empty() ? std::string_view("unknown") : raw_;
    }
  }

  void end(std::string& out) {
    begin(out);
    // A model that said nothing has answered all the same.
    if (items_.empty() && stop_ == Stop::Done) open(Item::Type::Message, out);
    for (std::size_t i = 0; i < items_.size(); ++i) finish(i, out);
    const bool complete = why_incomplete().empty();
    const std::string_view status = complete ? "completed" : "incomplete";
    if (stream_) {
      tell(out, complete ? "response.completed" : "response.incomplete", [&](JsonWriter& json) {
        json.key("response");
        write_response(json, status);
      });
    } else {
      JsonWriter json(out);
      write_response(json, status);
    }
  }

  void write_response(JsonWriter& json, std::string_view status) const {
    const bool ended = status != "in_progress";
    json.begin_object().field("id", id_).field("object", "response").field("created_at", created_);
    json.field("status", status).key("error").null().key("incomplete_details");
    if (status == "incomplete") {
      json.begin_object().field("reason", why_incomplete()).end_object();
    } else {
      json.null();
    }
    json.field("model", model_).key("output").begin_array();
    if (ended) {
      for (const auto& item : items_) write_item(json, item, "completed");
    }
    json.end_array().key("previous_response_id").null().field("store", false);
    for (std::size_t i = 0; i < echoes_.size(); ++i) {
      json.key(std::string(kEchoes[i].name)).raw(echoes_[i]);
    }
    json.key("usage");
    if (ended && usage_.source != UsageSource::None) {
      write_usage(json);
    } else {
      json.null();
    }
    json.end_object();
  }

  void write_usage(JsonWriter& json) const {
    json.begin_object().field("input_tokens", usage_.input());
    json.key("input_tokens_details").begin_object();
    json.field("cached_tokens", usage_.cache_read).end_object();
    json.field("output_tokens", usage_.output());
    json.key("output_tokens_details").begin_object();
    json.field("reasoning_tokens", usage_.reasoning).end_object();
    json.field("total_tokens", usage_.input() + usage_.output()).end_object();
  }

  const bool stream_;
  std::string id_, model_;
  std::int64_t created_;
  std::vector<std::string> echoes_;  // as kEchoes
  std::vector<Item> items_;
  std::vector<std::size_t> calls_;  // of a call's number: its place in items_
  std::uint32_t sequence_ = 0;
  bool begun_ = false;
  Stop stop_ = Stop::Done;
  std::string raw_;
  Usage usage_;
};

}  // namespace

std::unique_ptr<EventEncoder> ResponsesDialect::encoder(const EncoderSettings& settings) const {
  return std::make_unique<Encoder>(settings);
}

}  // namespace causeway::openai
