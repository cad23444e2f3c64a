// Escalation by confidence: the answer of a list's first target is kept back until the
// probabilities that the model gave to its tokens say whether it was sure enough (core/target.h,
// Escalation). One that was not is thrown away, and the next target is asked.
#pragma once

#include <string>
#include <string_view>

#include "exchange/run.h"

namespace causeway::exchange {

/// Gives the attempt what judges its answer, where it is to be judged: of a chat without tools, by
/// the first target, if that tells probabilities in `dialect`, another target is left, and no
/// answer has been thrown away yet.
void begin_judging(const Run& run, Attempt& attempt, const Dialect& dialect);

/// A whole answer, of which `frame` was read. Error: "unsure_answer", after which attempt.usage
/// tells what it has used.
Result<void> judge_whole(Run& run, Attempt& attempt, std::string_view body, const Frame& frame);

/// The beginning of a streamed answer while it is judged. Nothing of it has been read by the
/// answer's own reader: no stage sees what is thrown away.
class Held {
 public:
  Held(Run& run, Attempt& attempt);

  bool open() const { return open_; }
  /// The next bytes. True: it may go on, and `piece` is all that came, until the next call. Error:
  /// as of judge_whole().
  Result<bool> take(std::string_view& piece);
  std::size_t kept() const { return bytes_.capacity(); }

 private:
  bool enough() const;
  void read_usage();

  Run& run_;
  Attempt& attempt_;
  std::string bytes_;
  bool open_;
};

}  // namespace causeway::exchange
