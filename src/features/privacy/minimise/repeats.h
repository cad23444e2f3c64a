// Paragraphs that stand word for word in an earlier message already.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace causeway::minimise {

/// Shown the texts of a conversation in their order. Views are kept: the texts outlive it.
class Repeats {
 public:
  static constexpr std::size_t kShortest = 80;  // bytes of a paragraph that counts

  /// Remembers the text's paragraphs, for what comes behind it.
  void remember(std::string_view text);
  /// The text without the paragraphs that are remembered; nothing where there is none. A text that
  /// would be empty becomes a note.
  std::optional<std::string> without(std::string_view text) const;

 private:
  std::unordered_set<std::string_view> seen_;
};

}  // namespace causeway::minimise
