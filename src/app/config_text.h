// The configuration file as it may leave the program: what is not for everybody's eyes is replaced
// by marks `<kept-1>`, `<kept-2>`, …, which become what they stand for when the text comes back.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"
#include "platform/config/config.h"

namespace causeway::app {

/// Finds the values that are not to be shown: Schema::confidential().
using FindConfidential =
    std::function<std::expected<std::vector<config::Slice>, std::string>(std::string_view)>;

class ConfigText {
 public:
  /// Errors: InvalidRequest where the text cannot be shown, with the end of a sentence.
  static Result<ConfigText> hide(std::string_view text, const FindConfidential& find);

  const std::string& shown() const { return shown_; }

  /// A text that somebody has edited, with marks in it, as it is to stand in the file; and where
  /// its places are in the text that was edited.
  struct Restored {
    std::string text;
    struct Change {
      std::uint32_t line = 0, column = 0;      // in `text`
      std::uint32_t size = 0, shown_size = 0;  // in characters
      std::size_t begin = 0, bytes = 0;        // in `text`
    };
    std::vector<Change> changes;
    config::Position shown_at(config::Position at) const;
  };
  /// Errors: InvalidRequest for a mark that stands for nothing.
  Result<Restored> restore(std::string_view edited) const;
  /// Error: InvalidRequest where a mark stood where no secret does: what was hidden would be shown
  /// there to all, as a name. A text that cannot be read is left to the check of the whole.
  static Result<void> check_places(const Restored& restored, const FindConfidential& find);

  /// What was hidden, taken out of a message that may repeat a value.
  std::string scrub(std::string message) const;

 private:
  /// The mark at the front of the text, with the quotes around it: its number and its length; 0, 0
  /// for none.
  static std::pair<std::size_t, std::size_t> mark_at(std::string_view text);

  std::string shown_;
  std::vector<std::string> kept_;  // as they stand in the file, with their quotes
};

/// An edited text for a comparison that is shown: marks stay, and what was written in clear beside
/// them reads `<hidden>`. Nothing where nobody can tell what is a secret in it.
std::optional<std::string> without_new_secrets(std::string_view edited,
                                               const FindConfidential& find);

}  // namespace causeway::app
