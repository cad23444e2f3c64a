// A conversation in no dialect's own form: what a request is decoded to when the target speaks
// another dialect than the application, and encoded from. It holds everything that at least two
// dialects can say; what only one can say stands in `others` and is never lost without a word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/request.h"

namespace causeway {

/// JSON text of one complete value; empty = not there.
using RawJson = std::string;

/// An image, a document, audio: its bytes, or where they are. Exactly one of data, url and file is
/// set.
struct Media {
  std::string type;    // "image/png", "application/pdf", "audio/wav"; empty = not known
  std::string data;    // base64
  std::string url;     // https://, gs://, s3://
  std::string file;    // a provider's id of an uploaded file
  std::string name;    // title or file name
  std::string detail;  // of an image: "low", "high", "auto"; empty = not said
};

/// What a model adds so that its own text can be given back to it unchanged (a signature of its
/// reasoning). Only the dialect that made it understands it; others leave it out.
struct Seal {
  std::string dialect;  // "anthropic", "gemini", "openai"; empty = no seal
  std::string value;
};

struct ChatPart {
  enum class Kind : std::uint8_t {
    Text,
    Image,
    Document,
    Audio,
    ToolCall,    // of an assistant: id, name, arguments
    ToolResult,  // of a tool: id, name where known, content
    Reasoning,   // of an assistant: text, seal; hidden = there is only the seal
    Refusal,     // of an assistant: text
  };
  Kind kind = Kind::Text;
  std::string text;  // of Text, Reasoning, Refusal; of Document: its text where it has no bytes
  Media media;       // of Image, Document, Audio
  std::string id;    // of ToolCall and ToolResult: which call
  std::string name;  // of ToolCall and ToolResult: which tool
  RawJson
      arguments;  // of ToolCall: the text as the model wrote it, which ought to be a JSON object
  std::vector<ChatPart> content;  // of ToolResult: Text, Image, Document
  bool failed = false;            // of ToolResult
  bool hidden = false;            // of Reasoning
  Seal seal;
  RawJson cache;       // where the prompt up to here may be cached (anthropic's cache_control)
  RawJson citations;   // of Text: an array, as its dialect wrote it
  bool cites = false;  // of Document: citations are wanted
};

/// Roles: System, Developer, User, Assistant, Tool. Several System messages may stand anywhere.
struct ChatMessage {
  Role role = Role::User;
  std::string name;
  std::vector<ChatPart> parts;
};

struct ChatTool {
  std::string name, description;
  RawJson schema;  // of its arguments; empty = none
  bool strict = false;
  RawJson cache;  // as in ChatPart
};

struct ToolChoice {
  enum class Kind : std::uint8_t { Unset, Auto, None, Required, Named };
  Kind kind = Kind::Unset;
  std::string name;  // of Named
};

struct ResponseFormat {
  enum class Kind : std::uint8_t { Unset, Text, JsonObject, JsonSchema };
  Kind kind = Kind::Unset;
  std::string name, description;  // of JsonSchema
  RawJson schema;
  bool strict = false;
};

struct ReasoningWish {
  std::string effort;                  // "none", "minimal", "low", "medium", "high", "xhigh"
  std::optional<std::int64_t> budget;  // tokens; -1 = the model decides
  bool off = false;                    // said to be off
  bool visible = false;                // thoughts or their summary are wanted in the answer
};

struct Chat {
  /// A field of the request that no other dialect knows.
  struct Other {
    std::string field;  // as the application wrote it
    RawJson value;
    bool hint =
        false;  // the answer is right without it: left out where the target does not know it
  };

  std::string model;
  std::vector<ChatMessage> messages;
  std::vector<ChatTool> tools;
  ToolChoice tool_choice;
  std::optional<bool> parallel_tools;
  ResponseFormat format;
  ReasoningWish reasoning;

  std::optional<std::uint32_t> max_tokens;
  std::optional<double> temperature, top_p, frequency_penalty, presence_penalty;
  std::optional<std::uint32_t> top_k;
  std::optional<std::int64_t> seed;
  std::vector<std::string> stop;
  std::uint32_t choices = 1;
  std::optional<bool> logprobs;
  std::optional<std::uint32_t> top_logprobs;
  std::string user;  // the application's identifier of its user

  bool stream = false;
  std::vector<Other> others;
};

/// Bytes that a request with this conversation is likely to need, so that an encoder allocates
/// once.
inline std::size_t room_for(const Chat& chat) {
  constexpr std::size_t kAround = 64;  // keys and brackets
  std::size_t room = 16 * kAround;
  for (const auto& message : chat.messages) {
    for (const auto& part : message.parts) {
      room += kAround + part.text.size() + part.arguments.size() + part.media.data.size();
      for (const auto& inner : part.content) room += kAround + inner.text.size();
    }
  }
  for (const auto& tool : chat.tools)
    room += kAround + tool.description.size() + tool.schema.size();
  return room;
}

/// What encoding a Chat for a target had to leave out.
struct LeftOut {
  std::vector<std::string> fields;  // that change the answer: to be refused, unless policy drops
  std::vector<std::string> hints;   // that do not
};

}  // namespace causeway
