// Whether what has been read of an answer ends inside of a URL: what stands there reaches another
// server as soon as a page shows the answer (an image) or somebody follows the link.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace causeway::pii {

class UrlContext {
 public:
  /// The next bytes, cut anywhere. `json`: they are of a JSON document.
  void read(std::string_view text, bool json);
  /// Whether the next byte belongs to a URL that a page loads or follows to a server. mailto:,
  /// tel:, postgres:// and the like are none.
  bool inside() const { return state_ != State::Outside; }

 private:
  enum class State : std::uint8_t {
    Outside,
    Target,  // behind "](", "url(" or "src=": blanks may come first
    Bare,    // to the next blank
    Link,    // to the next blank or the bracket that closes it
    Quoted,  // to closer_
  };
  char back(std::string_view text, std::size_t at, std::size_t steps) const;
  bool ends_with(std::string_view text, std::size_t at, std::string_view word,
                 std::size_t steps = 0) const;
  void look_for_begin(std::string_view text, std::size_t at);
  void begin_at_scheme(std::string_view text, std::size_t at);
  void go_on(std::string_view text, std::size_t at, bool json);
  void first_of_target(char c);

  static constexpr std::size_t kRecent = 32;  // more than an opener and a scheme
  std::array<char, kRecent> recent_{};        // the last bytes, in front of the next
  State state_ = State::Outside;
  bool bracket_ = false;  // the target stands in round brackets
  char closer_ = 0;
  std::uint32_t depth_ = 0;  // of brackets in a link
  std::uint32_t size_ = 0;   // bytes of the target so far
};

}  // namespace causeway::pii
