#include "features/privacy/minimise/blobs.h"

#include <algorithm>
#include <array>

#include "platform/text/ascii.h"

namespace causeway::minimise {
namespace {

constexpr std::size_t kShortest = 256;     // characters of a run
constexpr std::size_t kShortestUrl = 64;   // behind "data:…;base64,", which leaves no doubt
constexpr std::size_t kShortestLine = 60;  // of a run that goes on in the next line (MIME has 76)
constexpr std::size_t kLongestType = 100;  // between "data:" and the comma

// RFC 4648: the usual alphabet, the one for URLs, and the filling.
constexpr auto kInBase64 = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (char c : {'+', '/', '-', '_', '='}) table[static_cast<std::size_t>(c)] = true;
  return table;
}();
bool in_base64(char c) { return kInBase64[static_cast<unsigned char>(c)]; }

std::size_t line_end(std::string_view text, std::size_t at) {
  while (at < text.size() && in_base64(text[at])) ++at;
  return at;
}

struct Run {
  std::size_t end = 0;
  std::size_t characters = 0;  // without the ends of lines
};

// A run may be broken into lines of one length.
Run run_at(std::string_view text, std::size_t begin) {
  Run run{line_end(text, begin), 0};
  std::size_t line = run.end - begin;
  run.characters = line;
  while (line >= kShortestLine) {
    std::size_t next = run.end;
    if (text.substr(next).starts_with("\r\n")) {
      next += 2;
    } else if (text.substr(next).starts_with('\n')) {
      next += 1;
    } else {
      break;
    }
    const std::size_t end = line_end(text, next);
    const bool alone = end == text.size() || text::is_space(text[end]);
    if (end == next || end - next > line || (!alone && end - next < line)) break;
    line = end - next;
    run.end = end;
    run.characters += line;
  }
  return run;
}

// Long words, identifiers and numbers in base 16 lack one or the other.
bool looks_encoded(std::string_view run) {
  const auto any = [&](auto is) { return std::ranges::any_of(run, is); };
  return any([](char c) { return c >= 'a' && c <= 'z'; }) &&
         any([](char c) { return c >= 'A' && c <= 'Z'; }) && any(text::is_digit);
}

bool in_link(std::string_view text, std::size_t at) {
  const std::size_t from = at > 2048 ? at - 2048 : 0;
  const auto before = text.substr(from, at - from);
  const auto space = before.find_last_of(" \t\r\n<>\"'");
  const auto word = space == std::string_view::npos ? before : before.substr(space + 1);
  return word.find("://") != std::string_view::npos;
}

std::string note(std::size_t characters) {
  const std::size_t bytes = characters / 4 * 3;
  std::string size = bytes < 1000        ? std::to_string(bytes) + " B"
                     : bytes < 1'000'000 ? std::to_string((bytes + 500) / 1000) + " kB"
                                         : std::to_string((bytes + 500'000) / 1'000'000) + " MB";
  return "[base64, " + size + "]";
}

// Where a data URL begins whose comma stands just in front of `run`; nothing where none does.
std::optional<std::size_t> data_url_before(std::string_view text, std::size_t run) {
  constexpr std::string_view kMark = ";base64,";
  if (!text.substr(0, run).ends_with(kMark)) return std::nullopt;
  const std::size_t end = run - kMark.size();
  const std::size_t from = end > kLongestType ? end - kLongestType : 0;
  const auto begin = text.substr(from, end - from).rfind("data:");
  if (begin == std::string_view::npos) return std::nullopt;
  return from + begin;
}

}  // namespace

std::optional<std::string> without_base64(std::string_view text) {
  if (text.size() < kShortestUrl) return std::nullopt;
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (!in_base64(text[at])) {
      ++at;
      continue;
    }
    const std::size_t word = line_end(text, at);
    if (word - at < kShortestLine) {  // nearly every word
      at = word + 1;
      continue;
    }
    const Run run = run_at(text, at);
    const auto url = data_url_before(text, at);
    const bool found = url ? run.characters >= kShortestUrl
                           : run.characters >= kShortest &&
                                 looks_encoded(text.substr(at, run.end - at)) && !in_link(text, at);
    if (found) {
      const std::size_t begin = url.value_or(at);
      out.append(text, copied, begin - copied);
      out += note(run.characters);
      copied = run.end;
    }
    at = run.end;
  }
  if (copied == 0) return std::nullopt;
  out.append(text, copied);
  return out;
}

}  // namespace causeway::minimise
