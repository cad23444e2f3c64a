#include "features/privacy/pii/words.h"

#include <hs/hs.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/rule.h"

namespace causeway::pii {
namespace {

template <class Take>
void split(std::string_view list, const Take& take) {
  while (!list.empty()) {
    const auto end = std::min(list.find('|'), list.size());
    if (end > 0) take(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

bool equal(std::string_view a, std::string_view b, bool fold_case) {
  if (!fold_case) return a == b;
  return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

}  // namespace

Words::Words() = default;

Words::~Words() {
  hs_free_database(words_);
  hs_free_database(anchors_);
}

Words::Memory::~Memory() { hs_free_scratch(scratch_); }

Words::Literal& Words::literal(std::string_view text, bool fold_case) {
  const auto [entry, fresh] = by_text_.try_emplace({std::string(text), fold_case},
                                                   static_cast<std::uint32_t>(literals_.size()));
  if (fresh) literals_.push_back({std::string(text), fold_case, {}, {}});
  return literals_[entry->second];
}

void Words::add_words(std::uint32_t rule, std::string_view words) {
  split(words, [&](std::string_view word) {
    if (word[0] != '@') {
      literal(word, true).rules.set(rule);
      return;
    }
    const auto group = std::ranges::find(word_groups(), word.substr(1), &WordGroup::name);
    if (group == word_groups().end()) {
      throw std::logic_error("there is no group of words " + std::string(word));
    }
    add_words(rule, group->words);
  });
}

void Words::add_anchors(std::uint32_t rule, std::string_view anchors, bool fold_case) {
  split(anchors, [&](std::string_view anchor) {
    auto& rules = literal(anchor, fold_case).anchors;
    if (std::ranges::find(rules, rule) == rules.end()) rules.push_back(rule);
  });
}

template <class Choose>
hs_database* Words::compile(const Choose& choose) const {
  std::vector<const char*> texts;
  std::vector<unsigned> flags, ids;
  std::vector<std::size_t> sizes;
  for (unsigned id = 0; id < literals_.size(); ++id) {
    const Literal& literal = literals_[id];
    if (!choose(literal)) continue;
    texts.push_back(literal.text.c_str());
    sizes.push_back(literal.text.size());
    flags.push_back(literal.fold_case ? HS_FLAG_CASELESS : 0);
    ids.push_back(id);
  }
  hs_database* database = nullptr;
  hs_compile_error_t* error = nullptr;
  const auto made = hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), sizes.data(),
                                         static_cast<unsigned>(texts.size()), HS_MODE_BLOCK,
                                         nullptr, &database, &error);
  if (made == HS_SUCCESS) return database;
  const std::string why = error ? error->message : "no reason given";
  hs_free_compile_error(error);
  throw std::runtime_error("Hyperscan does not take the rules' words: " + why);
}

void Words::build() {
  words_ = compile([](const Literal& literal) { return literal.rules.any(); });
  anchors_ = compile([](const Literal& literal) { return !literal.anchors.empty(); });
}

void Words::take_anchor(std::string_view text, std::uint32_t id, std::size_t end,
                        Hits& hits) const {
  const Literal& literal = literals_[id];
  const std::size_t begin = end - literal.text.size();
  if (is_alnum(literal.text.front()) && is_alnum(before(text, begin))) return;
  for (const std::uint32_t rule : literal.anchors) {
    hits.anchors.push_back({static_cast<std::uint32_t>(begin), rule});
  }
}

void Words::take_word(std::string_view text, std::uint32_t id, std::size_t end, Hits& hits) const {
  const Literal& literal = literals_[id];
  const std::size_t begin = end - literal.text.size();
  if (is_alnum(literal.text.front()) && is_alnum(before(text, begin))) return;
  if (is_alnum(literal.text.back()) && is_alnum(at(text, end))) return;
  hits.words.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), id});
}

void Words::sort_words(Hits& hits) {
  const auto word = [](const WordHit& hit) { return std::tuple(hit.begin, hit.end, hit.word); };
  if (!std::ranges::is_sorted(hits.words, {}, word)) std::ranges::sort(hits.words, {}, word);
  hits.words_known = true;
}

void Words::sort_anchors(Hits& hits) {
  const auto anchor = [](const AnchorHit& hit) { return std::tuple(hit.begin, hit.rule); };
  std::ranges::sort(hits.anchors, {}, anchor);
  const auto repeated = std::ranges::unique(hits.anchors, {}, anchor);
  hits.anchors.erase(repeated.begin(), repeated.end());
}

template <Words::Take take>
void Words::scan(const hs_database* database, std::string_view text, Memory& memory,
                 Hits& hits) const {
  if (memory.owner_ != this) {
    for (const hs_database* one : {words_, anchors_}) {
      if (hs_alloc_scratch(one, &memory.scratch_) != HS_SUCCESS) throw std::bad_alloc();
    }
    memory.owner_ = this;
  }
  struct Context {
    const Words& words;
    std::string_view text;
    Hits& hits;
  } context{*this, text, hits};
  const auto on_hit = [](unsigned id, unsigned long long, unsigned long long end, unsigned,
                         void* opaque) {
    auto& where = *static_cast<Context*>(opaque);
    (where.words.*take)(where.text, id, end, where.hits);
    return 0;
  };
  hs_scan(database, text.data(), static_cast<unsigned>(text.size()), 0, memory.scratch_, on_hit,
          &context);
}

void Words::find_anchors(std::string_view text, Memory& memory, Hits& hits) const {
  hits.anchors.clear();
  hits.words.clear();
  hits.words_known = false;
  scan<&Words::take_anchor>(anchors_, text, memory, hits);
  sort_anchors(hits);
}

void Words::find_words(std::string_view text, Memory& memory, Hits& hits) const {
  hits.words.clear();
  scan<&Words::take_word>(words_, text, memory, hits);
  sort_words(hits);
}

void Words::find_slowly(std::string_view text, Hits& hits) const {
  hits.words.clear();
  hits.anchors.clear();
  for (std::uint32_t id = 0; id < literals_.size(); ++id) {
    const Literal& literal = literals_[id];
    const std::size_t size = literal.text.size();
    for (std::size_t end = size; end <= text.size(); ++end) {
      if (!equal(text.substr(end - size, size), literal.text, literal.fold_case)) continue;
      if (literal.rules.any()) take_word(text, id, end, hits);
      take_anchor(text, id, end, hits);
    }
  }
  sort_words(hits);
  sort_anchors(hits);
}

int word_distance(const Words& words, const Hits& hits, std::string_view text, std::uint32_t rule,
                  std::size_t begin, std::size_t end) {
  const std::size_t from = begin > kWordsBefore ? begin - kWordsBefore : 0;
  auto hit = std::ranges::lower_bound(hits.words, from, {}, &WordHit::begin);
  int nearest = -1;
  for (; hit != hits.words.end() && hit->begin < end + kWordsAfter; ++hit) {
    if (hit->begin < end && hit->end > begin) continue;
    if (!words.rules_of(*hit)[rule]) continue;
    int distance = 0;
    if (hit->end <= begin) {
      distance = static_cast<int>(begin - hit->end);
    } else {
      // A label speaks for what follows it, and a line for itself.
      if (at(text, hit->end) == ':' || text.substr(end, hit->begin - end).contains('\n')) continue;
      distance = static_cast<int>(hit->begin - end) + 20;
    }
    if (nearest < 0 || distance < nearest) nearest = distance;
  }
  return nearest;
}

RuleSet rules_near(const Words& words, const Hits& hits, std::size_t begin, std::size_t end) {
  RuleSet rules;
  const std::size_t from = begin > kWordsBefore ? begin - kWordsBefore : 0;
  auto hit = std::ranges::lower_bound(hits.words, from, {}, &WordHit::begin);
  for (; hit != hits.words.end() && hit->begin < end + kWordsAfter; ++hit) {
    rules |= words.rules_of(*hit);
  }
  return rules;
}

}  // namespace causeway::pii
