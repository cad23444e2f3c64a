// How many tokens a text has, where nobody has told: bytes divided by what one token of that target
// held in the requests whose usage it reported. One per loop; bounded. Only the loop teaches it;
// asked it may be from any thread, since large texts are looked through elsewhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace causeway {

/// What a chat's template puts around each message, in the common vocabularies.
inline constexpr std::uint32_t kTokensPerMessage = 4;

class TokenEstimates {
 public:
  /// Bytes of a token of the target with this key (Target::key): learnt, else four, the usual mean
  /// of English text in the common vocabularies.
  double bytes_per_token(std::uint64_t target) const;
  /// Never 0.
  std::uint32_t tokens(std::uint64_t target, std::uint64_t bytes) const;
  /// A target has reported that so many bytes of text were so many tokens. Short texts teach
  /// nothing: what the target's template adds would count for too much.
  void learn(std::uint64_t target, std::uint64_t bytes, std::uint64_t tokens);

 private:
  /// Each target has one place: of two that share it, the one that was learnt of last is known.
  static constexpr std::size_t kPlaces = 4096;
  struct Learnt {
    std::atomic<std::uint64_t> target{0};
    std::atomic<double> bytes_per_token{0};  // 0 = nothing is known
  };
  std::vector<Learnt> learnt_{kPlaces};
};

}  // namespace causeway
