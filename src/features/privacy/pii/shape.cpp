#include "features/privacy/pii/shape.h"

#include <charconv>
#include <stdexcept>

#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr std::uint64_t kDigits = (std::uint64_t{1} << 10) - 1;
constexpr std::uint64_t kLetters = ((std::uint64_t{1} << 26) - 1) << 10;

[[noreturn]] void wrong(std::string_view shape) {
  throw std::logic_error("a rule's shape cannot be read: " + std::string(shape));
}

class Reader {
 public:
  explicit Reader(std::string_view shape) : shape_(shape) {}

  std::vector<Form> read() {
    std::vector<Form> all, current(1);
    while (at_ < shape_.size()) {
      const char c = shape_[at_];
      if (c == '|') {
        ++at_;
        all.insert(all.end(), current.begin(), current.end());
        current.assign(1, {});
      } else if (c == '-') {
        ++at_;
        for (Form& form : current) form.parts |= std::uint64_t{1} << form.places.size();
      } else {
        repeat(current);
      }
    }
    all.insert(all.end(), current.begin(), current.end());
    return all;
  }

 private:
  std::uint64_t one_class() {
    const char c = shape_[at_++];
    if (c == 'd') return kDigits;
    if (c == '[') return set();
    // Literal capitals would be taken for classes: L and X are written [L] and [X].
    if (c == 'L') return kLetters;
    if (c == 'X') return kDigits | kLetters;
    if (!is_upper(c) && !is_digit(c)) wrong(shape_);
    return bit_of(c);
  }

  std::uint64_t set() {
    std::uint64_t bits = 0;
    for (; at_ < shape_.size() && shape_[at_] != ']'; ++at_) {
      const char first = shape_[at_];
      if (first == 'd') {
        bits |= kDigits;
        continue;
      }
      char end = first;
      if (at(shape_, at_ + 1) == '-' && at(shape_, at_ + 2) != ']') end = shape_[at_ += 2];
      for (char c = first; c <= end; ++c) {
        if (is_upper(c) || is_digit(c)) bits |= bit_of(c);
      }
    }
    ++at_;
    return bits;
  }

  std::size_t count() {
    std::size_t value = 0;
    const auto [end, error] =
        std::from_chars(shape_.data() + at_, shape_.data() + shape_.size(), value);
    if (error != std::errc()) wrong(shape_);
    at_ = static_cast<std::size_t>(end - shape_.data());
    return value;
  }

  void repeat(std::vector<Form>& forms) {
    const std::uint64_t bits = one_class();
    std::size_t least = 1, most = 1;
    if (at(shape_, at_) == '?') {
      ++at_;
      least = 0;
    } else if (at(shape_, at_) == '{') {
      ++at_;
      least = most = count();
      if (at(shape_, at_) == ',') {
        ++at_;
        most = count();
      }
      ++at_;
    }
    std::vector<Form> longer;
    for (const Form& form : forms) {
      for (std::size_t n = least; n <= most; ++n) {
        longer.push_back(form);
        for (std::size_t i = 0; i < n; ++i) add(longer.back(), bits);
      }
    }
    forms = std::move(longer);
  }

  void add(Form& form, std::uint64_t bits) {
    const std::uint64_t place = std::uint64_t{1} << form.places.size();
    if ((bits & kLetters) == 0) form.digits |= place;
    if ((bits & kDigits) == 0) form.letters |= place;
    if (bits != kDigits && bits != kLetters && bits != (kDigits | kLetters)) form.narrow |= place;
    form.places.push_back(bits);
    if (form.places.size() > kMaxNumber) wrong(shape_);
  }

  std::string_view shape_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Form> read_shape(std::string_view shape) { return Reader(shape).read(); }

std::string pattern_of(const Form& form) {
  std::string pattern;
  for (const std::uint64_t place : form.places) {
    pattern += '[';
    for (char c = '0'; c <= '9'; ++c) {
      if ((place & bit_of(c)) != 0) pattern += c;
    }
    for (char c = 'A'; c <= 'Z'; ++c) {
      if ((place & bit_of(c)) != 0) pattern += c;
    }
    pattern += ']';
  }
  return pattern;
}

}  // namespace causeway::pii
