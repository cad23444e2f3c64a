// docs/pii-types.md, from the tables.
#include <array>
#include <cstdio>

#include "features/privacy/pii/feature.h"
#include "features/privacy/pii/rule.h"

namespace causeway::pii {
namespace {

struct Row {
  std::string_view id, source;
  std::string how;
  Worth worth;
  bool has_worth;
};

std::string number(float value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.2f", static_cast<double>(value));
  return text.data();
}

/// Bars would end a cell of the table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string how_of(const NumberRule& rule) {
  std::string how = "`" + cell(rule.shape) + "`";
  if (rule.check) how += ", checked";
  return how;
}

std::string how_of(const PatternRule& rule) {
  std::string how = rule.fold_case ? "behind `" : "begins with `";
  return how + cell(rule.anchors) + "`" + (rule.check ? ", checked" : "");
}

std::vector<Row> rows_of(Kind kind) {
  std::vector<Row> rows;
  for (const NumberRule& rule : number_rules()) {
    if (rule.kind == kind) rows.push_back({rule.id, rule.source, how_of(rule), rule.worth, true});
  }
  for (const PatternRule& rule : pattern_rules()) {
    if (rule.kind == kind) rows.push_back({rule.id, rule.source, how_of(rule), rule.worth, true});
  }
  for (const OtherRule& rule : other_rules()) {
    if (rule.kind == kind) rows.push_back({rule.id, rule.source, cell(rule.how), {}, false});
  }
  return rows;
}

constexpr std::string_view kHead =
    "# What the PII rules find\n\n"
    "Made by `causeway pii types`; the rules stand in `src/features/privacy/pii/rules_*.cpp`. A "
    "number is found\n"
    "however it is parted; the shapes say what it looks like without that: `d` digit, `L` letter, "
    "`X` either,\n"
    "`-` where it is usually parted, `|` or. \"Checked\": check digits or a date in it are right. "
    "Alone and with\n"
    "words: how sure a finding is by itself, and with one of the rule's words nearby; what is "
    "below 0.5 is not\n"
    "reported unless the caller asks for less.\n";

}  // namespace

std::string types_page() {
  std::string page(kHead);
  for (std::size_t i = 0; i < kKinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    page += "\n## " + std::string(name_of(kind)) +
            "\n\n| rule | finds | alone | with words | source |\n|---|---|---|---|---|\n";
    for (const Row& row : rows_of(kind)) {
      page += "| " + std::string(row.id) + " | " + row.how + " | " +
              (row.has_worth ? number(row.worth.alone) : "-") + " | " +
              (row.has_worth ? number(row.worth.with) : "-") + " | " + std::string(row.source) +
              " |\n";
    }
  }
  return page;
}

}  // namespace causeway::pii
