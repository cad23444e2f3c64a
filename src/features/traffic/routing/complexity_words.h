// Words that say what kind of question this is, in the languages of the program's users; found by
// their hash, in a table that the compiler makes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace causeway::routing {

enum class Mark : std::uint8_t {
  Reason,      // why, compare, prove
  Create,      // write, plan, design
  Constraint,  // exactly, without, at most
  Code,        // python, function, query
  Maths,       // sum, percent, solve
  Domain,      // law, medicine, statistics
  Recall,      // capital, who, wrote
  Meaning,     // define, synonym, stands for
  Classify,    // positive, spam, category
  Extract,     // extract, find, list
  Rewrite,     // correct, shorten, summarise
  Translate,   // translate, French
  Greet,       // hello, thanks, bye
  Connect,     // if, then, because
  Plain,       // name, tell, give; cat, milk, colour
  Foreign,     // small words of other languages than English
  Asks,        // what, who, where: counts where it stands first
  YesNo,       // is, do, can: counts where it stands first
};
inline constexpr std::size_t kMarks = 18;

/// FNV-1a, so that it can be had while the text is read.
inline constexpr std::uint32_t kHashBegin = 2166136261u;
constexpr std::uint32_t hash_more(std::uint32_t hash, unsigned char byte) {
  return (hash ^ byte) * 16777619u;
}

/// A bit for each mark of the word with this hash, made of its lower-case UTF-8.
std::uint32_t marks_of(std::uint32_t hash);

}  // namespace causeway::routing
