// How many tokens a text has, where nobody has told: bytes divided by what one token of that target
// held in the requests whose usage it reported. One per loop; bounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace causeway::exchange {

class TokenEstimates {
 public:
  /// Bytes of a token of this target: learnt, else four, the usual mean of English text in the
  /// common vocabularies.
  double bytes_per_token(std::string_view target) const;
  /// Never 0.
  std::uint32_t tokens(std::string_view target, std::uint64_t bytes) const;
  /// A target has reported that so many bytes of text were so many tokens. Short texts teach
  /// nothing: what the target's template adds would count for too much.
  void learn(std::string_view target, std::uint64_t bytes, std::uint64_t tokens);

 private:
  static constexpr std::size_t kMostTargets = 1024;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, double, Hash, std::equal_to<>> learnt_;
};

}  // namespace causeway::exchange
