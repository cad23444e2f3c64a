#include "engine/manifest.h"

#include <charconv>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

namespace causeway::engine {
namespace {

using Section = std::map<std::string, std::string, std::less<>>;

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  std::istringstream stream{std::string(text)};
  for (std::string word; stream >> word;) out.push_back(word);
  return out;
}

std::string value(const Section& section, std::string_view key) {
  const auto it = section.find(key);
  return it == section.end() ? std::string() : it->second;
}

/// False when there is such a key and its value is not a number.
template <class Number>
bool number(const Section& section, std::string_view key, Number& into) {
  const auto it = section.find(key);
  if (it == section.end()) return true;
  const char* end = it->second.data() + it->second.size();
  const auto [at, error] = std::from_chars(it->second.data(), end, into);
  return error == std::errc() && at == end;
}

std::unexpected<Error> wrong(const std::string& what) {
  return fail(ErrorKind::Internal, Origin::Us, "third_party/manifest: " + what);
}

Result<ModelSource> source_of(const std::string& name, const Section& section) {
  ModelSource source;
  source.artifact = name;
  source.file_name = value(section, "result");
  source.sha256 = value(section, "result.sha256");
  if (!number(section, "result.size", source.bytes)) {
    return wrong("[" + name + "] has a number that is none");
  }
  if (source.file_name.empty() || source.sha256.size() != 64) {
    return wrong("[" + name + "] lacks result or result.sha256");
  }
  return source;
}

Result<ModelEntry> to_entry(const std::string& name, const Section& section) {
  ModelEntry entry;
  entry.name = name;
  entry.licence = value(section, "license");
  entry.aliases = words(value(section, "alias"));
  entry.about = value(section, "about");
  entry.system_prompt = value(section, "system");
  entry.temperature = value(section, "temperature");
  entry.pooling = value(section, "pooling");
  const auto task = value(section, "task");
  if (task == "embeddings") {
    entry.kind = ModelKind::Embeddings;
  } else if (task != "chat") {
    return wrong("[" + name + "] task is neither chat nor embeddings");
  }
  if (!number(section, "context", entry.context) || !number(section, "slots", entry.slots)) {
    return wrong("[" + name + "] has a number that is none");
  }
  auto source = source_of(name, section);
  if (!source) return pass(std::move(source));
  entry.source = std::move(*source);
  return entry;
}

using Sections = std::vector<std::pair<std::string, Section>>;

Result<Sections> parse_sections(std::string_view text) {
  Sections sections;
  int line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const auto end = text.find('\n');
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[' && line.back() == ']') {
      sections.emplace_back(line.substr(1, line.size() - 2), Section{});
      continue;
    }
    const auto equals = line.find('=');
    if (equals == line.npos || sections.empty()) {
      return wrong("line " + std::to_string(line_number) + " is neither [name] nor key = value");
    }
    sections.back().second.emplace(trim(line.substr(0, equals)), trim(line.substr(equals + 1)));
  }
  return sections;
}

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || !text) {  // it cannot be opened, or nothing could be read
    return fail(ErrorKind::Unavailable, Origin::Us, "cannot read the list of models " + path);
  }
  return text.str();
}

}  // namespace

Result<std::vector<ModelEntry>> parse_manifest(std::string_view text) {
  const auto sections = parse_sections(text);
  if (!sections) return std::unexpected(sections.error());
  std::vector<ModelEntry> out;
  for (const auto& [name, section] : *sections) {
    if (value(section, "kind") != "model") continue;
    auto entry = to_entry(name, section);
    if (!entry) return pass(std::move(entry));
    out.push_back(std::move(*entry));
  }
  return out;
}

Result<std::vector<ModelEntry>> read_manifest(const std::string& path) {
  const auto text = read_text(path);
  if (!text) return std::unexpected(text.error());
  return parse_manifest(*text);
}

Result<ModelEntry> data_file(const std::string& path, std::string_view wanted) {
  const auto text = read_text(path);
  if (!text) return std::unexpected(text.error());
  const auto sections = parse_sections(*text);
  if (!sections) return std::unexpected(sections.error());
  for (const auto& [name, section] : *sections) {
    if (name != wanted || value(section, "kind") != "data") continue;
    auto source = source_of(name, section);
    if (!source) return pass(std::move(source));
    ModelEntry file;
    file.name = name;
    file.source = std::move(*source);
    return file;
  }
  return fail(ErrorKind::Unavailable, Origin::Us, "no data of the name " + std::string(wanted));
}

}  // namespace causeway::engine
