#include "features/privacy/pii/url_context.h"

#include <algorithm>

#include "features/privacy/pii/blocks.h"
#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

constexpr bool in_scheme(char c) {
  return is_alnum(c) || c == '+' || c == '-' || c == '.' || c == ':' || c == '/' || c == '\\';
}

constexpr bool may_begin(char c) {
  return c == ':' || c == '/' || c == '(' || c == '=' || c == '.';
}

// Most bytes begin no URL.
std::size_t next_begin(std::string_view text, std::size_t at) {
  const auto many = [](const Block& block) {
    return (block == ':') | (block == '/') | (block == '(') | (block == '=') | (block == '.');
  };
  return find_byte(text, at, many, may_begin);
}

constexpr std::string_view kSchemes[] = {"http", "https", "ftp", "file", "ws", "wss"};
// Attributes of HTML whose value is loaded or followed, whatever stands in front ("data-src").
constexpr std::string_view kAttributes[] = {"src", "srcset", "href", "poster", "background"};

}  // namespace

/// The byte `steps` before `at`; a zero byte where nobody knows it any more.
char UrlContext::back(std::string_view text, std::size_t at, std::size_t steps) const {
  if (steps <= at) return text[at - steps];
  const std::size_t before = steps - at;
  return before <= kRecent ? recent_[kRecent - before] : '\0';
}

/// Whether `word`, in any case, stands right before the byte `steps` before `at`.
bool UrlContext::ends_with(std::string_view text, std::size_t at, std::string_view word,
                           std::size_t steps) const {
  for (std::size_t i = 1; i <= word.size(); ++i) {
    if (to_lower(back(text, at, steps + i)) != word[word.size() - i]) return false;
  }
  return true;
}

void UrlContext::read(std::string_view text, bool json) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (state_ == State::Outside) {
      i = next_begin(text, i);
      if (i < text.size()) look_for_begin(text, i);
    } else {
      go_on(text, i, json);
    }
  }
  const std::size_t kept = std::min(text.size(), kRecent);
  std::shift_left(recent_.begin(), recent_.end(), static_cast<std::ptrdiff_t>(kept));
  std::ranges::copy(text.substr(text.size() - kept), recent_.end() - kept);
}

void UrlContext::look_for_begin(std::string_view text, std::size_t at) {
  const auto target = [&](bool bracket) {
    state_ = State::Target;
    bracket_ = bracket;
  };
  std::size_t blanks = 0;
  const auto is_last = [&](std::string_view word) { return ends_with(text, at, word, blanks); };
  switch (text[at]) {
    case ':':
      // Browsers take "https:host" and "https:\\host" for "https://host".
      if (std::ranges::any_of(kSchemes, is_last)) begin_at_scheme(text, at);
      return;
    case '/': {  // "//host", or "\/\/host" as JSON may have it; other schemes load nothing
      const std::size_t steps = back(text, at, 1) == '/' ? 2 : ends_with(text, at, "/\\") ? 3 : 0;
      const char front = back(text, at, back(text, at, steps) == '\\' ? steps + 1 : steps);
      if (steps > 0 && front != ':') begin_at_scheme(text, at);
      return;
    }
    case '.':
      if (ends_with(text, at, "www")) begin_at_scheme(text, at);
      return;
    case '(':
      if (back(text, at, 1) == ']' || ends_with(text, at, "url")) target(true);
      return;
    default:
      while (blanks < kRecent && is_blank(back(text, at, blanks + 1))) ++blanks;
      // Behind so many blanks nobody knows the word any more.
      if (blanks == kRecent || std::ranges::any_of(kAttributes, is_last)) target(false);
  }
}

/// What stands in front of the URL says where it ends.
void UrlContext::begin_at_scheme(std::string_view text, std::size_t at) {
  std::size_t steps = 1;
  while (steps < kRecent && in_scheme(back(text, at, steps))) ++steps;
  const char opener = back(text, at, steps);
  state_ = State::Bare;
  if (opener == '"' || opener == '\'' || opener == '<') {
    state_ = State::Quoted;
    closer_ = opener == '<' ? '>' : opener;
  }
}

void UrlContext::first_of_target(char c) {
  depth_ = size_ = 0;
  if (c == '"' || c == '\'' || c == '<') {
    state_ = State::Quoted;
    closer_ = c == '<' ? '>' : c;
    return;
  }
  state_ = bracket_ ? State::Link : State::Bare;
}

void UrlContext::go_on(std::string_view text, std::size_t at, bool json) {
  const char c = text[at];
  const bool escaped = back(text, at, 1) == '\\';
  // The string of the document ends, and with it all that is in it.
  if (json && c == '"' && !escaped) {
    state_ = State::Outside;
    return;
  }
  if (state_ == State::Target) {
    if (is_blank(c) || (json && c == '\\')) return;
    first_of_target(c);
    if (state_ == State::Quoted) return;
  }
  ++size_;
  const bool mail =
      (size_ == 7 && ends_with(text, at, "mailto")) || (size_ == 4 && ends_with(text, at, "tel"));
  const bool line_end = json && escaped && (c == 'n' || c == 'r' || c == 't');
  bool ends = false;
  switch (state_) {
    case State::Quoted:
      ends = c == closer_;
      break;
    case State::Link:
      if (c == '(' && !escaped) ++depth_;
      ends = is_blank(c) || line_end || (c == ')' && !escaped && depth_-- == 0);
      break;
    default:
      ends = is_blank(c) || line_end || c == '<';
  }
  if (ends || (c == ':' && mail && state_ != State::Bare)) state_ = State::Outside;
}

}  // namespace causeway::pii
