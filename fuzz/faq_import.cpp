// Files of questions and answers, CSV and Markdown: what is taken keeps to the limits, each problem
// names a line of the file, and what was taken and is exported comes back as it was.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "features/traffic/faq/csv.h"
#include "features/traffic/faq/import.h"
#include "features/traffic/faq/normal.h"

namespace {

using namespace causeway::faq;

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<Entry> entries_of(const ImportFile& file) {
  std::vector<Entry> entries;
  for (const Imported& one : file.entries) {
    Entry entry;
    static_cast<Draft&>(entry) = one.draft;
    entry.id = "faq_1";
    entries.push_back(std::move(entry));
  }
  return entries;
}

void comes_back(const ImportFile& file, const std::vector<Entry>& entries) {
  require(file.problems.empty() && file.entries.size() == entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    require(file.entries[i].draft == static_cast<const Draft&>(entries[i]));
  }
}

void look_at(const ImportFile& file, std::size_t lines) {
  require(file.problems.size() <= ImportFile::kMostProblems);
  for (const auto& problem : file.problems) {
    require(problem.line >= 1 && problem.line <= lines && problem.message.starts_with("Line "));
  }
  for (const Imported& one : file.entries) {
    require(one.line >= 1 && one.line <= lines);
    Draft again = one.draft;
    require(check(again) && again == one.draft);
    const std::string normal = normal_form(one.draft.questions.front());
    require(!normal.starts_with(' ') && !normal.ends_with(' '));
    require(normal.find("  ") == std::string::npos);
    require(normal_form(" " + one.draft.questions.front() + "\n") == normal);
  }
  const auto entries = entries_of(file);
  if (entries.empty()) return;
  comes_back(import_csv(export_csv(entries)), entries);
  if (const auto text = export_markdown(entries)) comes_back(import_markdown(*text), entries);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Memory of its own, so that a sanitizer sees a read behind its end.
  const std::vector<char> bytes(data, data + size);
  const std::string_view text(bytes.data(), bytes.size());
  const auto ends = std::ranges::count(text, '\n') + std::ranges::count(text, '\r');
  const auto lines = static_cast<std::size_t>(ends) + 1;
  look_at(import_csv(text), lines);
  look_at(import_markdown(text), lines);
  return 0;
}
