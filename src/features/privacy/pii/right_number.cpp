#include "features/privacy/pii/right_number.h"

#include <algorithm>
#include <random>
#include <vector>

#include "features/privacy/pii/book.h"
#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/shape.h"

namespace causeway::pii {
namespace {

constexpr int kSteps = 3000;

const NumberRule* rule_named(std::string_view id) {
  const auto& rules = Book::get().numbers();
  const auto rule = std::ranges::find(rules, id, &NumberRule::id);
  return rule != rules.end() && rule->check ? &*rule : nullptr;
}

bool fits(const Form& form, std::string_view number) {
  if (form.places.size() != number.size()) return false;
  for (std::size_t i = 0; i < number.size(); ++i) {
    if ((form.places[i] & bit_of(number[i])) == 0) return false;
  }
  return true;
}

/// A number without what parts it, and what may stand at its places.
class Number {
 public:
  Number(std::string_view value, const NumberRule& rule) : rule_(rule) {
    for (const char c : value) {
      if (is_alnum(c)) compact_ += to_upper(c);
    }
    forms_ = read_shape(rule.shape);
    std::erase_if(forms_, [&](const Form& form) { return !fits(form, compact_); });
  }
  bool right(std::string_view number) const {
    return !forms_.empty() && fits(forms_.front(), number) && rule_.check(number);
  }
  const std::string& compact() const { return compact_; }
  /// What else the shape has at a place; digits stay digits where it takes anything.
  std::string others(std::size_t place) const {
    const std::uint64_t bits = forms_.front().places[place];
    const bool anything = (bits & kLetters) == kLetters && (bits & kDigits) == kDigits;
    const std::uint64_t same = is_digit(compact_[place]) ? kDigits : kLetters;
    std::string all;
    for (const char c : std::string_view("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
      if ((bits & (anything ? same : bits) & bit_of(c)) != 0) all += c;
    }
    return all;
  }

 private:
  static constexpr std::uint64_t kDigits = (std::uint64_t{1} << 10) - 1;
  static constexpr std::uint64_t kLetters = ((std::uint64_t{1} << 26) - 1) << 10;
  const NumberRule& rule_;
  std::string compact_;
  std::vector<Form> forms_;
};

/// From one right number to the next, a place at a time; check digits mostly stand at the end.
std::string walk(const Number& number, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string now = number.compact(), next;
  const std::size_t last = now.size() - 1;
  std::vector<std::string> others;
  for (std::size_t i = 0; i <= last; ++i) others.push_back(number.others(i));
  for (int step = 0; step < kSteps; ++step) {
    next = now;
    const auto change = [&](std::size_t i) { next[i] = others[i][random() % others[i].size()]; };
    change(random() % next.size());
    change(last);
    if (step % 2 == 0) change(last - 1);
    if (number.right(next)) now.swap(next);
  }
  return now;
}

}  // namespace

std::string right_number(std::string_view value, std::string_view rule_id, Draw& draw) {
  const NumberRule* rule = rule_named(rule_id);
  if (!rule) return {};
  const Number number(value, *rule);
  const std::string& real = number.compact();
  if (real.size() < 2 || !number.right(real)) return {};
  const std::string made = walk(number, draw.seed());
  std::size_t same = 0;
  for (std::size_t i = 0; i < real.size(); ++i) same += made[i] == real[i] ? 1 : 0;
  // Where hardly anything may change, it would give the real number away.
  if (2 * same > real.size()) return {};
  std::string out;
  std::size_t at = 0;
  for (const char c : value) {
    out += !is_alnum(c) ? c : is_lower(c) ? to_lower(made[at++]) : made[at++];
  }
  return out;
}

}  // namespace causeway::pii
