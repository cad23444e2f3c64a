// Reads an answer of the form that tool_prompt.h describes, as it comes: calls one by one as soon
// as each is complete, an answer's text piece by piece. The grammar has made sure of the form; what
// is of another form, a cut answer for example, never becomes a call.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace causeway::embedded {

class AnswerScanner {
 public:
  struct Told {
    std::function<void(std::string_view json)> call;   // one complete object
    std::function<void(std::string_view piece)> text;  // of whole letters
  };

  /// False when the text cannot be of that form.
  bool feed(std::string_view piece, const Told& told);
  /// What the answer gives: kCalls, kAnswer or kData; empty until that is known.
  std::string_view key() const { return key_; }
  /// The object has been closed.
  bool complete() const { return state_ == State::After; }
  std::size_t kept() const { return rest_.capacity(); }

 private:
  enum class State { Begin, Key, Colon, Value, Calls, Answer, Data, End, After, Broken };

  bool step(const Told& told);
  bool take_key();
  bool take_calls(const Told& told);
  bool take_answer(const Told& told);
  bool take_data(const Told& told);
  bool take_bracket(char c);
  bool expect(char wanted, State next);
  /// Moves over white space; false when nothing is left.
  bool skip_space();

  State state_ = State::Begin;
  State value_ = State::Broken;  // what the key announces
  std::string_view key_;
  std::string rest_;         // not yet understood
  std::size_t at_ = 0;       // in rest_
  std::size_t scanned_ = 0;  // of the call that begins at at_
  int depth_ = 0;            // of brackets inside a call or data
  bool in_string_ = false, escaped_ = false;
};

}  // namespace causeway::embedded
