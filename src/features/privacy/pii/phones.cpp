#include "features/privacy/pii/phones.h"

#include <phonenumbers/phonenumberutil.h>

#include <algorithm>
#include <array>
#include <list>
#include <span>

#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

constexpr std::size_t kMinDigits = 7, kMaxDigits = 15;
constexpr float kSurest = 0.96F;  // no phone number is surer
constexpr int kNear = 30;  // a word that makes a phone number of any number must be this near

enum class Verdict { Wrong, Possible, Valid };

// Made by hand from digits: parsing them anew costs libphonenumber ten times what its answer does.
PhoneNumber number_of(int code, std::string_view national) {
  PhoneNumber number;
  number.set_country_code(code);
  const std::size_t zeros = std::min(national.find_first_not_of('0'), national.size());
  if (zeros > 0) {
    number.set_italian_leading_zero(true);
    number.set_number_of_leading_zeros(static_cast<int>(zeros));
  }
  std::uint64_t value = 0;
  for (const char c : national) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  number.set_national_number(value);
  return number;
}

/// What libphonenumber knows by country codes, asked once.
struct Code {
  std::list<std::string> regions;
  bool trunk_zero = false;
};

const std::array<Code, 1000>& codes() {
  static const std::array<Code, 1000> kCodes = [] {
    const auto& phones = *PhoneNumberUtil::GetInstance();
    std::array<Code, 1000> all;
    for (int code = 1; code < 1000; ++code) {
      Code& one = all[static_cast<std::size_t>(code)];
      phones.GetRegionCodesForCountryCallingCode(code, &one.regions);
      if (one.regions.empty()) continue;
      std::string trunk;
      phones.GetNddPrefixForRegion(one.regions.front(), true, &trunk);
      one.trunk_zero = trunk == "0";
    }
    return all;
  }();
  return kCodes;
}

/// Of the North American plan: area and exchange begin with 2 to 9 (ITU-T E.164, country code 1).
/// Which of its 25 countries has given the number to somebody is not asked.
bool planned(std::string_view ten_digits) { return ten_digits[0] >= '2' && ten_digits[3] >= '2'; }

/// Digits behind "+" or "00".
Verdict international(std::string_view digits) {
  const auto& phones = *PhoneNumberUtil::GetInstance();
  if (digits.starts_with('1') && digits.size() == 11) {
    return planned(digits.substr(1)) ? Verdict::Valid : Verdict::Wrong;
  }
  std::size_t code = 0;
  for (std::size_t size = 1; size <= 3 && size < digits.size(); ++size) {
    code = code * 10 + static_cast<std::size_t>(digits[size - 1] - '0');
    const auto& [regions, trunk_zero] = codes()[code];
    if (regions.empty()) continue;
    std::string_view national = digits.substr(size);
    if (trunk_zero && national.starts_with('0')) national.remove_prefix(1);  // "+49 (0)30"
    const PhoneNumber number = number_of(static_cast<int>(code), national);
    for (const std::string& region : regions) {
      if (phones.IsValidNumberForRegion(number, region)) return Verdict::Valid;
    }
    return phones.IsPossibleNumber(number) ? Verdict::Possible : Verdict::Wrong;
  }
  return Verdict::Wrong;
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

/// Groups that can be one number together, and their digits in one piece.
struct PhoneFinder::Digits {
  std::array<char, kMaxDigits + 2> bytes;
  std::array<std::uint8_t, kMaxDigits + 2> ends;  // of each group, in bytes
  std::size_t groups = 0;

  Digits(std::string_view text, const Run& run, std::size_t first) {
    std::size_t size = 0;
    for (std::size_t i = first; i < run.size(); ++i) {
      const std::string_view group = text.substr(run[i].begin, run[i].end - run[i].begin);
      if (!all_digits(group) || size + group.size() > bytes.size()) return;
      if (i > first && text.substr(run[i - 1].end, run[i].begin - run[i - 1].end).contains('\n')) {
        return;
      }
      std::ranges::copy(group, bytes.begin() + static_cast<std::ptrdiff_t>(size));
      size += group.size();
      ends[groups++] = static_cast<std::uint8_t>(size);
    }
  }
};

struct PhoneFinder::Span {
  std::size_t begin, end;
  bool plus, bracket;
  std::string_view digits;
  std::span<const std::uint8_t> ends;  // of its groups, in digits

  std::size_t groups() const { return ends.size(); }
  std::size_t size_of(std::size_t group) const {
    return static_cast<std::size_t>(ends[group] - (group > 0 ? ends[group - 1] : 0));
  }
};

PhoneFinder::PhoneFinder(const PhoneRules& rules, const std::vector<std::string>& regions)
    : rules_(rules) {
  for (const std::string& name : regions) regions_.push_back(read_region(name));
}

PhoneFinder::Region PhoneFinder::read_region(const std::string& name) {
  const auto& phones = *PhoneNumberUtil::GetInstance();
  Region region{name, phones.GetCountryCodeForRegion(name), {}, 0};
  phones.GetNddPrefixForRegion(name, true, &region.trunk);
  // Of countries that share a code, libphonenumber tells the sizes of the main one only.
  std::string main;
  phones.GetRegionCodeForCountryCode(region.code, &main);
  for (std::size_t size = 1; size <= kMaxDigits + 2; ++size) {
    const std::string any_digits(size, '2');
    if (main != name || phones.IsPossibleNumber(number_of(region.code, any_digits))) {
      region.sizes |= std::uint32_t{1} << size;
    }
  }
  return region;
}

bool PhoneFinder::valid_in(const Region& region, std::string_view digits) {
  if (digits.starts_with(region.trunk)) {
    digits.remove_prefix(region.trunk.size());
  } else if (region.trunk == "0") {
    return false;
  }
  // Most numbers are no phone number by their size alone; to ask costs microseconds.
  if ((region.sizes >> digits.size() & 1) == 0) return false;
  return PhoneNumberUtil::GetInstance()->IsValidNumberForRegion(number_of(region.code, digits),
                                                                region.name);
}

bool PhoneFinder::knows_region(const std::string& region) {
  return PhoneNumberUtil::GetInstance()->GetCountryCodeForRegion(region) != 0;
}

void PhoneFinder::find(const Scene& scene, const Run& run, const RuleSet& near,
                       std::size_t others) const {
  const auto taken = [&](const Group& group) {
    return std::any_of(scene.found.begin() + static_cast<std::ptrdiff_t>(others), scene.found.end(),
                       [&](const Candidate& one) {
                         return one.confidence > kSurest && one.begin <= group.begin &&
                                one.end >= group.end;
                       });
  };
  for (std::size_t i = 0; i < run.size();) {
    std::size_t next = i + 1;
    if (!taken(run[i])) look(scene, run, near[rules_.national], i, next);
    i = next;
  }
}

/// The longest number from group `first` on; `next` becomes the group behind it.
void PhoneFinder::look(const Scene& scene, const Run& run, bool near, std::size_t first,
                       std::size_t& next) const {
  const std::string_view text = scene.text;
  const std::size_t start = run[first].begin;
  Span span{start, 0, false, false, {}, {}};
  if (before(text, span.begin) == '(') {
    span.bracket = true;
    --span.begin;
  }
  if (before(text, span.begin) == '+') {
    span.plus = true;
    --span.begin;
    if (before(text, span.begin) == '(') --span.begin;
  }
  const char front = before(text, span.begin);
  if (!span.plus && (is_alnum(front) || front == '.' || front == ',')) return;
  const Digits digits(text, run, first);
  for (std::size_t count = digits.groups; count > 0; --count) {
    span.end = run[first + count - 1].end;
    span.digits = {digits.bytes.data(), digits.ends[count - 1]};
    span.ends = {digits.ends.data(), count};
    if (span.digits.size() < kMinDigits) return;
    std::uint32_t rule = rules_.shape;
    const float worth = worth_of(scene, span, near, rule);
    if (worth <= 0) continue;
    scene.add(span.begin, after_extension(text, span.end), rule, worth);
    next = first + count;
    return;
  }
}

float PhoneFinder::worth_of(const Scene& scene, const Span& span, bool near,
                            std::uint32_t& rule) const {
  const int distance = near ? scene.distance(rules_.national, span.begin, span.end) : -1;
  near = distance >= 0 && distance < kNear;
  const std::string_view digits = span.digits;
  if (span.plus || (digits.starts_with("00") && digits.size() > 9)) {
    rule = rules_.international;
    const Verdict verdict = international(digits.substr(span.plus ? 0 : 2));
    if (verdict == Verdict::Valid) return kSurest;
    if (verdict == Verdict::Possible && (span.plus || near)) return 0.8F;
    return span.plus && digits.size() >= 8 && digits.size() <= kMaxDigits ? 0.55F : 0;
  }
  const std::size_t lead = span.size_of(0) == 1 && digits[0] == '1' ? 1 : 0;
  const bool american = span.groups() == lead + 3 && span.size_of(lead) == 3 &&
                        span.size_of(lead + 1) == 3 && span.size_of(lead + 2) == 4;
  if (american) {
    const bool in_plan = planned(digits.substr(lead));
    return near ? 0.95F : in_plan ? 0.82F : 0.55F;
  }
  const bool trunk = digits[0] == '0' && digits.size() >= 9 && digits.size() <= 12 &&
                     (span.groups() > 1 || span.bracket);
  if (!near && !trunk) return 0;
  if (digits.size() <= 13) {
    for (const Region& region : regions_) {
      if (!valid_in(region, digits)) continue;
      rule = rules_.national;
      return near ? 0.92F : 0.72F;
    }
  }
  return near && digits.size() <= kMaxDigits ? 0.7F - 0.002F * static_cast<float>(distance)
         : trunk && span.groups() > 2        ? 0.5F
                                             : 0;
}

}  // namespace causeway::pii
