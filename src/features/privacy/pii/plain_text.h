// The text as the rules see it: 7-bit characters, each with the bytes of the original that it
// stands for. ASCII without entities and percent forms is taken as it is, without a copy.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::pii {

class PlainText {
 public:
  /// Views into `utf8` or into this object, until the next call.
  void read(std::string_view utf8);

  std::string_view text() const { return text_; }
  /// Bytes [begin, end) of text(), end > begin, as bytes of the original.
  std::uint32_t original_begin(std::size_t begin) const {
    return copied_ ? origins_[begin].begin : static_cast<std::uint32_t>(begin);
  }
  std::uint32_t original_end(std::size_t end) const {
    return copied_ ? origins_[end - 1].end : static_cast<std::uint32_t>(end);
  }

 private:
  struct Origin {
    std::uint32_t begin, end;
  };
  void add(std::uint32_t ascii, std::size_t begin, std::size_t end);
  std::size_t read_encoded(std::string_view utf8, std::size_t at);

  bool copied_ = false;
  std::string_view text_;
  std::string buffer_;
  std::vector<Origin> origins_;
};

}  // namespace causeway::pii
