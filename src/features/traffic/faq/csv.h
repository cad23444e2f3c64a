// CSV as RFC 4180 has it, and as spreadsheets write it: a byte order mark in front, CRLF or LF at
// the ends of lines, `;` or tabs between fields where the system's language has it so. What is
// neither is an error with its line: half a table read wrongly is worse than none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"

namespace causeway::faq {

struct CsvRow {
  std::size_t line = 1;  // where it begins
  std::vector<std::string> fields;
};

/// Rows of one or more fields; empty lines are left out. The separator is that of `,`, `;` and tab
/// that stands most often in the first row. InvalidRequest "faq_import", with the line in its
/// message: a quote inside of an unquoted field, text behind a closing one, one that is not closed;
/// more than `most_rows`, or 64 fields in one.
Result<std::vector<CsvRow>> read_csv(std::string_view text, std::size_t most_rows);

/// One field, in quotes where it needs them.
void append_csv(std::string& out, std::string_view field);

}  // namespace causeway::faq
