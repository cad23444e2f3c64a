#include "features/traffic/routing/language.h"

#include <cstdio>
// CLD2's header uses FILE without saying so.
#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>
#include <dlfcn.h>

#include <algorithm>

namespace causeway::routing {
namespace {

/// CLD2, loaded when a rule first names a language: a quarter of a megabyte that others should not
/// pay. It is C++, so its functions have the names that compilers give them.
struct Library {
  decltype(&CLD2::LanguageCode) code = nullptr;
  // One of several with this name.
  CLD2::Language (*detect)(const char* text, int size, bool plain, const CLD2::CLDHints* hints,
                           int flags, CLD2::Language* languages, int* percents, double* scores,
                           CLD2::ResultChunkVector* chunks, int* letters, bool* reliable,
                           int* valid) = nullptr;

  Library() {
    void* library = dlopen("libcld2.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return;
    const auto find = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(library, name));
    };
    find(code, "_ZN4CLD212LanguageCodeENS_8LanguageE");
    find(detect,
         "_ZN4CLD233ExtDetectLanguageSummaryCheckUTF8EPKcibPKNS_8CLDHintsEiPNS_8LanguageEPiPdPSt6"
         "vectorINS_11ResultChunkESaISA_EES7_PbS7_");
  }
  bool complete() const { return code != nullptr && detect != nullptr; }
};

const Library& cld2() {
  static const Library loaded;
  return loaded;
}

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
  std::string_view code = cld2().code(language);
  code = code.substr(0, code.find('-'));
  if (code == "iw") return "he";
  if (code == "jw") return "jv";
  if (code == "in") return "id";
  if (code == "mo") return "ro";
  if (code == "un" || code.starts_with("xx")) return "unknown";
  return std::string(code);
}

}  // namespace

bool can_tell_languages() { return cld2().complete(); }

std::string language_of(std::string_view text) {
  if (!can_tell_languages()) return "unknown";
  std::string read = ends_of(text);
  drop_fenced(read);
  if (looks_like_code(read)) return "unknown";
  const CLD2::CLDHints no_hints{nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
  CLD2::Language languages[3];
  int percents[3], letters = 0, valid = 0;
  double scores[3];
  bool reliable = false;
  const auto language =
      cld2().detect(read.data(), static_cast<int>(read.size()), true, &no_hints, 0, languages,
                    percents, scores, nullptr, &letters, &reliable, &valid);
  if (!reliable || letters < kLeastLetters) return "unknown";
  return iso_code(language);
}

}  // namespace causeway::routing
