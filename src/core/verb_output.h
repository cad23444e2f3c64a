// What verbs print: tables, and what went wrong. Every message of the program to a person begins
// with "causeway: ".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"

namespace causeway {

/// What others have named, without what would move a terminal's cursor or change its colours:
/// control characters are `?`.
std::string for_terminal(std::string_view text);

/// Columns as wide as their widest cell; the first `left` of them begin at the left, the others end
/// at the right. The first row is the head. Cells are made fit for a terminal.
std::string table_text(const std::vector<std::vector<std::string>>& rows,
                       std::size_t left = static_cast<std::size_t>(-1));

/// Says on stderr what went wrong; gives the exit code, 1.
int tell(std::string_view message, std::string_view detail = {});
int tell(const Error& error);

/// Fit for one part of a path or query.
std::string url_encoded(std::string_view text);

/// `; did you mean "a" or "b"?` where names come near; empty otherwise.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace causeway
