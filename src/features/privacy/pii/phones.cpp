#include "features/privacy/pii/phones.h"

#include <phonenumbers/phonenumberutil.h>

#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

constexpr std::size_t kMaxDigits = 15;
constexpr int kNear = 30;  // a word that makes a phone number of any number must be this near

enum class Verdict { Wrong, Possible, Valid };

Verdict ask(const std::string& number, const std::string& region) {
  const auto& phones = *PhoneNumberUtil::GetInstance();
  PhoneNumber parsed;
  if (phones.Parse(number, region, &parsed) != PhoneNumberUtil::NO_PARSING_ERROR)
    return Verdict::Wrong;
  if (phones.IsValidNumber(parsed)) return Verdict::Valid;
  return phones.IsPossibleNumber(parsed) ? Verdict::Possible : Verdict::Wrong;
}

bool all_digits(std::string_view group) {
  return group.find_first_not_of("0123456789") == std::string_view::npos;
}

/// ", ext. 12", " x12": how far it goes.
std::size_t after_extension(std::string_view text, std::size_t end) {
  std::size_t i = end;
  while (at(text, i) == ' ' || at(text, i) == ',') ++i;
  for (const std::string_view mark :
       {"extension ", "ext. ", "ext.", "ext ", "x", "#", "poste ", "Durchwahl "}) {
    if (i - end > 2 || !text.substr(i).starts_with(mark)) continue;
    std::size_t last = i + mark.size();
    const std::size_t first = last;
    while (is_digit(at(text, last)) && last - first < 6) ++last;
    if (last > first && !is_alnum(at(text, last))) return last;
  }
  return end;
}

}  // namespace

struct PhoneFinder::Span {
  std::size_t begin, end;
  std::string digits;
  std::vector<std::size_t> sizes;  // of its groups
  bool plus, bracket;
};

PhoneFinder::PhoneFinder(const PhoneRules& rules, std::vector<std::string> regions)
    : rules_(rules), regions_(std::move(regions)) {}

bool PhoneFinder::knows_region(const std::string& region) {
  return PhoneNumberUtil::GetInstance()->GetCountryCodeForRegion(region) != 0;
}

void PhoneFinder::find(const Scene& scene, const Run& run) const {
  for (std::size_t i = 0; i < run.size();) {
    std::size_t next = i + 1;
    look(scene, run, i, next);
    i = next;
  }
}

/// How many groups from `first` on can be one phone number.
std::size_t PhoneFinder::longest(const Scene& scene, const Run& run, std::size_t first) const {
  std::size_t digits = 0, last = first;
  for (; last < run.size(); ++last) {
    const std::string_view group =
        scene.text.substr(run[last].begin, run[last].end - run[last].begin);
    if (!all_digits(group) || digits + group.size() > kMaxDigits + 2) break;
    digits += group.size();
    if (last > first &&
        scene.text.substr(run[last - 1].end, run[last].begin - run[last - 1].end).contains('\n'))
      break;
  }
  return last - first;
}

bool PhoneFinder::look(const Scene& scene, const Run& run, std::size_t first,
                       std::size_t& next) const {
  const std::string_view text = scene.text;
  for (std::size_t count = longest(scene, run, first); count > 0; --count) {
    Span span{run[first].begin, run[first + count - 1].end, {}, {}, false, false};
    if (span.end - span.begin < 7) break;
    for (std::size_t i = first; i < first + count; ++i) {
      span.digits += text.substr(run[i].begin, run[i].end - run[i].begin);
      span.sizes.push_back(run[i].end - run[i].begin);
    }
    if (before(text, span.begin) == '(') {
      span.bracket = true;
      --span.begin;
    }
    if (before(text, span.begin) == '+') {
      span.plus = true;
      --span.begin;
      if (before(text, span.begin) == '(') --span.begin;
    }
    if (!span.plus && (is_alnum(before(text, span.begin)) || before(text, span.begin) == '.' ||
                       before(text, span.begin) == ','))
      return false;
    if (span.digits.size() < 7 || span.digits.size() > kMaxDigits + 2) continue;
    std::uint32_t rule = rules_.shape;
    const float worth = worth_of(scene, span, rule);
    if (worth <= 0) continue;
    scene.add(span.begin, after_extension(text, span.end), rule, worth);
    next = first + count;
    return true;
  }
  return false;
}

float PhoneFinder::worth_of(const Scene& scene, const Span& span, std::uint32_t& rule) const {
  const int distance = scene.distance(rules_.national, span.begin, span.end);
  const bool near = distance >= 0 && distance < kNear;
  const std::string& digits = span.digits;
  if (span.plus || (digits.starts_with("00") && digits.size() > 9)) {
    rule = rules_.international;
    std::string number = "+";
    number += span.plus ? digits : digits.substr(2);
    const Verdict verdict = ask(number, "ZZ");
    if (verdict == Verdict::Valid) return 0.96F;
    if (verdict == Verdict::Possible && (span.plus || near)) return 0.8F;
    return span.plus && digits.size() >= 8 && digits.size() <= kMaxDigits ? 0.55F : 0;
  }
  const auto& sizes = span.sizes;
  const std::size_t lead = !sizes.empty() && sizes[0] == 1 && digits[0] == '1' ? 1 : 0;
  const bool american =
      sizes.size() == lead + 3 && sizes[lead] == 3 && sizes[lead + 1] == 3 && sizes[lead + 2] == 4;
  if (american) {
    rule = ask(digits, "US") == Verdict::Valid ? rules_.national : rules_.shape;
    return near ? 0.95F : rule == rules_.national ? 0.82F : 0.62F;
  }
  const bool trunk = digits[0] == '0' && digits.size() >= 9 && digits.size() <= 12 &&
                     (sizes.size() > 1 || span.bracket);
  if (!near && !trunk) return 0;
  if (digits.size() <= 13) {
    for (const std::string& region : regions_) {
      if (ask(digits, region) != Verdict::Valid) continue;
      rule = rules_.national;
      return near ? 0.92F : 0.72F;
    }
  }
  return near && digits.size() <= kMaxDigits ? 0.7F - 0.002F * static_cast<float>(distance)
         : trunk && sizes.size() > 2         ? 0.5F
                                             : 0;
}

}  // namespace causeway::pii
