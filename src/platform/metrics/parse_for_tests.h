// Reads Prometheus' text format back and checks what promtool would: for tests only. Throws
// std::runtime_error at the first fault.
#pragma once

#include <cctype>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway::metrics {

struct ParsedSample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct Parsed {
  std::map<std::string, std::string> types;
  std::map<std::string, std::string> helps;
  std::vector<ParsedSample> samples;

  const ParsedSample* find(const std::string& name,
                           const std::map<std::string, std::string>& labels) const {
    for (const auto& sample : samples) {
      if (sample.name == name && sample.labels == labels) return &sample;
    }
    return nullptr;
  }
};

inline bool is_name(std::string_view text, bool colon) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0]))) return false;
  for (const char c : text) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && !(colon && c == ':'))
      return false;
  }
  return true;
}

// Reads one `name="value"` and moves `line` behind it, undoing the three escapes of the format.
inline std::pair<std::string, std::string> read_label(std::string_view& line) {
  const auto equals = line.find("=\"");
  if (equals == std::string_view::npos) throw std::runtime_error("label without value");
  const std::string name(line.substr(0, equals));
  if (!is_name(name, false)) throw std::runtime_error("label name " + name);
  line.remove_prefix(equals + 2);
  std::string value;
  while (!line.empty() && line[0] != '"') {
    if (line[0] == '\\') {
      line.remove_prefix(1);
      const char c = line.empty() ? ' ' : line[0];
      if (c != 'n' && c != '\\' && c != '"') throw std::runtime_error("escape");
      value += c == 'n' ? '\n' : c;
    } else {
      value += line[0];
    }
    line.remove_prefix(1);
  }
  if (line.empty()) throw std::runtime_error("open label value");
  line.remove_prefix(1);
  return {name, value};
}

inline ParsedSample read_sample(std::string_view line) {
  ParsedSample sample;
  const auto end = line.find_first_of("{ ");
  sample.name = line.substr(0, end);
  if (!is_name(sample.name, true)) throw std::runtime_error("name " + sample.name);
  line.remove_prefix(end);
  if (line[0] == '{') {
    do {
      line.remove_prefix(1);
      if (line.starts_with("}")) break;
      if (!sample.labels.insert(read_label(line)).second) throw std::runtime_error("label twice");
    } while (line.starts_with(","));
    if (!line.starts_with("}")) throw std::runtime_error("open label set");
    line.remove_prefix(1);
  }
  if (!line.starts_with(" ")) throw std::runtime_error("no space before the value");
  const std::string number(line.substr(1));
  std::size_t used = 0;
  sample.value = std::stod(number, &used);
  if (used != number.size()) throw std::runtime_error("value " + number);
  return sample;
}

// The family of a sample: histograms have three suffixes.
inline std::string family_of(const Parsed& parsed, const std::string& name) {
  if (parsed.types.contains(name)) return name;
  for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
    if (!name.ends_with(suffix)) continue;
    const auto base = name.substr(0, name.size() - suffix.size());
    if (parsed.types.contains(base) && parsed.types.at(base) == "histogram") return base;
  }
  throw std::runtime_error("sample without TYPE: " + name);
}

// What promtool checks: HELP and TYPE once and before the samples, families in one piece, no series
// twice, histograms cumulated and closed by +Inf.
inline Parsed parse_exposition(const std::string& text) {
  Parsed parsed;
  std::string current;
  std::set<std::pair<std::string, std::map<std::string, std::string>>> seen;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = text.find('\n', at);
    if (end == std::string::npos) throw std::runtime_error("last line is not ended");
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) {
      const auto space = line.find(' ', 7);
      auto& into = line[2] == 'H' ? parsed.helps : parsed.types;
      current = line.substr(7, space - 7);
      if (!into.emplace(current, line.substr(space + 1)).second) throw std::runtime_error("twice");
      continue;
    }
    auto sample = read_sample(line);
    if (family_of(parsed, sample.name) != current) throw std::runtime_error("family in pieces");
    if (!parsed.helps.contains(current)) throw std::runtime_error("no HELP");
    if (!seen.emplace(sample.name, sample.labels).second) throw std::runtime_error("series twice");
    parsed.samples.push_back(std::move(sample));
  }
  return parsed;
}

}  // namespace causeway::metrics
