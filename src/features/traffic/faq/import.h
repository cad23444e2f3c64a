// Entries from files that staff keeps: CSV with a head line, Markdown with a heading for each
// question. Everything that is wrong is told at once, each with its line.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "features/traffic/faq/entry.h"
#include "platform/base/error.h"

namespace causeway::faq {

struct Imported {
  std::size_t line = 1;  // where it begins
  std::string id;        // of the entry that it is; empty = it is found by its question
  Draft draft;           // checked
};

struct ImportProblem {
  std::size_t line = 1;
  std::string message;  // "Line 3: …"
};

struct ImportFile {
  static constexpr std::size_t kMostProblems = 100;
  std::vector<Imported> entries;
  std::vector<ImportProblem> problems;
};

/// `question` and `answer` must be columns; `wordings` (a line each), `language`, `valid_from`,
/// `valid_until`, `tenant`, `models` (with commas or spaces between them), `enabled` and `id` may.
ImportFile import_csv(std::string_view text);

/// A heading of the second level is a question, what stands below it the answer. Front matter, or
/// comments in front of the first question, hold for all of them: `language: de`; comments between
/// a question and its answer for this one: `<!-- valid_until: 2026-12-31 -->`. `also` is a wording.
ImportFile import_markdown(std::string_view text);

std::string export_csv(std::span<const Entry> entries);
/// InvalidRequest "faq_export" where an answer has lines that would be read as something else.
Result<std::string> export_markdown(std::span<const Entry> entries);

/// What both formats call the members of an entry. False: there is none of this name. An Error says
/// what is wrong with the value.
Result<bool> set_member(Imported& entry, std::string_view name, std::string_view value);

}  // namespace causeway::faq
