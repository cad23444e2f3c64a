// Parts of a conversation as content blocks of Converse.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/chat.h"
#include "platform/base/error.h"
#include "platform/text/json_writer.h"

namespace causeway::converse {

/// The id of a tool's call as Bedrock takes it: at most 64 letters of a few kinds. An id that fits
/// stays as it is.
std::string call_id(std::string_view id);

/// The JSON of a call's arguments: what the model wrote where that is an object; else, as of an
/// answer that was cut, an object with the text.
std::string input_of(std::string_view arguments);

/// A text without a letter, which Bedrock refuses.
bool is_blank(std::string_view text);

/// Where the prompt up to here may be cached; `cache` in the form of ChatPart.
void write_cache_point(text::JsonWriter& json, std::string_view cache);

class BlockWriter {
 public:
  /// Appends the block of a part; nothing for a part that has none. False: it can only be left
  /// out, and the answer is right without it.
  bool write(text::JsonWriter& json, const ChatPart& part);
  /// Why a part cannot be said at all.
  const std::optional<std::string>& refusal() const { return refusal_; }

 private:
  void write_source(text::JsonWriter& json, const Media& media, std::string_view what);
  void write_image(text::JsonWriter& json, const ChatPart& part);
  void write_document(text::JsonWriter& json, const ChatPart& part);
  void write_audio(text::JsonWriter& json, const ChatPart& part);
  void write_result(text::JsonWriter& json, const ChatPart& part);
  bool write_reasoning(text::JsonWriter& json, const ChatPart& part);
  std::string name_of(const ChatPart& document);
  void refuse(std::string why) {
    if (!refusal_) refusal_ = std::move(why);
  }

  std::map<std::string, int> names_;  // of documents, each of which must have one of its own
  std::optional<std::string> refusal_;
};

}  // namespace causeway::converse
