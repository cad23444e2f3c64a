#include "features/privacy/pii/numbers.h"

#include <algorithm>
#include <bit>

#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kMaxGroups = 48;
constexpr std::size_t kMaxCapitals = 4;  // groups of letters only that may be part of a number
constexpr std::size_t kMaxGap = 3;
constexpr float kStrong = 0.8F;
constexpr float kLeast = 0.05F;  // what is worth no more is never asked for

bool parts_numbers(char c) {
  switch (c) {
    case ' ':
    case '-':
    case '.':
    case '/':
    case '_':
    case '(':
    case ')':
    case '\t':
    case '\r':
    case '\n':
      return true;
    default:
      return false;
  }
}

/// Whether a group may be part of a number: it has a digit, or is a few capitals.
bool belongs(std::string_view group) {
  bool capitals = group.size() <= kMaxCapitals;
  for (const char c : group) {
    if (is_digit(c)) return true;
    capitals = capitals && is_upper(c);
  }
  return capitals;
}

/// "gb29" and what stands behind it, "nwbk": an account number in small letters has a group without
/// a digit only there (ISO 13616: country, check digits, bank).
bool belongs_to_account(std::string_view first, std::string_view second) {
  return first.size() == 4 && second.size() == 4 && !is_digit(first[0]) && !is_digit(first[1]) &&
         is_digit(first[2]) && is_digit(first[3]);
}

/// Where the next group begins, or 0 where the run ends here.
std::size_t after_gap(std::string_view text, std::size_t end) {
  std::size_t next = end, lines = 0;
  while (next < text.size() && next - end <= kMaxGap && parts_numbers(text[next])) {
    lines += text[next] == '\n' ? 1 : 0;
    ++next;
  }
  if (next == end || next - end > kMaxGap || lines > 1 || !is_alnum(at(text, next))) return 0;
  // A full stop and a space end a sentence, not a group.
  if (next - end > 1 && text[end] == '.') return 0;
  return next;
}

}  // namespace

void read_run(std::string_view text, std::size_t begin, Run& run) {
  run.clear();
  while (run.size() < kMaxGroups) {
    std::size_t end = begin;
    while (end < text.size() && is_alnum(text[end])) ++end;
    const std::string_view group = text.substr(begin, end - begin);
    if (!run.empty() && !belongs(group)) {
      const bool bank =
          run.size() == 1 &&
          belongs_to_account(text.substr(run[0].begin, run[0].end - run[0].begin), group);
      if (!bank) return;
    }
    run.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    begin = after_gap(text, end);
    if (begin == 0) return;
  }
}

struct NumberFinder::Window {
  std::string_view compact;
  std::uint64_t letters;  // places of letters
  std::uint64_t parts;    // places before which the text is parted
  std::uint32_t begin, end;
  bool whole;                // nothing that could belong to it stands beside it
  bool spoken_for;           // words may speak for numbers of this size
  bool parted_well = false;  // in one piece, or as the form looked at is parted
};

RuleSet rules_near(const Scene& scene, const Run& run) {
  return scene.near(run.front().begin, run.back().end);
}

NumberFinder::NumberFinder(std::span<const NumberRule> rules, float least)
    : rules_(rules.begin(), rules.end()) {
  sizes_.resize(rules_.size());
  for (std::uint16_t i = 0; i < rules_.size(); ++i) {
    const bool alone = rules_[i].worth.alone > kLeast && rules_[i].worth.alone >= least;
    if (!alone) spoken_for_.set(i);
    for (const Form& form : read_shape(rules_[i].shape)) {
      const Entry entry{form.digits,
                        form.letters,
                        form.parts,
                        form.narrow,
                        static_cast<std::uint32_t>(places_.size()),
                        i,
                        rules_[i].any_parts};
      OfLength& all = by_length_[form.places.size()];
      auto& lists = alone ? all.alone : all.spoken_for;
      const std::uint64_t everywhere = (std::uint64_t{1} << form.places.size()) - 1;
      if (form.letters == 0) lists[0].push_back(entry);
      if (form.digits != everywhere) lists[1].push_back(entry);
      if (!alone) sizes_[i] |= std::uint64_t{1} << form.places.size();
      places_.insert(places_.end(), form.places.begin(), form.places.end());
    }
  }
}

/// Of how many letters and digits a number may be that a word speaks for: bit n.
std::uint64_t NumberFinder::sizes_near(const RuleSet& near) const {
  const RuleSet rules = near & spoken_for_;
  std::uint64_t sizes = 0;
  for (std::size_t i = rules._Find_first(); i < kMaxRules; i = rules._Find_next(i)) {
    sizes |= sizes_[i];
  }
  return sizes;
}

void NumberFinder::find(const Scene& scene, const Run& run, const RuleSet& near,
                        std::size_t firsts) const {
  const std::uint64_t spoken_for = sizes_near(near);
  std::array<char, kMaxNumber> compact;
  for (std::size_t first = 0; first < std::min(run.size(), firsts); ++first) {
    std::size_t size = 0, digits = 0;
    std::uint64_t letters = 0, parts = 0;
    for (std::size_t last = first; last < run.size(); ++last) {
      const std::string_view group =
          scene.text.substr(run[last].begin, run[last].end - run[last].begin);
      if (size + group.size() > kMaxNumber) break;
      if (last > first) parts |= std::uint64_t{1} << size;
      for (const char c : group) {
        if (is_digit(c)) {
          ++digits;
        } else {
          letters |= std::uint64_t{1} << size;
        }
        compact[size++] = to_upper(c);
      }
      if (digits < 2 && size < 8) continue;
      const bool whole = first == 0 && last + 1 == run.size();
      Window window{
          {compact.data(), size},       letters, parts, run[first].begin, run[last].end, whole,
          (spoken_for >> size & 1) != 0};
      look(scene, near, window);
    }
  }
}

bool NumberFinder::fits(const Entry& form, const Window& window) const {
  if ((form.digits & window.letters) != 0 || (form.letters & ~window.letters) != 0) return false;
  for (std::uint64_t narrow = form.narrow; narrow != 0; narrow &= narrow - 1) {
    const auto place = static_cast<std::size_t>(std::countr_zero(narrow));
    if ((places_[form.places + place] & bit_of(window.compact[place])) == 0) return false;
  }
  return true;
}

void NumberFinder::look(const Scene& scene, const RuleSet& near, Window& window) const {
  std::uint32_t judged = static_cast<std::uint32_t>(-1);
  const auto look_at = [&](const Entry& form) {
    const bool parted_well = window.parts == 0 || window.parts == form.parts || form.any_parts;
    if ((!parted_well && !window.whole) || form.rule == judged || !fits(form, window)) return;
    // A rule's other form may be parted just so.
    if (parted_well) judged = form.rule;
    window.parted_well = parted_well;
    judge(scene, near, window, form.rule);
  };
  const OfLength& forms = by_length_[window.compact.size()];
  const std::size_t lettered = window.letters != 0 ? 1 : 0;
  for (const Entry& form : forms.alone[lettered]) look_at(form);
  if (!window.spoken_for) return;
  for (const Entry& form : forms.spoken_for[lettered]) {
    if (near[form.rule]) look_at(form);
  }
}

void NumberFinder::judge(const Scene& scene, const RuleSet& near, const Window& window,
                         std::uint32_t index) const {
  const NumberRule& rule = rules_[index];
  const int distance = near[index] ? scene.distance(index, window.begin, window.end) : -1;
  float confidence = rule.worth.alone;
  if (distance >= 0) confidence = rule.worth.with - 0.002F * static_cast<float>(distance);
  // Parted in a way of its own: a word must speak for it, or strong check digits.
  if (!window.parted_well && distance < 0 && rule.worth.alone < kStrong) return;
  if (confidence <= kLeast || (rule.check && !rule.check(window.compact))) return;
  scene.add(window.begin, window.end, index, confidence);
}

}  // namespace causeway::pii
