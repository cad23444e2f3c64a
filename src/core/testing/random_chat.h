// For tests of dialects: random conversations and answers, and what of an answer must survive any
// translation.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "core/chat.h"
#include "core/chat_event.h"
#include "core/dialect.h"

namespace causeway::testing {

/// What every dialect can say: system prompt, texts in several languages, tool calls with their
/// results, tools, the common numbers.
Chat random_chat(std::mt19937_64& random);

/// What a reader of an answer gets, without how it was cut into pieces.
struct ReadAnswer {
  std::string text, reasoning;
  struct Call {
    std::string id, name, arguments;
    bool operator==(const Call&) const = default;
  };
  std::vector<Call> calls;
  Stop stop = Stop::None;
  std::uint64_t input = 0, output = 0, cached = 0;
  bool ended = false;
  bool operator==(const ReadAnswer&) const = default;
};
std::ostream& operator<<(std::ostream& out, const ReadAnswer& answer);

/// Collects events of one choice.
class ReadingSink final : public ChatSink {
 public:
  void event(const ChatEvent& event) override;
  ReadAnswer answer;
};

/// Events of one answer that own their texts.
struct OwnedEvent {
  ChatEvent event;
  std::string text, id, name;
  /// The event with views into this.
  ChatEvent view() const;
};
std::vector<OwnedEvent> random_answer(std::mt19937_64& random, const Usage& usage);

/// A random text: escapes, several bytes per letter, line feeds.
std::string random_text(std::mt19937_64& random, std::size_t most);

/// Feeds `wire` in random pieces, then its end.
Result<void> feed_in_pieces(EventDecoder& decoder, std::string_view wire, ChatSink& sink,
                            std::mt19937_64& random);

/// What a reader of frames makes of an answer, each text by its pieces. Calls have neither ids nor
/// names there: they stand in the frames' bytes.
Result<ReadAnswer> read_frames(AnswerReader& reader, std::string_view wire, bool whole);

}  // namespace causeway::testing
