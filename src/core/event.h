// A piece of an answer: text, the start of a tool call, usage, the stop. A non-streamed answer is
// the same events. A frame is one unit of an answer on the wire (one SSE event, or a whole body)
// with the events in it; a frame that nobody edits leaves as it came.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/request.h"
#include "core/usage.h"

namespace causeway {

enum class Channel : std::uint8_t { Content, Reasoning, Refusal, ToolArguments };

enum class EventKind : std::uint8_t {
  Text,
  TextEnd,  // of a lane: what is held of it goes out in front of this frame; stages do not see it
  ToolCall,
  Usage,
  Stop,
};

/// Why an answer ended. A reason that is not known stays Unknown: it is never taken for Done.
enum class Stop : std::uint8_t { None, Done, Length, Tools, Filtered, Broken, Pause, Unknown };

/// Which text an event belongs to: the runner holds back and releases per lane.
struct Lane {
  std::uint16_t choice = 0;
  std::uint16_t item = 0;  // tool call index; 0 for content
  Channel channel = Channel::Content;
  bool operator==(const Lane&) const = default;
};

/// The text of an event as a stage sees it: what of its lane has not been released yet, as far as
/// the stage asked to see (Hold). What a stage replaces is final: it is not shown to it again.
class EventText {
 public:
  explicit EventText(std::string text) : text_(std::move(text)) {}
  std::string_view get() const { return text_; }
  bool changed() const { return changed_; }
  /// Replaces the bytes [begin, end) of get().
  void replace(std::size_t begin, std::size_t end, std::string_view with) {
    text_.replace(begin, end - begin, with);
    changed_ = true;
    if (begin + with.size() > final_) final_ = begin + with.size();
  }
  void set(std::string text) {
    const std::size_t size = text.size();
    set(std::move(text), size);
  }
  /// Of the new text, the first `final_bytes` are final.
  void set(std::string text, std::size_t final_bytes) {
    text_ = std::move(text);
    changed_ = true;
    final_ = final_bytes;
  }
  /// Of a stage whose Hold is asked(): bytes from here on are shown again, with what comes next.
  void hold_from(std::size_t at) { held_from_ = at; }
  std::size_t held_from() const { return std::min(held_from_, text_.size()); }
  /// Bytes from the front that a replacement made final.
  std::size_t final_bytes() const { return final_; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::size_t final_ = 0;
  std::size_t held_from_ = std::string::npos;
  bool changed_ = false;
};

struct Event {
  EventKind kind = EventKind::Text;
  Lane lane;
  EventText* text = nullptr;     // of Text, only inside on_event
  const Usage* usage = nullptr;  // of Usage
  Stop stop = Stop::None;        // of Stop
  std::string_view raw;          // stop reason or tool name as the provider wrote it
  bool last = false;             // of Text: nothing more comes in this lane
  bool repeats = false;          // of Text: all of the lane's text once more, as some dialects end
  ByteRange value{};             // of Text: the JSON string in Frame::data
};

struct Frame {
  enum class Kind : std::uint8_t {
    Data,
    End,      // the dialect's own terminal mark ("[DONE]"), or a whole body
    Error,    // the provider reports an error inside the answer
    Ignored,  // comments, unknown events: pass or leave out, nothing to look into
  };
  Kind kind = Kind::Data;
  std::string_view wire;  // the whole unit with its framing
  std::string_view data;  // the payload, JSON for Data
  std::vector<Event> events;
  Usage usage;                   // what a Usage event points to
  bool has_content = false;      // something that a reader of the answer sees
  bool usage_only = false;       // carries nothing but usage
  bool has_logprobs = false;     // tells the probabilities of tokens
  bool more = false;             // carries something that is no event: a role, annotations
  ByteRange id, created, model;  // raw JSON values of the answer's identity, where present
  ByteRange fingerprint;         // of what runs the model, likewise
  std::uint32_t usage_at = 0;    // in data: where a first member of the usage object would stand;
                                 // 0 = no usage, or one that tells its cost itself

  // Set by the runner for a frame whose texts were held or edited: one entry per Text event, in
  // order. Empty = untouched.
  std::vector<std::string> released;
  bool swallowed = false;  // every text of it is held and nothing else is in it

  void clear();
};

/// Bytes to be written: views into pieces that live until the write has ended, and strings made
/// here.
class Bytes {
 public:
  void view(std::string_view piece);
  void own(std::string piece);
  const std::vector<std::string_view>& spans() const { return spans_; }
  bool empty() const { return spans_.empty(); }
  std::size_t size() const;
  std::size_t owned_size() const;
  void clear() {
    spans_.clear();
    owned_.clear();
  }

 private:
  std::vector<std::string_view> spans_;
  std::list<std::string> owned_;
};

/// How much of a lane's text a stage must see before any of it may go out.
struct Hold {
  enum class Kind : std::uint8_t { None, Window, Sentence, Whole, Asked };
  Kind kind = Kind::None;
  std::uint32_t bytes = 0;  // of Window: a match of up to this many bytes is always seen whole

  static Hold none() { return {}; }
  static Hold window(std::uint32_t n) { return {Kind::Window, n}; }
  static Hold sentence() { return {Kind::Sentence, 0}; }
  static Hold whole() { return {Kind::Whole, 0}; }
  /// Each time as much as the stage says: EventText::hold_from().
  static Hold asked() { return {Kind::Asked, 0}; }
};

}  // namespace causeway
