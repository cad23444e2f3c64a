// Puts the real words back into an answer, piece by piece: stand-ins as they were made, and bent a
// little: another case, a blank or a line break or "\_" for "_", a possessive inside, a bracket
// lost.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/event.h"
#include "features/privacy/pii/stand_ins.h"
#include "features/privacy/pii/url_context.h"

namespace causeway::pii {

class Restorer {
 public:
  /// Without `in_urls`, what stands inside of a URL stays as it is.
  explicit Restorer(const StandIns& stand_ins, bool in_urls = false)
      : stand_ins_(stand_ins), pseudonyms_(stand_ins.has_pseudonyms()), in_urls_(in_urls) {}

  /// Where a lane stands between two pieces.
  struct Place {
    bool arguments = false;  // of a tool call: a program reads them
    bool begun = false;
    bool json = false;     // the lane is a JSON document: what is put into it is escaped
    char before = 0;       // the byte in front of what is held
    UrlContext as_text{};  // of all that is in front of it and of `unread`
    UrlContext as_json{};
    std::string unread{};  // what the contexts are told as soon as there is a stand-in
  };

  /// Replaces what is whole and asks to hold what may become whole with the next piece. With
  /// `exact`, only what is byte for byte a stand-in counts. The number of replacements.
  std::size_t run(EventText& text, Place& place, bool last, bool exact) const;

 private:
  struct Found {
    enum What : std::uint8_t { Nothing, Value, Wait } what = Nothing;
    std::size_t end = 0;                 // behind what is replaced; of Nothing, where to go on
    std::string_view value{}, ending{};  // what stands there instead
  };
  struct Seen {
    std::string_view text;
    char before;
    bool last, exact, json;
    char front(std::size_t at) const { return at > 0 ? text[at - 1] : before; }
  };
  static void read_all(Place& place);
  static void read(Place& place, std::string_view text, bool escaped);
  bool is_stand_in(std::string_view name, Found& found) const;
  Found look(const Seen& seen, std::size_t at) const;
  Found bracket(const Seen& seen, std::size_t at) const;
  Found closed(const Seen& seen, std::size_t at, std::size_t close) const;
  Found bare(const Seen& seen, std::size_t at) const;
  Found pseudonym(const Seen& seen, std::size_t at) const;

  const StandIns& stand_ins_;
  bool pseudonyms_, in_urls_;
};

}  // namespace causeway::pii
