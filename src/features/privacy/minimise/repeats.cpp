#include "features/privacy/minimise/repeats.h"

#include "platform/text/ascii.h"

namespace causeway::minimise {
namespace {

constexpr std::string_view kNote = "[the same text as above]";

// Calls fn(paragraph, with what stands up to the next one). Empty lines part paragraphs.
template <class Fn>
void each_paragraph(std::string_view text, Fn fn) {
  while (!text.empty()) {
    std::size_t end = 0;
    bool blank = false;
    while (end < text.size()) {
      const std::size_t line = std::min(text.find('\n', end), text.size() - 1) + 1;
      const bool empty = text::trim(text.substr(end, line - end)).empty();
      if (blank && !empty) break;
      blank |= empty;
      end = line;
    }
    const std::string_view whole = text.substr(0, end);
    fn(text::trim(whole), whole);
    text.remove_prefix(end);
  }
}

}  // namespace

void Repeats::remember(std::string_view text) {
  if (text.size() < kShortest) return;
  each_paragraph(text, [this](std::string_view paragraph, std::string_view) {
    if (paragraph.size() >= kShortest) seen_.insert(paragraph);
  });
}

std::optional<std::string> Repeats::without(std::string_view text) const {
  if (text.size() < kShortest) return std::nullopt;
  std::string out;
  each_paragraph(text, [&](std::string_view paragraph, std::string_view whole) {
    if (paragraph.size() < kShortest || !seen_.contains(paragraph)) out += whole;
  });
  if (out.size() == text.size()) return std::nullopt;
  if (text::trim(out).empty()) return std::string(kNote);
  return out;
}

}  // namespace causeway::minimise
