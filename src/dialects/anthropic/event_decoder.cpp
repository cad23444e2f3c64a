// An Anthropic answer → neutral events.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dialects/anthropic/dialect.h"
#include "dialects/anthropic/words.h"
#include "platform/http/sse.h"

namespace causeway::anthropic {
namespace {

namespace od = simdjson::ondemand;
using json::each_element, json::each_member, json::text_of;
using Kind = ChatEvent::Kind;

std::unexpected<Error> broken(std::string message, std::string code, std::string detail = {}) {
  auto result =
      fail(ErrorKind::UpstreamBroken, Origin::Upstream, std::move(message), std::move(code));
  result.error().retryable = true;
  result.error().detail = std::move(detail);
  return result;
}

/// A content block that has begun.
struct Block {
  std::string type;
  std::uint16_t item = 0;  // of a tool call its order, else the block's index
  std::string signature;
  bool has_arguments = false;
};

/// What a block or a delta says; which of it counts depends on its type.
struct Piece {
  std::string type, text, thinking, id, name, input, partial_json, signature, data;
  std::vector<std::string> citations;
};

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
      auto read = parse(event.data, sink, [this](od::object object) { read_event(object); });
      if (!read) return read;
    }
  }

  Result<void> finish(ChatSink&) override {
    if (ended_) return {};
    return broken("The provider's answer was cut before its end.", "upstream_cut");
  }

  std::size_t kept() const override {
    std::size_t bytes = sse_.kept();
    for (const auto& [index, block] : blocks_) bytes += block.signature.capacity();
    return bytes;
  }

  Result<void> whole(std::string_view body, ChatSink& sink) override {
    bool complete = false;
    auto read = parse(body, sink, [&](od::object object) { complete = read_whole(object); });
    if (!read) return read;
    if (!complete) {
      return broken("The provider's answer has no content.", "unexpected_answer",
                    std::string(body.substr(0, 200)));
    }
    end();
    return {};
  }

 private:
  template <class Read>
  Result<void> parse(std::string_view text, ChatSink& sink, Read read) {
    sink_ = &sink;
    has_error_ = false;
    try {
      json::with_parser(text.size(), [&](od::parser& parser) {
        od::document document =
            parser.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING);
        read(json::take(document.get_object()));
      });
    } catch (const simdjson::simdjson_error& bad) {
      return broken("The provider's answer is not what its protocol says.", "upstream_broken",
                    std::string("JSON: ") + bad.what());
    }
    if (!has_error_) return {};
    Error error = dialect_.classify(500, {}, text);
    error.upstream_status = 200;
    error.retryable = true;
    return std::unexpected(std::move(error));
  }

  void end() {
    ChatEvent event;
    event.kind = Kind::End;
    sink_->event(event);
    ended_ = true;
  }

  void begin(std::string_view id, std::string_view model) {
    ChatEvent event;
    event.kind = Kind::Begin;
    event.id = id;
    event.name = model;
    sink_->event(event);
  }

  void text(Channel channel, std::uint16_t item, std::string_view piece) {
    if (piece.empty()) return;
    ChatEvent event;
    event.kind = Kind::Text;
    event.lane = {0, item, channel};
    event.text = piece;
    sink_->event(event);
  }

  void seal(std::uint16_t item, std::string_view value, bool hidden) {
    ChatEvent event;
    event.kind = Kind::Seal;
    event.lane = {0, item, Channel::Reasoning};
    event.dialect = "anthropic";
    event.text = value;
    event.hidden = hidden;
    sink_->event(event);
  }

  void read_event(od::object object) {
    std::string_view word;
    std::string type;
    std::uint64_t number = 0;
    if (json::look_up(object, "type", word)) type = word;
    if (json::look_up(object, "index", number)) index_ = index_of(number);
    if (type == "content_block_stop") return end_block();
    if (type == "message_stop") return end();
    if (type == "error") {
      has_error_ = true;
      return;
    }
    each_member(object, [&](std::string_view key, od::value value) {
      if (type == "message_start" && key == "message") read_start(value);
      if (type == "content_block_start" && key == "content_block") begin_block(read_piece(value));
      if (type == "content_block_delta" && key == "delta") read_delta(read_piece(value));
      if (type == "message_delta" && key == "delta") read_stop(value);
      if (type == "message_delta" && key == "usage") take_usage(value);
    });
    if (type == "message_delta") tell_usage();
  }

  static std::uint16_t index_of(std::uint64_t number) {
    if (number >= kMostBlocks) throw simdjson::simdjson_error(simdjson::NUMBER_OUT_OF_RANGE);
    return static_cast<std::uint16_t>(number);
  }

  void read_start(od::value message) {
    std::string id, model;
    each_member(message, [&](std::string_view key, od::value value) {
      if (key == "id") id = text_of(value);
      if (key == "model") model = text_of(value);
      if (key == "usage") take_usage(value);
    });
    begin(id, model);
  }

  static Piece read_piece(od::value value) {
    Piece piece;
    each_member(value, [&](std::string_view key, od::value member) {
      if (key == "type") piece.type = text_of(member);
      if (key == "text") piece.text = text_of(member);
      if (key == "thinking") piece.thinking = text_of(member);
      if (key == "id") piece.id = text_of(member);
      if (key == "name") piece.name = text_of(member);
      if (key == "input") piece.input = json::raw_of(member);
      if (key == "partial_json") piece.partial_json = text_of(member);
      if (key == "signature") piece.signature = text_of(member);
      if (key == "data") piece.data = text_of(member);
      if (key == "citation") piece.citations.emplace_back(json::raw_of(member));
      if (key == "citations") {
        each_element(member,
                     [&](od::value one) { piece.citations.emplace_back(json::raw_of(one)); });
      }
    });
    return piece;
  }

  // Blocks of tools that the provider runs itself are no event: nobody could answer them.
  void begin_block(const Piece& piece) {
    Block& block = blocks_[index_];
    block = {piece.type, index_, {}, false};
    if (piece.type == "tool_use") {
      block.item = calls_;
      calls_ = index_of(calls_ + 1u);
      ChatEvent event;
      event.kind = Kind::ToolCall;
      event.lane = {0, block.item, Channel::ToolArguments};
      event.id = piece.id;
      event.name = piece.name;
      sink_->event(event);
      if (piece.input.find_first_not_of("{} \t\r\n") != piece.input.npos) {
        block.has_arguments = true;
        text(Channel::ToolArguments, block.item, piece.input);
      }
    } else if (piece.type == "redacted_thinking") {
      seal(block.item, piece.data, true);
    }
    read_delta(piece);
  }

  void read_delta(const Piece& piece) {
    const auto found = blocks_.find(index_);
    if (found == blocks_.end()) return;
    Block& block = found->second;
    text(Channel::Content, block.item, piece.text);
    text(Channel::Reasoning, block.item, piece.thinking);
    block.signature += piece.signature;
    if (block.type == "tool_use" && !piece.partial_json.empty()) {
      block.has_arguments = true;
      text(Channel::ToolArguments, block.item, piece.partial_json);
    }
    for (const auto& citation : piece.citations) cite(block.item, citation);
  }

  void cite(std::uint16_t item, std::string_view citation) {
    ChatEvent event;
    event.kind = Kind::Citation;
    event.lane = {0, item, Channel::Content};
    event.dialect = "anthropic";
    event.text = citation;
    sink_->event(event);
  }

  void end_block() {
    const auto found = blocks_.find(index_);
    if (found == blocks_.end()) return;
    const Block& block = found->second;
    if (!block.signature.empty()) seal(block.item, block.signature, false);
    if (block.type == "tool_use" && !block.has_arguments) {
      text(Channel::ToolArguments, block.item, "{}");
    }
    blocks_.erase(found);
  }

  void read_stop(od::value delta) {
    std::string reason, sequence;
    each_member(delta, [&](std::string_view key, od::value value) {
      if (key == "stop_reason") reason = text_of(value);
      if (key == "stop_sequence") sequence = text_of(value);
    });
    stop(reason, sequence);
  }

  void stop(std::string_view reason, std::string_view sequence) {
    if (reason.empty()) return;
    ChatEvent event;
    event.kind = Kind::Stop;
    event.stop = stop_of(reason);
    event.raw = reason;
    event.text = sequence;
    sink_->event(event);
  }

  void take_usage(od::value value) { (void)read_usage(value, usage_); }

  void tell_usage() {
    if (usage_.source == UsageSource::None) return;
    ChatEvent event;
    event.kind = Kind::Usage;
    event.usage = &usage_;
    sink_->event(event);
  }

  // Identity and content may stand in any order: the content is read when the rest is known.
  bool read_whole(od::object object) {
    std::string id, model, type, reason, sequence;
    bool content = false;
    each_member(object, [&](std::string_view key, od::value value) {
      if (key == "type") type = text_of(value);
      if (key == "id") id = text_of(value);
      if (key == "model") model = text_of(value);
      if (key == "stop_reason") reason = text_of(value);
      if (key == "stop_sequence") sequence = text_of(value);
      if (key == "usage") take_usage(value);
      if (key == "content") content = value.type() == od::json_type::array;
    });
    has_error_ = type == "error";
    if (has_error_ || type != "message" || !content) return false;
    begin(id, model);
    json::take(object.reset());
    each_element(json::take(object["content"]), [&](od::value block) {
      begin_block(read_piece(block));
      end_block();
      index_ = index_of(index_ + 1u);
    });
    stop(reason, sequence);
    tell_usage();
    return true;
  }

  const Dialect& dialect_;
  http::SseReader sse_;
  ChatSink* sink_ = nullptr;
  std::map<std::uint16_t, Block> blocks_;
  std::uint16_t index_ = 0;
  std::uint16_t calls_ = 0;
  Usage usage_;
  bool ended_ = false, has_error_ = false;
};

}  // namespace

std::unique_ptr<EventDecoder> AnthropicDialect::decoder(bool) const {
  return std::make_unique<Decoder>(*this);
}

}  // namespace causeway::anthropic
