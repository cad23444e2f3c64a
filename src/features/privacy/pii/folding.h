// What every character is to the scanner: up to four ASCII characters. Accents and widths go away,
// Cyrillic and Greek look-alikes become the letters that they look like, digits of all scripts
// become 0 to 9, invisible characters vanish. Letters without an ASCII form are "_", so that a word
// stays one word; anything else is kOther.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace causeway::pii {

inline constexpr char kOther = '\x1a';

class Folding {
 public:
  /// Made once, from ICU's tables; some milliseconds.
  static const Folding& get();

  /// The ASCII characters from the lowest byte on, ended by a zero byte; 0 = nothing at all.
  std::uint32_t of(char32_t character) const {
    const std::size_t page = character >> 8;
    if (page < kPages && pages_[page]) return (*pages_[page])[character & 0xff];
    return of_other(character);
  }

 private:
  using Page = std::array<std::uint32_t, 256>;
  static constexpr std::size_t kPages = 0x200;
  Folding();
  static std::uint32_t of_other(char32_t character);
  std::array<std::unique_ptr<Page>, kPages> pages_;
};

}  // namespace causeway::pii
