#include "features/privacy/pii/restorer.h"

#include <algorithm>

#include "features/privacy/pii/blocks.h"
#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/json_view.h"
#include "platform/text/json_writer.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kMostInner = 64;  // bytes between brackets
constexpr std::size_t kRoom = 128;      // bytes that words are longer than their stand-ins
constexpr std::size_t kMostUnread = 8192;
constexpr std::size_t kMostFence = 24;  // bytes of the line "```json"
constexpr std::string_view kApostrophe = "\xE2\x80\x99";

// The next byte that a stand-in in brackets may begin with, its opening bracket lost or not.
std::size_t next_begin(std::string_view text, std::size_t at) {
  const auto many = [](const Block& block) {
    return ((block >= 'A') & (block <= 'Z')) | (block == '[');
  };
  return find_byte(text, at, many, [](char c) { return is_upper(c) || c == '['; });
}

// What may stand between the letters of a bent name.
constexpr bool is_filler(char c) {
  return c == '_' || c == '-' || c == ' ' || c == '\\' || c == '\n' || c == '\r' || c == '\t' ||
         c == '\'' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

constexpr bool in_name(char c) { return is_upper(c) || is_digit(c) || c == '_'; }

// A backslash belongs to a name where it escapes "_".
std::size_t name_end(std::string_view text, std::size_t i) {
  while (in_name(at(text, i)) || (at(text, i) == '\\' && at(text, i + 1) == '_')) ++i;
  return i;
}

// "'s" and the like at the end of a name, "" where there is none.
std::string_view possessive(std::string_view inner) {
  for (const std::string_view end : {std::string_view("'s"), std::string_view("\xE2\x80\x99s"),
                                     std::string_view("'"), kApostrophe}) {
    if (inner.ends_with(end)) return inner.substr(inner.size() - end.size());
  }
  return {};
}

bool starts_alike(std::string_view text, std::string_view with) {
  for (std::size_t i = 0; i < std::min(text.size(), with.size()); ++i) {
    if (to_lower(text[i]) != to_lower(with[i])) return false;
  }
  return true;
}

// Whether a lane's first bytes do not tell yet if it is JSON.
bool begin_is_open(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto from = [&](std::size_t at) {
    return text.substr(std::min(text.find_first_not_of(kSpace, at), text.size()));
  };
  std::string_view rest = from(0);
  if (rest.starts_with("```")) {
    const auto line = text.find('\n', text.size() - rest.size());
    if (line == text.npos) return rest.size() < kMostFence;
    rest = from(line);
  }
  const bool bracket = rest.starts_with('[') && rest.find_first_not_of(kSpace, 1) == rest.npos;
  return rest.empty() || bracket || rest == "`" || rest == "``";
}

// The name so far, without a possessive that may be on its way.
std::string_view without_possessive(std::string_view inner) {
  constexpr std::size_t kLongest = 4;  // bytes of "’s"
  const auto at = inner.find_last_of("'\xE2");
  return at != inner.npos && inner.size() - at <= kLongest ? inner.substr(0, at) : inner;
}

}  // namespace

std::size_t Restorer::run(EventText& text, Place& place, bool last, bool exact) const {
  if (!place.begun && !last && begin_is_open(text.get())) {
    text.hold_from(0);
    return 0;
  }
  if (!place.begun) {
    place = {.arguments = place.arguments, .begun = true, .json = begins_as_json(text.get())};
  }
  const std::string_view given = text.get();
  std::size_t restored = 0, copied = 0, i = 0;
  std::size_t known = 0;  // to the contexts of place
  const auto is_in_url = [&](std::size_t at) {
    read_all(place);
    read(place, given.substr(known, at - known), true);
    known = at;
    return place.as_text.inside() || place.as_json.inside();
  };
  std::string out;  // what becomes of given[0, copied)
  for (; i < given.size();) {
    // Most bytes begin nothing.
    if (!pseudonyms_) i = next_begin(given, i);
    if (i == given.size()) break;
    const Found found = look({given, place.before, last, exact, place.json}, i);
    if (found.what == Found::Wait) break;
    if (found.what == Found::Nothing || (!in_urls_ && is_in_url(i))) {
      i = std::max(found.end, i + 1);
      continue;
    }
    // A value may begin a URL that goes on behind it.
    if (!in_urls_) {
      read(place, found.value, false);
      read(place, found.ending, false);
    }
    known = found.end;
    if (restored == 0) out.reserve(given.size() + kRoom);
    out.append(given, copied, i - copied);
    if (place.json) {
      text::append_json_escaped(out, found.value);
    } else {
      out += found.value;
    }
    out += found.ending;
    i = copied = found.end;
    ++restored;
  }
  const std::size_t final_bytes = out.size();
  const std::size_t held = given.size() - i;
  if (i > 0) place.before = given[i - 1];
  if (!in_urls_ && !last) {
    place.unread.append(given, known, i - known);
    if (place.unread.size() > kMostUnread) read_all(place);
  }
  if (restored > 0) {
    out.append(given, copied);
    text.set(std::move(out), final_bytes);
  }
  text.hold_from(text.get().size() - held);
  if (last) place = {.arguments = place.arguments};
  return restored;
}

void Restorer::read_all(Place& place) {
  read(place, place.unread, true);
  place.unread.clear();
}

// A text that looks like JSON may be shown as it is, or what its strings say may be.
void Restorer::read(Place& place, std::string_view text, bool escaped) {
  if (place.json) place.as_json.read(text, escaped);
  if (!place.json || !place.arguments) place.as_text.read(text, false);
}

bool Restorer::is_stand_in(std::string_view name, Found& found) const {
  const StandIns::Entry* entry = stand_ins_.find(name);
  if (entry) found.value = entry->value;
  return entry != nullptr;
}

Restorer::Found Restorer::look(const Seen& seen, std::size_t at) const {
  const char c = seen.text[at];
  if (c == '[') return bracket(seen, at);
  const bool word = is_alnum(c) || (c & 0x80) != 0 || c == '+' || c == '(';
  if (!word) return {};
  const char front = seen.front(at);
  if (is_alnum(front) || front == '_' || (front & 0x80) != 0) return {};
  if (pseudonyms_) {
    Found found = pseudonym(seen, at);
    if (found.what != Found::Nothing) return found;
  }
  if (is_upper(c) && !seen.exact) return bare(seen, at);
  return {};
}

Restorer::Found Restorer::bracket(const Seen& seen, std::size_t at) const {
  const std::string_view text = seen.text;
  std::size_t i = at + 1;
  while (i < text.size() && i - at <= kMostInner && (is_alnum(text[i]) || is_filler(text[i]))) ++i;
  if (i < text.size() && text[i] == ']') {
    Found found = closed(seen, at, i);
    if (found.what == Found::Value) return found;
  }
  const bool open = i == text.size() && !seen.last;
  if (open && stand_ins_.may_begin(without_possessive(text.substr(at + 1)))) return {Found::Wait};
  if (seen.exact) return {};
  // The closing bracket is lost.
  const std::size_t end = name_end(text, at + 1);
  Found found{Found::Value, end};
  if (end > at + 1 && is_stand_in(text.substr(at + 1, end - at - 1), found)) return found;
  return {};
}

Restorer::Found Restorer::closed(const Seen& seen, std::size_t at, std::size_t close) const {
  Found found{Found::Value, close + 1};
  std::string_view inner = seen.text.substr(at + 1, close - at - 1);
  if (seen.exact &&
      !std::ranges::all_of(inner, [](char c) { return is_upper(c) || is_digit(c) || c == '_'; })) {
    return {};
  }
  if (is_stand_in(inner, found)) return found;
  while (inner.ends_with('\\')) inner.remove_suffix(1);
  const std::string_view ending = possessive(inner);
  inner.remove_suffix(ending.size());
  if (ending.empty() || !is_stand_in(inner, found)) return {};
  found.ending = ending;
  return found;
}

// The opening bracket is lost, or both: then only a name with a number counts, since others may be
// anybody's (a column, a variable), and none in a JSON document, where it may be a member's.
Restorer::Found Restorer::bare(const Seen& seen, std::size_t at) const {
  const std::size_t end = name_end(seen.text, at);
  const std::string_view name = seen.text.substr(at, end - at);
  const std::string_view rest = seen.text.substr(end);
  const bool open = !seen.last && (rest.empty() || rest == "\\");
  if (open && stand_ins_.may_begin(name)) return {Found::Wait};
  Found found{Found::Value, end};
  const bool bracket = rest.starts_with(']') || rest.starts_with("\\]");
  if (bracket) found.end = end + (rest.front() == ']' ? 1 : 2);
  const bool uncommon = std::ranges::any_of(name, [](char c) { return is_digit(c); });
  const bool ends = rest.empty() || !is_alnum(rest.front());
  if ((bracket || (uncommon && ends && !seen.json)) && is_stand_in(name, found)) {
    return found;
  }
  return {Found::Nothing, end};
}

Restorer::Found Restorer::pseudonym(const Seen& seen, std::size_t at) const {
  const std::string_view rest = seen.text.substr(at);
  const auto first = static_cast<unsigned char>(to_lower(rest.front()));
  for (const StandIns::Entry* entry : stand_ins_.pseudonyms(first)) {
    const std::string_view name = entry->stand_in;
    if (!starts_alike(rest, name)) continue;
    // What goes on may be another word, or a longer pseudonym.
    if (rest.size() <= name.size() && !seen.last) return {Found::Wait};
    if (rest.size() < name.size()) continue;
    if (rest.size() > name.size() && is_alnum(name.back()) && is_alnum(rest[name.size()])) continue;
    if (seen.exact && rest.substr(0, name.size()) != name) continue;
    return {Found::Value, at + name.size(), entry->value};
  }
  return {};
}

}  // namespace causeway::pii
