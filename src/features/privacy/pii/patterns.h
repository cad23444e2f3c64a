// Confirms patterns where their literals stand, and dates of birth next to their words.
#pragma once

#include "features/privacy/pii/book.h"
#include "features/privacy/pii/candidate.h"

namespace causeway::pii {

/// Patterns at the places where Words has found what they begin with.
void find_patterns(const Book& book, const Scene& scene);
/// The same without Words: every pattern over all of the text. For tests.
void find_patterns_slowly(const Book& book, const Scene& scene);

/// `since`: the rule for long ago dates behind that word.
void find_birth_dates(const Scene& scene, std::uint32_t rule, std::uint32_t since);

}  // namespace causeway::pii
