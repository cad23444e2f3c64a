// How likely a small local model fails at a chat, told from the outside: what the last question
// looks like, and how much stands around it. Weights were fitted on questions that such a model
// answered right or wrong (bench/complexity); no model is asked here. About a microsecond, no
// allocation; of long questions only the beginning and the end are read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace causeway::routing {

struct ChatShape {
  std::string_view question;  // the user's last message
  std::size_t bytes = 0;      // of all messages; 0 = there is only the question
  std::uint32_t turns = 1;    // messages of the user
  bool tools = false;         // the model may call some
  bool schema = false;        // the answer must be JSON
};

enum class Complexity : std::uint8_t { Easy, Hard };

/// Questions that score less are easy. Chosen on one half of the labelled questions so that 95 of
/// 100 answers stay right; what that gives on the other half prints scripts/bench complexity.
extern const double kUsualThreshold;

/// From 0, the small model answers it, to 1, it fails.
double complexity_score(const ChatShape& chat);
inline Complexity complexity_of(const ChatShape& chat, double threshold = kUsualThreshold) {
  return complexity_score(chat) < threshold ? Complexity::Easy : Complexity::Hard;
}

/// What the score is made of, each from 0 to 1: shown by bench/complexity, which fits the weights.
inline constexpr std::size_t kSigns = 32;
using Signs = std::array<float, kSigns>;
extern const std::array<std::string_view, kSigns> kSignNames;
Signs signs_of(const ChatShape& chat);

}  // namespace causeway::routing
