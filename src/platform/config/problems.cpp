#include "platform/config/problems.h"

#include <fmt/core.h>

#include <algorithm>

namespace causeway::config {
namespace {

constexpr std::size_t kMaxNameLength = 64;
constexpr std::size_t kMaxSuggestions = 3;

std::string normal(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-' || c == ' ') c = '_';
  }
  return out;
}

// Optimal string alignment: insert, remove, replace, and swap of two neighbours cost one each.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

bool has_word(std::string_view text, std::string_view word) {
  if (word.size() < 3) return false;
  return ("_" + std::string(text) + "_").find("_" + std::string(word) + "_") != std::string::npos;
}

std::string suggestion_text(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::string out = "; did you mean ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += '"' + names[i] + '"';
  }
  return out + "?";
}

}  // namespace

void Problems::keep(Problem problem) {
  if (kept_.size() >= kMaxKept) {
    ++dropped_;
    return;
  }
  const auto after = [](const Problem& a, const Problem& b) { return a.at < b.at; };
  const auto place = std::upper_bound(kept_.begin(), kept_.end(), problem, after);
  kept_.insert(place, std::move(problem));
}

void Problems::add(Position at, std::string message, std::vector<std::string> suggestions) {
  ++errors_;
  keep({Severity::Error, at, std::move(message), std::move(suggestions)});
}

void Problems::warn(Position at, std::string message) {
  keep({Severity::Warning, at, std::move(message), {}});
}

std::string Problems::line(const Problem& problem) const {
  std::string out = file_;
  if (problem.at.line > 0) out += fmt::format(":{}:{}", problem.at.line, problem.at.column);
  out += ": ";
  if (problem.severity == Severity::Warning) out += "warning: ";
  return out + problem.message + suggestion_text(problem.suggestions);
}

std::string Problems::text() const {
  std::string out;
  for (const Problem& problem : sorted()) out += line(problem) + "\n";
  if (dropped_ > 0) out += fmt::format("{}: and {} more\n", file_, dropped_);
  return out;
}

std::vector<std::string> nearest(std::string_view name, std::span<const std::string> candidates) {
  if (name.empty() || name.size() > kMaxNameLength) return {};
  const std::string wanted = normal(name);
  // A third of the letters may be wrong, but never all of them.
  std::size_t best = std::min(std::max<std::size_t>(1, wanted.size() / 3), wanted.size() - 1);
  std::vector<std::string> near, holding;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kMaxNameLength) continue;
    const std::string have = normal(candidate);
    const std::size_t d = distance(wanted, have);
    if (d < best) near.clear();
    if (d <= best) {
      best = d;
      if (near.size() < kMaxSuggestions) near.push_back(candidate);
    }
    if (has_word(have, wanted) || has_word(wanted, have)) holding.push_back(candidate);
  }
  if (near.empty() && holding.size() == 1) return holding;
  return near;
}

}  // namespace causeway::config
