#include "providers/embedded/answer_scanner.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/request.h"
#include "providers/embedded/tool_prompt.h"

namespace causeway::embedded {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

constexpr std::string_view kUnicode = "\\u";
constexpr std::string_view kEscaped = R"("\/bfnrtu)";

// Of what follows a high surrogate, as far as it is there.
bool may_be_low_surrogate(std::string_view escape) {
  constexpr std::array<std::string_view, 4> kBegins = {"\\", "u", "dD", "cdefCDEF"};
  for (std::size_t i = 0; i < std::min(escape.size(), kBegins.size()); ++i) {
    if (kBegins[i].find(escape[i]) == std::string_view::npos) return false;
  }
  return true;
}

// Of an escape that is all there.
bool is_high_surrogate(std::string_view escape) {
  return escape.size() >= 6 && escape.starts_with(kUnicode) && (escape[2] | 0x20) == 'd' &&
         std::string_view("89abAB").find(escape[3]) != std::string_view::npos;
}

// Of one or two that name a code.
bool has_codes(std::string_view escapes) {
  for (; escapes.size() >= 6; escapes.remove_prefix(6)) {
    const auto code = escapes.substr(2, 4);
    if (code.find_first_not_of("0123456789abcdefABCDEF") != code.npos) return false;
  }
  return true;
}

// Bytes of a JSON string's inside that can be unescaped by themselves: up to its quote, an escape
// whose rest is still to come, or the first half of a pair of surrogates whose second may still
// come.
// Nothing where JSON has no such escape.
std::optional<std::size_t> whole_letters(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && text[at] != '"') {
    if (text[at] != '\\') {
      ++at;
      continue;
    }
    if (at + 1 >= text.size()) break;
    if (kEscaped.find(text[at + 1]) == kEscaped.npos) return std::nullopt;
    std::size_t size = text[at + 1] == 'u' ? 6 : 2;
    if (is_high_surrogate(text.substr(at)) && may_be_low_surrogate(text.substr(at + 6))) size = 12;
    if (at + size > text.size()) break;
    if (!has_codes(text.substr(at, size))) return std::nullopt;
    at += size;
  }
  return at;
}

}  // namespace

bool AnswerScanner::feed(std::string_view piece, const Told& told) {
  rest_ += piece;
  while (step(told)) {
  }
  rest_.erase(0, at_);
  at_ = 0;
  return state_ != State::Broken;
}

bool AnswerScanner::skip_space() {
  at_ = std::min(rest_.find_first_not_of(kSpace, at_), rest_.size());
  return at_ < rest_.size();
}

bool AnswerScanner::expect(char wanted, State next) {
  if (!skip_space()) return false;
  state_ = rest_[at_] == wanted ? next : State::Broken;
  ++at_;
  return state_ != State::Broken;
}

/// One step on; false when more text is needed, or nothing more is to come.
bool AnswerScanner::step(const Told& told) {
  switch (state_) {
    case State::Begin:
      return expect('{', State::Key);
    case State::Key:
      return take_key();
    case State::Colon:
      return expect(':', State::Value);
    case State::Value:
      if (value_ == State::Data) {
        state_ = value_;
        return true;
      }
      return expect(value_ == State::Calls ? '[' : '"', value_);
    case State::Calls:
      return take_calls(told);
    case State::Answer:
      return take_answer(told);
    case State::Data:
      return take_data(told);
    case State::End:
      return expect('}', State::After);
    case State::After:
      if (skip_space()) state_ = State::Broken;
      return false;
    case State::Broken:
      return false;
  }
  return false;
}

bool AnswerScanner::take_key() {
  if (!skip_space()) return false;
  const auto end = rest_.find('"', at_ + 1);
  if (end == std::string::npos) {
    if (rest_.size() - at_ > kCalls.size() + 2) state_ = State::Broken;
    return false;
  }
  const auto key = std::string_view(rest_).substr(at_ + 1, end - at_ - 1);
  for (const auto known : {kCalls, kAnswer, kData}) {
    if (key == known) key_ = known;
  }
  value_ = key == kCalls    ? State::Calls
           : key == kAnswer ? State::Answer
           : key == kData   ? State::Data
                            : State::Broken;
  state_ = rest_[at_] == '"' && value_ != State::Broken ? State::Colon : State::Broken;
  at_ = end + 1;
  return state_ == State::Colon;
}

// at_ stays in front of the call that is being read until all of it is there.
bool AnswerScanner::take_calls(const Told& told) {
  if (scanned_ == 0) {
    while (skip_space() && rest_[at_] == ',') ++at_;
    if (at_ >= rest_.size()) return false;
    if (rest_[at_] == ']') {
      ++at_;
      state_ = State::End;
      return true;
    }
  }
  for (; at_ + scanned_ < rest_.size(); ++scanned_) {
    const bool closed = take_bracket(rest_[at_ + scanned_]);
    if (closed) {
      told.call(std::string_view(rest_).substr(at_, scanned_ + 1));
      at_ += scanned_ + 1;
      scanned_ = 0;
      return true;
    }
    if (depth_ > 0) continue;
    state_ = State::Broken;
    return false;
  }
  return false;
}

/// Counts brackets outside of strings; true for the one that closes the outermost.
bool AnswerScanner::take_bracket(char c) {
  if (in_string_) {
    in_string_ = escaped_ || c != '"';
    escaped_ = !escaped_ && c == '\\';
    return false;
  }
  if (c == '"') in_string_ = true;
  if (c == '{' || c == '[') ++depth_;
  return (c == '}' || c == ']') && --depth_ == 0;
}

bool AnswerScanner::take_answer(const Told& told) {
  const auto left = std::string_view(rest_).substr(at_);
  const auto size = whole_letters(left);
  if (!size) {
    state_ = State::Broken;
    return false;
  }
  if (*size > 0) {
    const std::string quoted = '"' + std::string(left.substr(0, *size)) + '"';
    std::string storage;
    told.text(decode_json_string(quoted, storage));
  }
  at_ += *size;
  if (at_ >= rest_.size() || rest_[at_] != '"') return false;
  ++at_;
  state_ = State::End;
  return true;
}

// Up to the bracket that closes what the value stands in.
bool AnswerScanner::take_data(const Told& told) {
  if (depth_ == 0 && !in_string_ && !skip_space()) return false;
  std::size_t end = at_;
  while (end < rest_.size() && (in_string_ || depth_ > 0 || rest_[end] != '}')) {
    take_bracket(rest_[end++]);
  }
  auto piece = std::string_view(rest_).substr(at_, end - at_);
  if (depth_ == 0 && !in_string_) piece = piece.substr(0, piece.find_last_not_of(kSpace) + 1);
  if (!piece.empty()) told.text(piece);
  at_ = end;
  if (end == rest_.size()) return false;
  state_ = State::End;
  return true;
}

}  // namespace causeway::embedded
