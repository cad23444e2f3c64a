#include "platform/similar/words.h"

namespace causeway::similar {

namespace {

void each_word(std::string_view text, const auto& take) {
  while (!text.empty()) {
    const auto end = text.find(' ');
    const auto word = text.substr(0, end);
    if (!word.empty()) take(word);
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

void each_line(std::string_view text, const auto& take) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (const auto line = text.substr(0, end); !line.empty()) take(line);
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

struct Lists {
  std::unordered_map<std::string, Entry> words;  ///< as written, and by stem for what bends
  std::unordered_map<std::string, Entry> stems;

  Lists() {
    std::uint16_t group = 0;
    each_line(kOpposites, [&](std::string_view line) {
      ++group;
      for (std::uint8_t side = 0; !line.empty(); ++side) {
        const auto end = line.find('|');
        each_word(line.substr(0, end), [&](std::string_view word) {
          stems[stem(word)].groups.emplace_back(group, side);
        });
        if (end == std::string_view::npos) break;
        line.remove_prefix(end + 1);
      }
    });
    canonical(kUnits, &Entry::unit);
    canonical(kPeople, &Entry::person);
    canonical(kTimes, &Entry::time);
    canonical(kNumbers, &Entry::number);
    each_word(kNegations, [&](std::string_view word) { words[std::string(word)].negation = true; });
    each_word(kOnly, [&](std::string_view word) { words[std::string(word)].only = true; });
    each_word(kNames, [&](std::string_view word) { words[std::string(word)].name = true; });
    each_word(kMay, [&](std::string_view word) { words[std::string(word)].modality = 1; });
    each_word(kMust, [&](std::string_view word) { words[std::string(word)].modality = 2; });
    each_word(kShould, [&](std::string_view word) { words[std::string(word)].modality = 3; });
    for (std::size_t i = 0; i < kFunctionWords.size(); ++i) {
      each_word(kFunctionWords[i], [&](std::string_view word) {
        auto& entry = words[std::string(word)];
        entry.function = true;
        entry.languages = static_cast<std::uint8_t>(entry.languages | 1U << i);
      });
    }
    for (auto& [word, entry] : words) {
      if (const auto bent = stems.find(stem(word)); bent != stems.end()) {
        entry.groups = bent->second.groups;
      }
    }
  }

  void canonical(std::string_view list, std::string Entry::* member) {
    each_line(list, [&](std::string_view line) {
      const auto first = line.substr(0, line.find(' '));
      each_word(line, [&](std::string_view word) { words[std::string(word)].*member = first; });
    });
  }
};

bool ends(std::string_view word, std::string_view with, std::size_t left) {
  return word.ends_with(with) && word.size() >= with.size() + left;
}

}  // namespace

std::string stem(std::string_view word) {
  if (word.empty()) return {};
  if (ends(word, "ing", 3)) {
    word.remove_suffix(3);
  } else if (ends(word, "ed", 3) || ends(word, "en", 4) || ends(word, "es", 3)) {
    word.remove_suffix(2);
  } else if (ends(word, "s", 3) && !word.ends_with("ss")) {
    word.remove_suffix(1);
  }
  if (ends(word, "e", 3)) word.remove_suffix(1);
  const auto last = word.size() - 1;
  if (word.size() > 3 && word[last] == word[last - 1] && word[last] != 's' && word[last] != 'l' &&
      word[last] > 'a') {
    word.remove_suffix(1);
  }
  std::string short_form(word);
  if (short_form.size() > 2 && short_form.back() == 'y') short_form.back() = 'i';
  return short_form;
}

const Entry* entry_of(const std::string& word) {
  static const Lists lists;
  if (const auto found = lists.words.find(word); found != lists.words.end()) return &found->second;
  if (word.size() < 2) return nullptr;
  const auto bent = lists.stems.find(stem(word));
  return bent == lists.stems.end() ? nullptr : &bent->second;
}

}  // namespace causeway::similar
