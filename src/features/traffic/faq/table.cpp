#include "features/traffic/faq/table.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "features/traffic/faq/normal.h"
#include "platform/text/ascii.h"
#include "platform/text/glob.h"

namespace causeway::faq {
namespace {

// "de" stands for "de-CH" as well.
bool is_within(std::string_view language, std::string_view wanted) {
  if (language.size() < wanted.size()) return false;
  if (!text::equals_ignore_case(language.substr(0, wanted.size()), wanted)) return false;
  return language.size() == wanted.size() || language[wanted.size()] == '-';
}

bool is_for_the_same(const Draft& a, const Draft& b) {
  return a.tenant == b.tenant && text::equals_ignore_case(a.language, b.language) &&
         a.models.size() == b.models.size() && std::ranges::is_permutation(a.models, b.models);
}

bool hold_together(const Draft& a, const Draft& b) {
  constexpr Seconds kEver = std::numeric_limits<Seconds>::max();
  return a.enabled && b.enabled &&
         std::max(a.valid_from.value_or(0), b.valid_from.value_or(0)) <
             std::min(a.valid_until.value_or(kEver), b.valid_until.value_or(kEver));
}

}  // namespace

bool serves(const Entry& entry, const Asking& asking) {
  if (!entry.tenant.empty() && entry.tenant != asking.tenant) return false;
  if (!entry.valid_at(asking.now)) return false;
  const auto* languages = asking.languages;
  if (languages && !languages->empty() && !entry.language.empty() &&
      std::ranges::none_of(*languages,
                           [&](const auto& one) { return is_within(entry.language, one); })) {
    return false;
  }
  return entry.models.empty() || std::ranges::any_of(entry.models, [&](const auto& pattern) {
           return text::glob_match(pattern, asking.model);
         });
}

FaqTable::FaqTable(std::vector<EntryPtr> entries) : entries_(std::move(entries)) {
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    by_id_[entries_[i]->id] = i;
    for (const auto& question : entries_[i]->questions) {
      std::string normal = normal_form(question);
      if (normal.empty()) continue;
      auto& same = by_question_[std::move(normal)];
      if (same.empty() || same.back() != i) same.push_back(i);
    }
  }
  // The one that is to be found first stands first.
  for (auto& [question, same] : by_question_) {
    std::ranges::sort(same, std::greater(), [&](std::uint32_t i) {
      const Entry& entry = *entries_[i];
      return std::tuple(!entry.tenant.empty(), !entry.models.empty(), entry.changed_at,
                        std::string_view(entry.id));
    });
  }
}

const Entry* FaqTable::find(std::string_view normal, const Asking& asking) const {
  const auto same = by_question_.find(normal);
  if (same == by_question_.end()) return nullptr;
  for (const std::uint32_t i : same->second) {
    if (serves(*entries_[i], asking)) return entries_[i].get();
  }
  return nullptr;
}

const Entry* FaqTable::rival_of(const Draft& draft) const {
  for (const auto& question : draft.questions) {
    const auto same = by_question_.find(normal_form(question));
    if (same == by_question_.end()) continue;
    for (const std::uint32_t i : same->second) {
      if (is_for_the_same(*entries_[i], draft) && hold_together(*entries_[i], draft)) {
        return entries_[i].get();
      }
    }
  }
  return nullptr;
}

const Entry* FaqTable::by_id(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : entries_[found->second].get();
}

}  // namespace causeway::faq
