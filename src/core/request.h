// The view that stages have of a request: the body as it came, an index into it made by the
// application's dialect, and the edits of this fork. Bytes that nobody touched leave as they came;
// an edit replaces one whole JSON value. Forking is cheap and copies only edits: each attempt works
// on its own fork, because a fallback may stand in another zone or speak another dialect.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/base/error.h"

namespace causeway {

enum class Role : std::uint8_t { None, System, Developer, User, Assistant, Tool, Function, Other };

/// What kind of words a text holds.
enum class TextKind : std::uint8_t {
  Content,        // a message's text, or one text part of it
  Refusal,        // an assistant's refusal
  ToolArguments,  // arguments of a tool call, JSON in a string
  ToolResult,     // content of a tool's message
  Name,           // a participant's or file's name
  File,           // file contents in the request (base64 or text)
  Prompt,         // prompt of a text completion
  Suffix,         // what stands behind the insertion point
  Input,          // an embedding's input
  UserId,         // the application's own identifier of its user
  Metadata,       // a metadata value
  Description,    // a tool's or schema's description
  Other,          // any other string, or a long whole number: what no reader knows by its name
};

/// Where a text stands.
struct Where {
  Role role = Role::None;
  TextKind kind = TextKind::Content;
  std::uint16_t message = 0;  // index in the original messages; of inserted ones: where they go
  std::uint16_t part = 0;     // index of the text inside its message
};

/// A message that a stage adds.
struct Message {
  Role role = Role::System;
  std::string text;
};

/// Half-open range of bytes in the body.
struct ByteRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool empty() const { return begin == end; }
};

/// Made once per request by Dialect::read. Never changed afterwards, shared by all forks.
struct RequestIndex {
  struct Member {
    std::string_view key;  // unescaped
    ByteRange whole;       // from the key's quote to the value's end
    ByteRange value;
  };
  struct TextAt {
    Where where;
    ByteRange value;  // the JSON string with its quotes; of Other, also a bare number
  };
  struct MessageAt {
    Role role = Role::None;
    ByteRange value;
    bool names_role = true;  // false: by its absence
  };
  /// A call of a tool, or its result: neither may stand without the other.
  struct CallAt {
    std::uint16_t message = 0;
    bool result = false;
    std::string_view id;  // of the call; empty = of the last call before it
  };

  std::string_view body;  // 64 readable bytes stand behind it
  std::vector<Member> members;
  std::vector<TextAt> texts;
  std::vector<MessageAt> messages;
  std::vector<CallAt> calls;  // in the order of the body
  ByteRange messages_array;   // with its brackets; empty = no messages
  std::string (*encode_message)(const Message&) = nullptr;  // of the dialect; null = no messages

  // Of dialects whose system prompt stands outside the messages: the member that holds it, and what
  // it becomes with texts in front of it and behind it (`value` is empty where there is none).
  using Texts = std::vector<std::string_view>;
  std::string_view system_member;  // empty = system prompts are messages like others
  std::string (*encode_system)(std::string_view value, const Texts& before,
                               const Texts& behind) = nullptr;
  std::deque<std::string> unescaped_keys;  // storage for keys that had escapes

  std::string_view model;
  bool stream = false;
  bool usage_wanted = false;     // the client asked for usage in its stream
  ByteRange usage_wanted_value;  // where the body says so (true, false, null); empty = nowhere
  std::optional<std::uint32_t> max_tokens;
  std::array<ByteRange, 2>
      max_tokens_values;      // where the body says so: OpenAI has two names for it
  std::uint32_t choices = 1;  // n
  std::uint32_t inputs = 0;   // texts to embed
  bool has_tools = false;
  bool has_system_prompt = false;
  bool has_unread_content = false;  // images, audio, files: what no text stage can read
  std::vector<ByteRange> unread;    // the parts of messages that hold such content
  bool unread_elsewhere = false;    // there is more of it than stands in these parts
  std::string_view left_out_part;   // of the dialect: what may stand in the place of such a part
  bool base64_embeddings = false;

  std::string_view bytes(ByteRange range) const {
    return body.substr(range.begin, range.end - range.begin);
  }
  const Member* member(std::string_view key) const;
  void clear();  // keeps the memory
};

/// The gathered bytes of a body; views into the body and into the request's edits.
using Spans = std::vector<std::string_view>;

class Request;

/// One text of a request: a JSON string value, decoded when first read. A light handle; valid while
/// its request lives and no message is inserted or dropped.
class Text {
 public:
  Text(Request& request, std::uint32_t index) : request_(&request), index_(index) {}
  Where where() const;
  /// Where it stands in the body; empty for a message that was inserted.
  ByteRange value() const;
  std::string_view get() const;
  void set(std::string text);

 private:
  Request* request_;
  std::uint32_t index_;
};

class Request {
 public:
  Request() = default;
  explicit Request(const RequestIndex& index) : index_(&index) {}
  Request(Request&&) = default;
  Request& operator=(Request&&) = default;

  /// A copy that shares the body and its index and begins with this fork's edits.
  Request fork() const;

  const RequestIndex& index() const { return *index_; }
  std::string_view body() const { return index_->body; }
  std::string_view model() const { return index_->model; }
  bool edited() const { return !edits_.empty() || changed_messages(); }

  std::uint32_t text_count() const;
  Text text(std::uint32_t index) { return {*this, index}; }
  /// All texts in the order of the body, inserted messages in their places.
  std::vector<Text> texts();

  /// The raw JSON of a top-level member, as edited in this fork but for messages that are inserted
  /// or dropped; nullopt when it is not there.
  std::optional<std::string_view> member(std::string_view key) const;
  /// Replaces a top-level member's value, or adds the member. `json` is a complete JSON value.
  void set_member(std::string_view key, std::string json);
  /// Where the body sets a limit to the answer's tokens, this one.
  void set_max_tokens(std::uint64_t most);
  /// Takes a top-level member out; nothing happens when it is not there.
  void remove_member(std::string_view key);

  /// Puts a message before the original message `at` (index().messages.size() = behind the last).
  /// A system prompt goes in front of the application's own where `at` is 0, else behind it, if the
  /// dialect has a place of its own for it.
  /// Errors: NotImplemented for operations that have no messages.
  Result<void> insert(std::size_t at, Message message);
  /// Leaves out the original messages `at`.
  void drop(std::span<const std::size_t> at);
  void drop(std::size_t at) { drop({&at, 1}); }
  bool is_dropped(std::size_t message) const { return !dropped_.empty() && dropped_[message]; }

  /// Adds a member that the original message `at` does not have, in front of its others.
  void add_to_message(std::size_t at, std::string_view key, std::string_view json);
  /// Puts the dialect's left_out_part in the place of the part index().unread[at]. Texts inside it
  /// are not to be set.
  void leave_out(std::size_t at);

  /// Bytes of all texts that a reader knows by their names, as edited, for estimates of tokens.
  std::uint64_t text_bytes() const;

  /// The body as edited, appended to `out`. Views live as long as this fork and its body.
  void bytes(Spans& out) const;
  std::string joined() const;

 private:
  friend class Text;
  struct Edit {
    ByteRange range;  // what it replaces; empty = an insertion
    std::string with;
  };
  // What stages read of a text, by its index. Views into it are given out; an empty one costs
  // nothing, as most requests stay as they came.
  using Decoded = std::unordered_map<std::uint32_t, std::string>;
  struct Inserted {
    std::size_t at;
    Message message;
    mutable std::string encoded;
  };
  // Which text a handle means: an original one or an inserted message's.
  struct TextOrder {
    bool inserted;
    std::uint32_t index;
  };

  static std::optional<std::string_view> added_value(const Edit& edit, std::string_view key);
  bool changed_messages() const { return !inserted_.empty() || !dropped_.empty(); }
  bool is_message(const RequestIndex::TextAt& text) const;
  bool counts(const RequestIndex::TextAt& text) const;
  void put_edit(ByteRange range, std::string with);
  static bool covers(const Edit& edit, const RequestIndex::Member& member);
  static bool is_inside(const Edit& edit, ByteRange value);
  std::vector<bool> removed_members() const;
  void put_removals(const std::vector<bool>& gone);
  void rebuild_order();
  TextOrder locate(std::uint32_t index) const;
  static bool begins_object(const Spans& out);
  void bytes_between(std::uint32_t begin, std::uint32_t end, Spans& out) const;
  bool is_apart(const Inserted& inserted) const;
  ByteRange system_range() const;
  void messages_bytes(Spans& out) const;
  void system_bytes(Spans& out) const;

  const RequestIndex* index_ = nullptr;
  std::vector<Edit> edits_;  // sorted by begin, not overlapping
  Decoded edited_texts_;
  std::vector<Inserted> inserted_;
  mutable std::string system_;              // as encoded with what was inserted
  std::vector<bool> dropped_;               // by message; empty = none
  std::vector<TextOrder> order_;            // only when messages were inserted or dropped
  mutable Decoded decoded_;                 // of texts with escapes
  mutable std::list<std::string> members_;  // values with edits inside of them
};

/// Decodes a JSON string with its quotes. Without escapes the view into `json` is returned,
/// otherwise `storage` is filled. The text was checked when the request was read.
std::string_view decode_json_string(std::string_view json, std::string& storage);
/// A JSON string with quotes. Invalid UTF-8 must not be passed.
std::string encode_json_string(std::string_view text);

}  // namespace causeway
