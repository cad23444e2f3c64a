#include "app/line_diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace causeway::app {
namespace {

constexpr std::size_t kContext = 3;
constexpr std::size_t kMostCells = 4'000'000;  // of the table, two bytes each

using Lines = std::vector<std::string_view>;

struct Edit {
  char sign;  // ' ', '-', '+'
  std::string_view line;
};

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The middle, where begin and end are the same no more: a longest common subsequence by table.
void add_middle(const Lines& a, const Lines& b, std::size_t from, std::size_t a_end,
                std::size_t b_end, std::vector<Edit>& edits) {
  const std::size_t rows = a_end - from, columns = b_end - from;
  const bool table = rows * columns <= kMostCells && std::max(rows, columns) < 65'535;
  std::vector<std::uint16_t> common(table ? (rows + 1) * (columns + 1) : 0);
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint16_t& {
    return common[i * (columns + 1) + j];
  };
  for (std::size_t i = table ? rows : 0; i-- > 0;) {
    for (std::size_t j = columns; j-- > 0;) {
      at(i, j) = a[from + i] == b[from + j] ? static_cast<std::uint16_t>(at(i + 1, j + 1) + 1)
                                            : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  std::size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (table && i < rows && j < columns && a[from + i] == b[from + j]) {
      edits.push_back({' ', a[from + i++]});
      ++j;
    } else if (i < rows && (j == columns || !table || at(i + 1, j) >= at(i, j + 1))) {
      edits.push_back({'-', a[from + i++]});
    } else {
      edits.push_back({'+', b[from + j++]});
    }
  }
}

std::vector<Edit> edits_of(const Lines& a, const Lines& b) {
  std::vector<Edit> edits;
  std::size_t from = 0, a_end = a.size(), b_end = b.size();
  while (from < a_end && from < b_end && a[from] == b[from]) edits.push_back({' ', a[from++]});
  while (a_end > from && b_end > from && a[a_end - 1] == b[b_end - 1]) --a_end, --b_end;
  add_middle(a, b, from, a_end, b_end, edits);
  for (; a_end < a.size(); ++a_end) edits.push_back({' ', a[a_end]});
  return edits;
}

std::string range(std::size_t first, std::size_t count) {
  return std::to_string(count == 0 ? first : first + 1) + "," + std::to_string(count);
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, std::string_view name) {
  if (before == after) return "";
  const auto edits = edits_of(lines_of(before), lines_of(after));
  const auto changed = [&](std::size_t i) { return edits[i].sign != ' '; };
  std::string out = "--- " + std::string(name) + "\n+++ " + std::string(name) + "\n";
  std::size_t old_line = 0, new_line = 0, done = 0;
  const auto pass = [&](std::size_t to) {
    for (; done < to; ++done) {
      old_line += edits[done].sign != '+';
      new_line += edits[done].sign != '-';
    }
  };
  for (std::size_t i = 0; i < edits.size(); ++i) {
    if (!changed(i)) continue;
    std::size_t end = i + 1;  // behind the last change that is near the one before
    for (std::size_t j = end; j < edits.size() && j < end + 2 * kContext + 1; ++j) {
      if (changed(j)) end = j + 1;
    }
    const std::size_t begin = i - std::min(i - done, kContext);
    const std::size_t stop = std::min(end + kContext, edits.size());
    pass(begin);
    const std::size_t old_first = old_line, new_first = new_line;
    std::string body;
    for (std::size_t j = begin; j < stop; ++j) {
      ((body += edits[j].sign) += edits[j].line) += '\n';
    }
    pass(stop);
    out += "@@ -" + range(old_first, old_line - old_first) + " +" +
           range(new_first, new_line - new_first) + " @@\n" + body;
    i = stop - 1;
  }
  return out;
}

}  // namespace causeway::app
