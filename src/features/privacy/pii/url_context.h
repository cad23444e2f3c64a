// Whether what has been read of an answer may end inside of a URL: what stands there reaches
// another server as soon as a page shows the answer (an image) or somebody follows the link. Pages
// read Markdown and HTML each in its own way, so this is no parser of one of them: in doubt it is a
// URL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace causeway::pii {

class UrlContext {
 public:
  /// The next bytes, cut anywhere. `json`: they are of a JSON document, and of its strings it is
  /// what they mean that counts.
  void read(std::string_view text, bool json);
  /// Whether the next byte may belong to a URL that a page loads or follows to a server. mailto:,
  /// tel:, postgres:// and the like are none.
  bool inside() const;

 private:
  // Of the bytes since the last blank.
  enum class Run : std::uint8_t {
    Clean,
    Watched,  // something may come of it
    Query,    // has a "?"
    Url,
  };
  // Where a link of Markdown leads to.
  enum class Target : std::uint8_t {
    None,
    Open,       // behind "](", blanks may come first
    Reference,  // behind "]:", too: to the next blank
    Inside,
    Gap,  // blanks in it: a title, the end, or readers that take blanks
  };
  bool is_calm() const;
  bool may_skip() const;
  char back(std::size_t steps) const { return steps <= size_ ? recent_[size_ - steps] : '\0'; }
  bool ends_with(std::string_view word, std::size_t steps = 0) const;
  bool has_host() const;
  bool is_plain_attribute() const;
  bool is_mail() const;
  void remember(std::string_view span);
  void read_json(char c);
  void step(char c);
  void step_run(char c);
  void step_slash(char c);
  void step_target(char c);
  void step_tags(char c);
  void mark(Run run);

  static constexpr std::size_t kRecent = 32;  // more than an opener and a scheme
  std::array<char, 2 * kRecent> recent_{};    // the last bytes, at least so many
  std::size_t size_ = 0;                      // of what is there
  Run run_ = Run::Clean;
  Target target_ = Target::None;
  bool line_ = false;        // all to the end of the line
  std::uint8_t raw_ = 0;     // inside of <style> or <script>, counted from 1
  std::uint16_t tags_ = 0;   // the states of all tags that may be open here, as bits
  std::uint32_t depth_ = 0;  // of brackets in a target
  std::uint8_t escape_ = 0;  // bytes of the escape in a JSON string
  std::uint32_t code_ = 0;   // its hexadecimal digits
};

}  // namespace causeway::pii
