#include "features/traffic/routing/language.h"

#include <cstdio>
// CLD2's header uses FILE without saying so.
#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <algorithm>

namespace causeway::routing {
namespace {

constexpr std::size_t kReadAtEachEnd = 4096;
constexpr int kLeastLetters = 8;        // bytes of letters, as CLD2 counts them
constexpr std::size_t kProseOfAll = 8;  // a text with a sign of code for fewer bytes is code

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

/// Both ends, cut between characters.
std::string ends_of(std::string_view text) {
  if (text.size() <= 2 * kReadAtEachEnd) return std::string(text);
  std::size_t first = kReadAtEachEnd, last = text.size() - kReadAtEachEnd;
  while (first > 0 && continues(text[first])) --first;
  while (last < text.size() && continues(text[last])) ++last;
  std::string ends(text.substr(0, first));
  ends += '\n';
  ends += text.substr(last);
  return ends;
}

/// Code between fences says nothing about the language of those who write around it.
void drop_fenced(std::string& text) {
  constexpr std::string_view kFence = "```";
  std::size_t begin = text.find(kFence);
  while (begin != std::string::npos) {
    const std::size_t end = text.find(kFence, begin + kFence.size());
    if (end == std::string::npos) {
      text.erase(begin);
      return;
    }
    text.erase(begin, end + kFence.size() - begin);
    begin = text.find(kFence, begin);
  }
}

/// CLD2 takes the words of program code for English.
bool looks_like_code(std::string_view text) {
  constexpr std::string_view kSigns = "{}()[]<>=;_*/+&|\\$#@~^\"";
  const auto signs = static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [&](char c) { return kSigns.find(c) != std::string_view::npos; }));
  return signs >= 3 && signs * kProseOfAll > text.size();
}

/// "zh-Hant" is "zh"; "iw" and the like are names that ISO 639 has given up.
std::string iso_code(CLD2::Language language) {
  std::string_view code = CLD2::LanguageCode(language);
  code = code.substr(0, code.find('-'));
  if (code == "iw") return "he";
  if (code == "jw") return "jv";
  if (code == "in") return "id";
  if (code == "mo") return "ro";
  if (code == "un" || code.starts_with("xx")) return "unknown";
  return std::string(code);
}

}  // namespace

std::string language_of(std::string_view text) {
  std::string read = ends_of(text);
  drop_fenced(read);
  if (looks_like_code(read)) return "unknown";
  const CLD2::CLDHints no_hints{nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
  CLD2::Language languages[3];
  int percents[3], letters = 0, valid = 0;
  double scores[3];
  bool reliable = false;
  const auto language = CLD2::ExtDetectLanguageSummaryCheckUTF8(
      read.data(), static_cast<int>(read.size()), true, &no_hints, 0, languages, percents, scores,
      nullptr, &letters, &reliable, &valid);
  if (!reliable || letters < kLeastLetters) return "unknown";
  return iso_code(language);
}

}  // namespace causeway::routing
