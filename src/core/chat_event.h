// The answer in no dialect's own form: what a provider's bytes are decoded to when the application
// speaks another dialect, and encoded from. A whole answer is the same events as a streamed one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/event.h"
#include "platform/base/error.h"

namespace causeway {

/// One step of an answer. The order: Begin; then, for each item, ToolCall or Text (an item begins
/// with its first event); Stop once for each choice; Usage at any time, the last one counts; End.
/// Views live until the call that was given the event returns.
struct ChatEvent {
  enum class Kind : std::uint8_t {
    Begin,     // id, model, created
    Text,      // a piece in its lane, of whole letters; of the channel ToolArguments: JSON text
    ToolCall,  // id, name: begins the call that lane.item counts
    Seal,      // dialect, text, hidden: belongs to the item of its lane
    Citation,  // text: JSON, dialect: of the text in its lane
    Stop,      // stop, raw; text: the stop sequence that was met, where it is known
    Usage,     // usage
    End,       // the answer is complete
  };
  Kind kind = Kind::Text;
  Lane lane;  // item: of tool calls their order; of texts their block's, which rises
  std::string_view text;
  std::string_view id, name;  // of Begin: id is the answer's, name the model's
  std::string_view dialect;
  std::int64_t created = 0;  // of Begin: Unix seconds, 0 = not told
  causeway::Stop stop = causeway::Stop::None;
  std::string_view raw;  // of Stop: the reason as the provider wrote it
  const causeway::Usage* usage = nullptr;
  bool hidden = false;  // of Seal: of reasoning of which there is only the seal
};

class ChatSink {
 public:
  virtual ~ChatSink() = default;
  virtual void event(const ChatEvent& event) = 0;
};

/// A provider's bytes → events. One per attempt; it is called either with feed() or with whole().
class EventDecoder {
 public:
  virtual ~EventDecoder() = default;
  /// The next bytes of a streamed answer, with 64 readable bytes behind them. Errors:
  /// UpstreamBroken when they are not this dialect, or what the provider reports inside the
  /// stream, classified; events before it have been given.
  virtual Result<void> feed(std::string_view piece, ChatSink& sink) = 0;
  /// The bytes have ended. Errors: UpstreamBroken ("upstream_cut") when End has not been given and
  /// is not due.
  virtual Result<void> finish(ChatSink& sink) = 0;
  /// An answer that was not streamed; 64 readable bytes behind it. Errors: UpstreamBroken when it
  /// has not the shape of an answer: there is no empty success.
  virtual Result<void> whole(std::string_view body, ChatSink& sink) = 0;
  /// About how many bytes of memory it has until the next feed(): it is taken from a budget.
  virtual std::size_t kept() const = 0;
};

/// What an encoder must know of the request.
struct EncoderSettings {
  bool stream = false;
  std::string_view id;       // for an answer whose provider gives none
  std::string_view model;    // that the application asked for; used where the provider tells none
  std::int64_t created = 0;  // Unix seconds
  const Request* request = nullptr;  // for dialects whose answers tell what was asked
};

/// Events → bytes as a provider of this dialect would send them: a stream, or at End a whole body.
class EventEncoder {
 public:
  virtual ~EventEncoder() = default;
  virtual void event(const ChatEvent& event, std::string& out) = 0;
  /// As the decoder's: of what a stream has been told, what it says later or once more.
  virtual std::size_t kept() const { return 0; }
};

}  // namespace causeway
