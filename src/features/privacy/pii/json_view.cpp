#include "features/privacy/pii/json_view.h"

#include <algorithm>

#include "core/request.h"
#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

bool is_unit(std::string_view json, std::size_t i) {
  return at(json, i) == '\\' && at(json, i + 1) == 'u' && is_hex(at(json, i + 2)) &&
         is_hex(at(json, i + 3)) && is_hex(at(json, i + 4)) && is_hex(at(json, i + 5));
}

// The bytes of an escape, both halves of a pair together; 0 for a backslash that begins none.
std::size_t escape_bytes(std::string_view json, std::size_t i) {
  constexpr std::string_view kShort = "\"\\/bfnrt";
  if (!is_unit(json, i)) return kShort.find(at(json, i + 1)) != kShort.npos ? 2 : 0;
  const bool high = (json[i + 2] | 0x20) == 'd' && to_lower(json[i + 3]) >= '8';
  return high && is_unit(json, i + 6) ? 12 : 6;
}

constexpr std::string_view kMarks = "{}[]:,-";

bool is_literal(std::string_view word) {
  return word == "true" || word == "false" || word == "null";
}

std::size_t number_end(std::string_view json, std::size_t i) {
  const auto digits = [&] {
    while (is_digit(at(json, i)) || at(json, i) == '.') ++i;
  };
  digits();
  if (to_lower(at(json, i)) != 'e') return i;
  const std::size_t mantissa = i++;
  if (at(json, i) == '+' || at(json, i) == '-') ++i;
  if (!is_digit(at(json, i))) return mantissa;
  digits();
  return i;
}

// What stands behind a number in JSON.
bool ends_number(std::string_view json, std::size_t i) {
  const char next = at(json, skip_space(json, i));
  return next == ',' || next == ']' || next == '}' || next == '\0';
}

}  // namespace

bool begins_as_json(std::string_view text) {
  std::size_t i = skip_space(text, 0);
  if (text.substr(i).starts_with("```")) {
    const auto line = text.find('\n', i);
    if (line == text.npos) return false;
    i = skip_space(text, line);
  }
  if (at(text, i) == '{') return true;
  if (at(text, i) != '[') return false;
  const char next = at(text, skip_space(text, i + 1));
  return next == '{' || next == '[' || next == '"' || next == '-' || is_digit(next);
}

JsonView::JsonView(std::string_view json) { read(json); }

void JsonView::read(std::string_view json) {
  plain_.reserve(json.size());
  runs_.push_back({0, 0, false});
  for (std::size_t i = 0; i < json.size();) {
    const char c = json[i];
    if (json.substr(i).starts_with("```")) {
      const std::size_t end = std::min(json.find('\n', i), json.size());
      plain_.append(json, i, end - i);
      i = end;
    } else if (c == '"') {
      i = read_string(json, i);
    } else if (is_digit(c)) {
      const std::size_t begin = i;
      i = number_end(json, i);
      plain_.append(json, begin, i - begin);
      leaves_.push_back(
          {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(i), true, false});
      json_ &= ends_number(json, i);
    } else if (is_lower(c)) {
      const std::size_t begin = i;
      while (i < json.size() && is_lower(json[i])) ++i;
      plain_.append(json, begin, i - begin);
      json_ &= is_literal(json.substr(begin, i - begin));
    } else {
      json_ &= is_space(c) || kMarks.find(c) != kMarks.npos;
      plain_ += c;
      ++i;
    }
  }
}

// From the opening quote to behind the closing one.
std::size_t JsonView::read_string(std::string_view json, std::size_t quote) {
  std::size_t end = quote + 1;
  while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
  end = std::min(end, json.size());
  const std::size_t behind = std::min(end + 1, json.size());
  const bool name = at(json, skip_space(json, behind)) == ':';
  add_run(quote, {}, 1);
  add_string(json, quote + 1, end, name);
  if (behind > end) add_run(end, {}, 1);
  leaves_.push_back(
      {static_cast<std::uint32_t>(quote + 1), static_cast<std::uint32_t>(end), false, name});
  return behind;
}

void JsonView::add_string(std::string_view json, std::size_t begin, std::size_t end, bool name) {
  json = json.substr(0, end);
  std::string storage;
  for (std::size_t i = begin; i < end;) {
    const std::size_t size = json[i] == '\\' ? escape_bytes(json, i) : 0;
    if (size > 0) {
      const std::string quoted = '"' + std::string(json.substr(i, size)) + '"';
      add_run(i, decode_json_string(quoted, storage), size);
      i += size;
      continue;
    }
    if (name && is_upper(json[i]) && is_lower(before(json, i))) add_run(i, " ", 0);
    plain_ += name && json[i] == '_' ? ' ' : json[i];
    ++i;
  }
}

// `plain` stands for `json_size` bytes, all of them or none.
void JsonView::add_run(std::size_t json, std::string_view plain, std::size_t json_size) {
  const auto here = [&] { return static_cast<std::uint32_t>(plain_.size()); };
  runs_.push_back({here(), static_cast<std::uint32_t>(json), true});
  plain_ += plain;
  runs_.push_back({here(), static_cast<std::uint32_t>(json + json_size), false});
}

std::uint32_t JsonView::json_of(std::uint32_t plain, bool up) const {
  const auto next =
      std::upper_bound(runs_.begin(), runs_.end(), plain,
                       [](std::uint32_t where, const Run& run) { return where < run.plain; });
  const Run& run = *(next - 1);
  if (!run.escape) return run.json + (plain - run.plain);
  if (plain == run.plain || !up || next == runs_.end()) return run.json;
  return next->json;
}

void JsonView::pieces(std::uint32_t begin, std::uint32_t end, std::vector<Piece>& out) const {
  out.clear();
  const std::uint32_t from = json_of(begin, false), to = json_of(end, true);
  if (!json_) return out.push_back({from, to, false});
  const auto first =
      std::lower_bound(leaves_.begin(), leaves_.end(), from,
                       [](const Leaf& one, std::uint32_t where) { return one.end <= where; });
  for (const bool names : {false, true}) {
    for (auto leaf = first; leaf != leaves_.end() && leaf->begin < to; ++leaf) {
      if (leaf->name != names || leaf->begin == leaf->end) continue;
      const Piece inside{std::max(from, leaf->begin), std::min(to, leaf->end), false};
      out.push_back(leaf->number ? Piece{leaf->begin, leaf->end, true} : inside);
    }
    if (!out.empty()) return;
  }
  out.push_back({from, to, false});
}

}  // namespace causeway::pii
