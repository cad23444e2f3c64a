// Numbers of variable length and texts with their length in front: how traces and contents stand in
// their partition. Reading never leaves the bytes, whatever they are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace causeway::traces {

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}
  ByteWriter& put(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) out_ += static_cast<char>(number | 0x80);
    out_ += static_cast<char>(number);
    return *this;
  }
  ByteWriter& put(std::string_view text) {
    put(std::uint64_t{text.size()});
    out_ += text;
    return *this;
  }

 private:
  std::string& out_;
};

/// What is missing or malformed is 0 or empty, and ok() false from then on.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left_.empty()) break;
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    return wrong();
  }
  /// A number of things that follow, each of at least one byte.
  std::size_t count() {
    const std::uint64_t value = number();
    return value <= left_.size() ? static_cast<std::size_t>(value) : wrong();
  }
  std::string_view text() {
    const std::size_t size = count();
    const std::string_view found = left_.substr(0, size);
    left_.remove_prefix(found.size());
    return found;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return left_.empty(); }

 private:
  std::size_t wrong() {
    ok_ = false;
    left_ = {};
    return 0;
  }
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace causeway::traces
