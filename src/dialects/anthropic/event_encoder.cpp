// Neutral events → an Anthropic answer: its events, or the whole message. Its content is a list of
// blocks, and in a stream only one of them is open at a time.
#include <deque>
#include <string>
#include <vector>

#include "dialects/anthropic/dialect.h"
#include "dialects/anthropic/words.h"
#include "platform/text/json_writer.h"

namespace causeway::anthropic {
namespace {

using Kind = ChatEvent::Kind;
using text::JsonWriter;

/// One block of the answer.
struct Block {
  enum class Type : std::uint8_t { Text, Thinking, Redacted, Call };
  Type type = Type::Text;
  std::uint16_t item = 0;
  std::string id, name;
  std::string text;  // of a call: its arguments; of a redacted thought: its data
  std::string signature;
  std::vector<std::string> citations;
};

Block::Type type_of(Channel channel) {
  switch (channel) {
    case Channel::Reasoning:
      return Block::Type::Thinking;
    case Channel::ToolArguments:
      return Block::Type::Call;
    default:
      return Block::Type::Text;  // a refusal is a text here; its stop reason says what it is
  }
}

/// What both forms of an answer begin and end with.
class Ends {
 public:
  explicit Ends(const EncoderSettings& settings) : id_(settings.id), model_(settings.model) {}

  /// Whether the event was one of these.
  bool take(const ChatEvent& event) {
    if (event.kind == Kind::Begin) {
      if (!event.id.empty()) id_ = event.id;
      if (!event.name.empty()) model_ = event.name;
    } else if (event.kind == Kind::Stop) {
      const bool met = event.stop == Stop::Done && !event.text.empty();
      reason_ = met ? "stop_sequence" : reason_of(event.stop, event.raw);
      sequence_ = event.text;
    } else if (event.kind == Kind::Usage) {
      usage_ = *event.usage;
    } else {
      return false;
    }
    return true;
  }
  void write_identity(JsonWriter& json) const {
    json.field("id", id_).field("type", "message").field("role", "assistant");
    json.field("model", model_);
  }
  void write_stop(JsonWriter& json) const {
    json.key("stop_reason");
    reason_.empty() ? json.null() : json.string(reason_);
    json.key("stop_sequence");
    sequence_.empty() ? json.null() : json.string(sequence_);
  }
  void write_usage_of(JsonWriter& json) const {
    json.key("usage");
    write_usage(json, usage_);
  }

 private:
  std::string id_, model_, reason_, sequence_;
  Usage usage_;
};

void write_block(JsonWriter& json, const Block& block) {
  json.begin_object();
  switch (block.type) {
    case Block::Type::Text:
      json.field("type", "text").field("text", block.text);
      if (!block.citations.empty()) {
        json.key("citations").begin_array();
        for (const auto& citation : block.citations) json.raw(citation);
        json.end_array();
      }
      break;
    case Block::Type::Thinking:
      json.field("type", "thinking").field("thinking", block.text);
      json.field("signature", block.signature);
      break;
    case Block::Type::Redacted:
      json.field("type", "redacted_thinking").field("data", block.text);
      break;
    case Block::Type::Call:
      json.field("type", "tool_use").field("id", block.id).field("name", block.name);
      json.key("input").raw(input_of(block.text));
      break;
  }
  json.end_object();
}

/// Puts events into the blocks that they belong to. Only Anthropic's own seals and citations have a
/// place here.
class Blocks {
 public:
  /// The block that the event belongs to, made where there is none yet; null = it has no place.
  Block* of(const ChatEvent& event) {
    if (event.lane.choice != 0) return nullptr;
    switch (event.kind) {
      case Kind::ToolCall: {
        Block& block = add(Block::Type::Call, event.lane.item);
        block.id = event.id;
        block.name = event.name;
        return &block;
      }
      case Kind::Text:
        if (event.lane.channel == Channel::ToolArguments) return call(event.lane.item);
        return &find_or_add(type_of(event.lane.channel), event.lane.item);
      case Kind::Seal:
        if (event.dialect != "anthropic" || event.lane.channel != Channel::Reasoning)
          return nullptr;
        if (event.hidden) return &add(Block::Type::Redacted, event.lane.item);
        return &find_or_add(Block::Type::Thinking, event.lane.item);
      case Kind::Citation:
        if (event.dialect != "anthropic") return nullptr;
        return &find_or_add(Block::Type::Text, event.lane.item);
      default:
        return nullptr;
    }
  }
  std::deque<Block>& all() { return blocks_; }
  const std::deque<Block>& all() const { return blocks_; }

 private:
  Block& add(Block::Type type, std::uint16_t item) {
    auto& block = blocks_.emplace_back();
    block.type = type;
    block.item = item;
    return block;
  }
  // Arguments belong to their call wherever they come.
  Block* call(std::uint16_t item) {
    for (auto& block : blocks_) {
      if (block.type == Block::Type::Call && block.item == item) return &block;
    }
    return nullptr;
  }
  // Text that comes again behind another block is a block of its own.
  Block& find_or_add(Block::Type type, std::uint16_t item) {
    if (!blocks_.empty() && blocks_.back().type == type && blocks_.back().item == item) {
      return blocks_.back();
    }
    return add(type, item);
  }

  std::deque<Block> blocks_;
};

void put(const ChatEvent& event, Block& block) {
  switch (event.kind) {
    case Kind::Text:
      block.text += event.text;
      break;
    case Kind::Seal:
      (event.hidden ? block.text : block.signature) += event.text;
      break;
    case Kind::Citation:
      block.citations.emplace_back(event.text);
      break;
    default:
      break;
  }
}

class WholeEncoder final : public EventEncoder {
 public:
  explicit WholeEncoder(const EncoderSettings& settings) : ends_(settings) {}

  void event(const ChatEvent& event, std::string& out) override {
    if (event.lane.choice != 0 || ends_.take(event)) return;
    if (event.kind == Kind::End) return write(out);
    if (Block* block = blocks_.of(event)) put(event, *block);
  }

 private:
  void write(std::string& out) {
    JsonWriter json(out);
    json.begin_object();
    ends_.write_identity(json);
    json.key("content").begin_array();
    for (const auto& block : blocks_.all()) write_block(json, block);
    json.end_array();
    ends_.write_stop(json);
    ends_.write_usage_of(json);
    json.end_object();
  }

  Ends ends_;
  Blocks blocks_;
};

/// Where a JSON object ends, told piece by piece.
class ObjectEnd {
 public:
  void feed(std::string_view piece) {
    for (const char c : piece) {
      if (in_string_) {
        if (escaped_) {
          escaped_ = false;
        } else if (c == '\\') {
          escaped_ = true;
        } else if (c == '"') {
          in_string_ = false;
        }
      } else if (c == '"') {
        in_string_ = true;
      } else if (c == '{' || c == '[') {
        ++depth_;
      } else if (c == '}' || c == ']') {
        reached_ |= --depth_ == 0;
      }
    }
  }
  bool reached() const { return reached_; }

 private:
  int depth_ = 0;
  bool in_string_ = false, escaped_ = false, reached_ = false;
};

/// The first block that has not ended is open: what belongs to it goes out at once, what belongs to
/// later ones waits in them. A block of text ends when the next one begins; a call only when its
/// arguments are complete, since the arguments of several calls may come mixed.
class StreamEncoder final : public EventEncoder {
 public:
  explicit StreamEncoder(const EncoderSettings& settings) : ends_(settings) {}

  void event(const ChatEvent& event, std::string& out) override {
    if (event.lane.choice != 0) return;
    if (event.kind == Kind::Stop) end_blocks(out);
    if (ends_.take(event)) {
      if (event.kind == Kind::Begin) begin(out);
      return;
    }
    if (event.kind == Kind::End) return end(out);
    Block* block = blocks_.of(event);
    if (!block) return;
    if (open_ && block == &blocks_.all().front()) {
      write_delta(event, out);
      if (block->type == Block::Type::Call) object_.feed(event.text);
    } else {
      put(event, *block);
    }
    advance(out);
  }

  std::size_t kept() const override {
    std::size_t bytes = 0;
    for (const Block& block : blocks_.all()) {
      bytes += block.text.capacity() + block.signature.capacity();
      for (const auto& citation : block.citations) bytes += citation.capacity();
    }
    return bytes;
  }

 private:
  static void event_head(std::string_view type, std::string& out) {
    out.append("event: ").append(type).append("\ndata: ");
  }

  void begin(std::string& out) {
    begun_ = true;
    event_head("message_start", out);
    JsonWriter json(out);
    json.begin_object().field("type", "message_start").key("message").begin_object();
    ends_.write_identity(json);
    json.key("content").begin_array().end_array();
    json.key("stop_reason").null().key("stop_sequence").null();
    ends_.write_usage_of(json);  // what the question took is known only at the end
    json.end_object().end_object();
    out += "\n\n";
  }

  // Ends what can end in front of the last block, and begins the first that is left.
  void advance(std::string& out) {
    while (blocks_.all().size() > 1 && may_end(blocks_.all().front())) {
      write_open(out);
      end_open(out);
    }
    write_open(out);
  }

  bool may_end(const Block& block) const {
    if (block.type != Block::Type::Call) return true;
    if (open_) return object_.reached();
    ObjectEnd waiting;
    waiting.feed(block.text);
    return waiting.reached();
  }

  void end_blocks(std::string& out) {
    while (!blocks_.all().empty()) {
      write_open(out);
      end_open(out);
    }
  }

  // Begins the first block, and tells what has gathered in it.
  void write_open(std::string& out) {
    if (open_) return;
    if (!begun_) begin(out);
    const Block& block = blocks_.all().front();
    open_ = true;
    object_ = {};
    event_head("content_block_start", out);
    JsonWriter json(out);
    json.begin_object().field("type", "content_block_start").field("index", index_);
    json.key("content_block");
    Block empty{block.type, block.item, block.id, block.name, {}, {}, {}};
    if (block.type == Block::Type::Redacted) empty.text = block.text;
    write_block(json, empty);
    json.end_object();
    out += "\n\n";
    tell_gathered(block, out);
  }

  void tell_gathered(const Block& block, std::string& out) {
    ChatEvent event;
    event.lane.channel = block.type == Block::Type::Call       ? Channel::ToolArguments
                         : block.type == Block::Type::Thinking ? Channel::Reasoning
                                                               : Channel::Content;
    event.text = block.text;
    if (!block.text.empty() && block.type != Block::Type::Redacted) write_delta(event, out);
    if (block.type == Block::Type::Call) object_.feed(block.text);
    event.kind = Kind::Citation;
    for (const auto& citation : block.citations) {
      event.text = citation;
      write_delta(event, out);
    }
    event.kind = Kind::Seal;
    event.text = block.signature;
    if (!block.signature.empty()) write_delta(event, out);
  }

  void end_open(std::string& out) {
    event_head("content_block_stop", out);
    JsonWriter json(out);
    json.begin_object().field("type", "content_block_stop").field("index", index_++).end_object();
    out += "\n\n";
    blocks_.all().pop_front();
    open_ = false;
  }

  void write_delta(const ChatEvent& event, std::string& out) const {
    if (event.kind == Kind::ToolCall) return;
    event_head("content_block_delta", out);
    JsonWriter json(out);
    json.begin_object().field("type", "content_block_delta").field("index", index_);
    json.key("delta").begin_object();
    if (event.kind == Kind::Seal) {
      json.field("type", "signature_delta").field("signature", event.text);
    } else if (event.kind == Kind::Citation) {
      json.field("type", "citations_delta").key("citation").raw(event.text);
    } else if (event.lane.channel == Channel::Reasoning) {
      json.field("type", "thinking_delta").field("thinking", event.text);
    } else if (event.lane.channel == Channel::ToolArguments) {
      json.field("type", "input_json_delta").field("partial_json", event.text);
    } else {
      json.field("type", "text_delta").field("text", event.text);
    }
    json.end_object().end_object();
    out += "\n\n";
  }

  void end(std::string& out) {
    end_blocks(out);
    if (!begun_) begin(out);
    event_head("message_delta", out);
    JsonWriter json(out);
    json.begin_object().field("type", "message_delta").key("delta").begin_object();
    ends_.write_stop(json);
    json.end_object();
    ends_.write_usage_of(json);
    json.end_object();
    out += "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  }

  Ends ends_;
  Blocks blocks_;
  ObjectEnd object_;  // of the open block
  std::uint16_t index_ = 0;
  bool begun_ = false, open_ = false;
};

}  // namespace

std::unique_ptr<EventEncoder> AnthropicDialect::encoder(const EncoderSettings& settings) const {
  if (settings.stream) return std::make_unique<StreamEncoder>(settings);
  return std::make_unique<WholeEncoder>(settings);
}

}  // namespace causeway::anthropic
