// `causeway pii …`: what a text gives away, and which rules there are.
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "core/verb_output.h"
#include "features/privacy/pii/feature.h"

namespace causeway::pii {
namespace {

struct ScanWords {
  std::string file;
  std::vector<std::string> kinds;
  bool json = false, lines = false, model = false;
};

bool read_file(const std::string& path, std::string& text) {
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
    return true;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  text.assign(std::istreambuf_iterator<char>(file), {});
  return !file.bad();
}

/// "12:7", as editors count.
std::string place_of(std::string_view text, std::size_t offset) {
  std::size_t line = 1, start = 0;
  for (std::size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++line;
      start = i + 1;
    }
  }
  return std::to_string(line) + ":" + std::to_string(offset - start + 1);
}

/// On one line, and not longer than a table bears.
std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 48;
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  if (out.size() <= kMost) return out;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
  return out.substr(0, end) + "...";
}

void print_table(std::string_view text, const std::vector<Finding>& findings) {
  std::vector<std::vector<std::string>> rows{{"PLACE", "KIND", "SURE", "RULE", "TEXT"}};
  for (const Finding& one : findings) {
    std::array<char, 8> sure{};
    std::snprintf(sure.data(), sure.size(), "%.2f", static_cast<double>(one.confidence));
    rows.push_back({place_of(text, one.begin), std::string(name_of(one.kind)), sure.data(),
                    std::string(one.rule), shown(text.substr(one.begin, one.end - one.begin))});
  }
  const std::string table = table_text(rows);
  if (!isatty(STDOUT_FILENO)) {
    std::fputs(table.c_str(), stdout);
    return;
  }
  // Sure findings in green, others in yellow; the head is bold.
  std::size_t row = 0, at = 0;
  while (at < table.size()) {
    const std::size_t end = std::min(table.find('\n', at), table.size());
    const char* colour = row == 0                               ? "\033[1m"
                         : findings[row - 1].confidence >= 0.8F ? "\033[32m"
                                                                : "\033[33m";
    std::printf("%s%s\033[0m\n", colour, table.substr(at, end - at).c_str());
    at = end + 1;
    ++row;
  }
}

/// What a text gives away, by the rules and, where there is its file, by the names model.
class Finder {
 public:
  Finder(const Detector& detector, const DetectorOptions& options, std::string model)
      : detector_(detector), options_(options), model_(std::move(model)) {}

  Result<void> find(std::string_view text, std::vector<Finding>& findings) {
    detector_.scan(text, scratch_, findings);
    if (model_.empty()) return {};
    ModelSearch search;
    search.add(text);
    if (auto asked = NamesModel::run_here(model_, search); !asked) return asked;
    add_model_findings(text, search.of(0), options_, findings);
    return {};
  }

 private:
  const Detector& detector_;
  const DetectorOptions& options_;
  const std::string model_;
  Scratch scratch_;
};

/// Each line {"text": "…"} by itself; a line of findings for each, and on stderr the seconds it
/// took.
int scan_lines(Finder& finder, std::string_view input) {
  std::vector<Finding> findings;
  std::string body;
  std::chrono::steady_clock::duration taken{};
  while (!input.empty()) {
    const auto end = std::min(input.find('\n'), input.size());
    boost::json::error_code failed;
    const auto line = boost::json::parse(input.substr(0, end), failed);
    input.remove_prefix(std::min(end + 1, input.size()));
    const auto* text = !failed && line.is_object() ? line.as_object().if_contains("text") : nullptr;
    if (!text || !text->is_string()) return tell("a line is no object with a \"text\"");
    const auto began = std::chrono::steady_clock::now();
    const auto done = finder.find(std::string_view(text->as_string()), findings);
    if (!done) return tell(done.error());
    taken += std::chrono::steady_clock::now() - began;
    write_findings(body, findings);
    body += '\n';
  }
  std::fputs(body.c_str(), stdout);
  std::fprintf(stderr, "%.6f s in the detector\n", std::chrono::duration<double>(taken).count());
  return 0;
}

int scan(const ScanWords& words, const ModelFile& model_file) {
  std::string text;
  if (!read_file(words.file, text)) return tell("cannot read " + words.file);
  DetectorOptions options;
  if (!words.kinds.empty()) options.kinds = KindSet::none();
  for (const std::string& name : words.kinds) {
    const auto kind = kind_named(name);
    if (!kind)
      return tell("there is no kind \"" + name + '"', "`causeway pii types` lists them."), 2;
    options.kinds.add(*kind);
  }
  const auto detector = Detector::make(options);
  if (!detector) return tell(detector.error());
  std::string model;
  if (words.model) {
    auto file = model_file();
    if (!file) return tell(file.error());
    model = std::move(*file);
  }
  Finder finder(**detector, options, std::move(model));
  if (words.lines) return scan_lines(finder, text);
  std::vector<Finding> findings;
  if (const auto done = finder.find(text, findings); !done) return tell(done.error());
  if (words.json) {
    std::string body;
    write_findings(body, findings);
    std::printf("%s\n", body.c_str());
  } else if (findings.empty()) {
    std::printf("Nothing found.\n");
  } else {
    print_table(text, findings);
  }
  return 0;
}

int run(std::span<const std::string> args, const ModelFile& model_file) {
  CLI::App app(
      "What a text gives away: names, numbers, addresses, keys. Works by itself, without a "
      "gateway.",
      "causeway pii");
  app.require_subcommand(1);
  ScanWords words;
  CLI::App* scanning = app.add_subcommand("scan", "find what a text gives away");
  scanning->add_option("file", words.file, "the text; - for standard input")->required();
  scanning->add_option("--kinds", words.kinds, "only these kinds")->delimiter(',');
  scanning->add_flag("--model", words.model, "ask the names model as well");
  scanning->add_flag("--json", words.json, "print offsets, kinds and rules as JSON");
  scanning->add_flag("--jsonl", words.lines, "lines of JSON, each with a \"text\" of its own");
  CLI::App* types =
      app.add_subcommand("types", "list the kinds, with their rules and sources, in Markdown");
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (types->parsed()) {
    std::fputs(types_page().c_str(), stdout);
    return 0;
  }
  return scan(words, model_file);
}

}  // namespace

Verb pii_verb(ModelFile model_file) {
  return {"pii", "Find what a text gives away; list the kinds and rules.",
          [model_file = std::move(model_file)](std::span<const std::string> args, AdminClient&) {
            return run(args, model_file);
          }};
}

}  // namespace causeway::pii
