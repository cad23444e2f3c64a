#include "platform/text/glob.h"

#include <cstring>

namespace causeway::text {
namespace {

/// First place of `part` in `text`; memmem works in linear time (two-way search), find() does not.
std::size_t find_linear(std::string_view text, std::string_view part) {
  const void* at = ::memmem(text.data(), text.size(), part.data(), part.size());
  if (!at) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
  const auto first_star = pattern.find('*');
  if (first_star == std::string_view::npos) return pattern == text;

  const auto last_star = pattern.rfind('*');
  const auto head = pattern.substr(0, first_star);
  const auto tail = pattern.substr(last_star + 1);
  if (text.size() < head.size() + tail.size()) return false;
  if (!text.starts_with(head) || !text.ends_with(tail)) return false;

  // Between the outer stars each literal part takes its leftmost place: a match that exists at all
  // exists that way too, since a star behind it can stretch.
  auto rest = text.substr(head.size(), text.size() - head.size() - tail.size());
  auto middle = pattern.substr(first_star, last_star - first_star);
  while (!middle.empty()) {
    middle.remove_prefix(1);  // the star
    const auto part = middle.substr(0, middle.find('*'));
    middle.remove_prefix(part.size());
    if (part.empty()) continue;
    const auto at = find_linear(rest, part);
    if (at == std::string_view::npos) return false;
    rest.remove_prefix(at + part.size());
  }
  return true;
}

}  // namespace causeway::text
