// What was said in one exchange: the request as its target got it, and the answer as it came from
// there, before anything was put back into it. On the disk it is sealed; a search opens it and
// looks through it, since a word index would tell the words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/event.h"
#include "platform/base/error.h"
#include "platform/text/json_writer.h"

namespace causeway::traces {

struct Contents {
  static constexpr std::size_t kMost = 256 * 1024;  // bytes of a request, and of an answer

  struct Piece {
    Lane lane;
    std::string tool;  // the name, of a tool's call
    std::string text;
  };
  std::string request;        // a body in the application's dialect
  std::vector<Piece> answer;  // by lane
  bool request_cut = false, answer_cut = false;

  void set_request(std::string body);
  /// A piece of the answer, in the order in which they come.
  void add(const Lane& lane, std::string_view text);
  void add_tool(const Lane& lane, std::string_view name);
  std::size_t bytes() const;

  std::string encoded() const;
  /// Error: Internal, where the bytes are not what encoded() gave.
  static Result<Contents> decode(std::string_view bytes);
  void write(text::JsonWriter& json) const;

 private:
  Piece* piece(const Lane& lane);
  std::size_t answer_bytes_ = 0;
};

/// Looks for words in contents, whatever the case of ASCII letters; texts are read as their
/// JSON says them ("\u00e9" is an e with an accent).
class WordSearch {
 public:
  explicit WordSearch(std::string_view words);
  bool found_in(const Contents& contents);

 private:
  bool found_in(std::string_view text);
  std::string words_;
  std::string plain_;  // of the text at hand
};

}  // namespace causeway::traces
