#include "app/config_text.h"

#include <algorithm>
#include <charconv>

namespace causeway::app {
namespace {

constexpr std::string_view kMark = "<kept-";

std::string mark_of(std::size_t number) {
  return std::string(kMark) + std::to_string(number) + ">";
}

std::uint32_t characters(std::string_view text) {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// A value of the file without its quotes, for the search in messages.
std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && (value[0] == '"' || value[0] == '\'');
  return quoted ? value.substr(1, value.size() - 2) : value;
}

std::unexpected<Error> not_shown(std::string why) {
  return fail(ErrorKind::InvalidRequest, Origin::Us, std::move(why), "config_not_shown");
}

}  // namespace

std::pair<std::size_t, std::size_t> ConfigText::mark_at(std::string_view text) {
  const bool quoted = !text.empty() && (text[0] == '"' || text[0] == '\'');
  const std::string_view mark = text.substr(quoted ? 1 : 0);
  if (!mark.starts_with(kMark)) return {0, 0};
  std::size_t number = 0;
  const char* digits = mark.data() + kMark.size();
  const auto [end, bad] = std::from_chars(digits, mark.data() + mark.size(), number);
  if (bad != std::errc() || end == mark.data() + mark.size() || *end != '>') return {0, 0};
  const auto size = static_cast<std::size_t>(end + 1 - mark.data());
  if (!quoted) return {number, size};
  const bool closed = size < mark.size() && mark[size] == text[0];
  return closed ? std::pair(number, size + 2) : std::pair<std::size_t, std::size_t>(0, 0);
}

Result<ConfigText> ConfigText::hide(std::string_view text, const FindConfidential& find) {
  if (text.find(kMark) != text.npos) {
    return not_shown("the file holds \"" + std::string(kMark) +
                     "\", which stands for what is hidden here");
  }
  const auto slices = find(text);
  if (!slices) return not_shown(slices.error());
  ConfigText hidden;
  std::size_t at = 0;
  for (const auto& slice : *slices) {
    hidden.shown_ += text.substr(at, slice.begin - at);
    hidden.kept_.emplace_back(text.substr(slice.begin, slice.size));
    hidden.shown_ += mark_of(hidden.kept_.size());
    at = slice.begin + slice.size;
  }
  hidden.shown_ += text.substr(at);
  // What is shown is looked through once more, as if it were a file: nothing but marks may be left.
  const auto left = find(hidden.shown_);
  if (!left) return not_shown(left.error());
  for (const auto& slice : *left) {
    const auto value = std::string_view(hidden.shown_).substr(slice.begin, slice.size);
    if (mark_at(value).second != value.size()) {
      return not_shown("a secret stands in it in a form that cannot be hidden");
    }
  }
  return hidden;
}

Result<ConfigText::Restored> ConfigText::restore(std::string_view edited) const {
  Restored restored;
  std::uint32_t line = 1, column = 1;
  for (std::size_t i = 0; i < edited.size();) {
    const auto [number, size] = mark_at(edited.substr(i));
    if (size == 0) {
      const char c = edited[i++];
      restored.text += c;
      if (c == '\n') {
        ++line;
        column = 1;
      } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
        ++column;
      }
      continue;
    }
    if (number == 0 || number > kept_.size()) {
      return fail(ErrorKind::InvalidRequest, Origin::Client,
                  "line " + std::to_string(line) + ": " + mark_of(number) +
                      " stands for nothing in this file",
                  "invalid_request");
    }
    const std::string& value = kept_[number - 1];
    restored.changes.push_back({line, column, characters(value), static_cast<std::uint32_t>(size),
                                restored.text.size(), value.size()});
    restored.text += value;
    column += characters(value);
    i += size;
  }
  return restored;
}

Result<void> ConfigText::check_places(const Restored& restored, const FindConfidential& find) {
  if (restored.changes.empty()) return {};
  const auto secrets = find(restored.text);
  if (!secrets) return {};
  for (const Restored::Change& change : restored.changes) {
    const bool in_place = std::ranges::any_of(*secrets, [&](const auto& slice) {
      return slice.begin <= change.begin && change.begin + change.bytes <= slice.begin + slice.size;
    });
    if (in_place) continue;
    return fail(ErrorKind::InvalidRequest, Origin::Client,
                "line " + std::to_string(change.line) +
                    ": what is hidden may stand only where a secret does",
                "invalid_request");
  }
  return {};
}

config::Position ConfigText::Restored::shown_at(config::Position at) const {
  std::uint32_t column = at.column;
  for (const Change& change : changes) {
    if (change.line != at.line || change.column >= at.column) continue;
    const std::uint32_t inside = std::min(at.column - change.column, change.size);
    column = column - inside + (inside < change.size ? 0 : change.shown_size);
  }
  return {at.line, column};
}

std::string ConfigText::scrub(std::string message) const {
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const auto value = unquoted(kept_[i]);
    // Also where a message has cut it. What is very short is no secret, and half of all words
    // hold it.
    const auto begins = value.substr(0, 8);
    if (begins.size() < 4) continue;
    for (auto at = message.find(begins); at != message.npos; at = message.find(begins, at + 1)) {
      std::size_t size = begins.size();
      while (at + size < message.size() && size < value.size() && message[at + size] == value[size])
        ++size;
      message.replace(at, size, mark_of(i + 1));
    }
  }
  return message;
}

std::optional<std::string> without_new_secrets(std::string_view edited,
                                               const FindConfidential& find) {
  const auto slices = find(edited);
  if (!slices) return std::nullopt;
  std::string shown;
  std::size_t at = 0;
  for (const auto& slice : *slices) {
    const auto value = edited.substr(slice.begin, slice.size);
    const bool mark = value.find(kMark) != value.npos && value.size() < kMark.size() + 10;
    shown += edited.substr(at, slice.begin - at);
    shown += mark ? value : "<hidden>";
    at = slice.begin + slice.size;
  }
  shown += edited.substr(at);
  return shown;
}

}  // namespace causeway::app
