// A string that cannot be printed, logged, compared in a time that tells its content, or left
// behind in freed memory. Whoever needs the text writes reveal(), which is easy to search for.
#pragma once

#include <string>
#include <string_view>

namespace causeway {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  bool empty() const { return text_.empty(); }
  /// The text itself. Never pass it to a log, an error message or a metric.
  std::string_view reveal() const { return text_; }
  /// Takes as long for a wrong text of the same length as for the right one.
  bool equals(std::string_view other) const;

 private:
  std::string text_;
};

/// Constant-time comparison of two byte strings; false at once when the lengths differ.
bool equal_constant_time(std::string_view a, std::string_view b);

template <class Stream>
Stream& operator<<(Stream&, const Secret&) = delete;

}  // namespace causeway
