#include "features/privacy/pii/numbers.h"

#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kMaxGroups = 48;
constexpr std::size_t kMaxCapitals = 4;  // groups of letters only that may be part of a number
constexpr std::size_t kMaxGap = 3;
constexpr float kStrong = 0.8F;

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
    if (!run.empty() && !belongs(text.substr(begin, end - begin))) return;
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
  bool parted_well = false;  // in one piece, or as the form looked at is parted
};

NumberFinder::NumberFinder(std::span<const NumberRule> rules) : rules_(rules.begin(), rules.end()) {
  for (std::uint32_t i = 0; i < rules_.size(); ++i) {
    for (Form& form : read_shape(rules_[i].shape)) {
      const std::size_t length = form.places.size();
      by_length_[length].push_back({std::move(form), i});
    }
  }
}

void NumberFinder::find(const Scene& scene, const Run& run) const {
  std::array<char, kMaxNumber> compact;
  for (std::size_t first = 0; first < run.size(); ++first) {
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
      Window window{{compact.data(), size}, letters, parts, run[first].begin, run[last].end, whole};
      look(scene, window);
    }
  }
}

void NumberFinder::look(const Scene& scene, Window& window) const {
  std::uint32_t judged = static_cast<std::uint32_t>(-1);
  for (const Entry& entry : by_length_[window.compact.size()]) {
    const Form& form = entry.form;
    if ((form.digits & window.letters) != 0 || (form.letters & ~window.letters) != 0) continue;
    const bool parted_well =
        window.parts == 0 || window.parts == form.parts || rules_[entry.rule].any_parts;
    if ((!parted_well && !window.whole) || entry.rule == judged || !fits(form, window.compact))
      continue;
    // A rule's other form may be parted just so.
    if (parted_well) judged = entry.rule;
    window.parted_well = parted_well;
    judge(scene, window, entry.rule);
  }
}

void NumberFinder::judge(const Scene& scene, const Window& window, std::uint32_t index) const {
  const NumberRule& rule = rules_[index];
  const int distance = scene.distance(index, window.begin, window.end);
  float confidence = rule.worth.alone;
  if (distance >= 0) confidence = rule.worth.with - 0.002F * static_cast<float>(distance);
  // Parted in a way of its own: a word must speak for it, or strong check digits.
  if (!window.parted_well && distance < 0 && rule.worth.alone < kStrong) return;
  if (confidence <= 0.05F || (rule.check && !rule.check(window.compact))) return;
  scene.add(window.begin, window.end, index, confidence);
}

}  // namespace causeway::pii
