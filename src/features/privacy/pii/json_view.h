// A text that is itself JSON (arguments of a tool, a document): what a detector should read of it,
// and how what is found there is put back so that it stays JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::pii {

/// Whether a text begins as a JSON object, or as a list that is no stand-in ("[EMAIL] …"). White
/// space and the opening line of a code fence may stand in front.
bool begins_as_json(std::string_view text);

/// A replacement in the text as it was given, in bytes.
struct Piece {
  std::uint32_t begin = 0, end = 0;
  bool number = false;  // a bare number: what replaces it needs quotes
};

class JsonView {
 public:
  explicit JsonView(std::string_view json);

  /// The text as one would write it by hand: without quotes, the escapes of strings undone, the
  /// words in names of members apart. {"patient_name":"J\u00f6rg"} is {patient name:Jörg}.
  std::string_view plain() const { return plain_; }
  /// Where bytes [begin, end) of plain() stand in the JSON: one piece for each string and number
  /// that they touch, never the marks between them, and names of members only where nothing else
  /// is. Where words stand outside of strings it was no JSON after all: then all of it in one
  /// piece.
  void pieces(std::uint32_t begin, std::uint32_t end, std::vector<Piece>& out) const;

 private:
  struct Run {
    std::uint32_t plain, json;  // where it begins in either
    bool escape;                // its bytes are not one for one
  };
  struct Leaf {
    std::uint32_t begin, end;  // in the JSON, without quotes
    bool number, name;
  };
  void read(std::string_view json);
  std::size_t read_string(std::string_view json, std::size_t at);
  void add_string(std::string_view json, std::size_t begin, std::size_t end, bool name);
  void add_run(std::size_t json, std::string_view plain, std::size_t json_size);
  std::uint32_t json_of(std::uint32_t plain, bool up) const;

  std::string plain_;
  std::vector<Run> runs_;
  std::vector<Leaf> leaves_;
  bool json_ = true;  // nothing outside of strings but what JSON has there
};

}  // namespace causeway::pii
