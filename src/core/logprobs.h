// How sure a model was of an answer: the probabilities that it gave to the tokens which it chose,
// where its provider tells them.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

namespace causeway {

/// Reads them from a provider's answer as it comes. One per attempt.
class LogprobReader {
 public:
  virtual ~LogprobReader() = default;
  /// The next bytes of a streamed answer, or a whole one; 64 readable bytes behind them.
  virtual void feed(std::string_view piece) = 0;
  virtual void whole(std::string_view body) = 0;

  std::uint64_t tokens() const { return tokens_; }  // whose probability was told
  /// The answer's end has been read, or something that says more than its tokens do: an error.
  bool ended() const { return ended_; }
  /// The geometric mean of the tokens' probabilities, from 0 to 1; 1 where none was told.
  double confidence() const {
    return tokens_ == 0 ? 1 : std::exp(sum_ / static_cast<double>(tokens_));
  }

 protected:
  void add(double logprob) {
    // What has no chance at all is told as the lowest number that there is.
    constexpr double kLeast = -100;
    sum_ += std::fmin(0, std::fmax(logprob, kLeast));
    ++tokens_;
  }
  void end() { ended_ = true; }

 private:
  double sum_ = 0;
  std::uint64_t tokens_ = 0;
  bool ended_ = false;
};

}  // namespace causeway
