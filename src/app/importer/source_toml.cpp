#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "app/importer/source.h"
#include "platform/config/config.h"
#include "platform/text/number.h"
#include "platform/text/utf8.h"

namespace causeway::app::importer {
namespace {

config::Position position(const toml::source_position& at) { return {at.line, at.column}; }

bool before(const config::Position& a, const config::Position& b) { return a < b; }

std::string scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* on = node.as_boolean()) return on->get() ? "true" : "false";
  std::string number;
  if (const auto* whole = node.as_integer()) {
    text::append_int(number, whole->get());
  } else if (const auto* real = node.as_floating_point()) {
    text::append_double(number, real->get());
  } else {
    std::ostringstream date;
    if (const auto* day = node.as_date()) date << day->get();
    if (const auto* time = node.as_time()) date << time->get();
    if (const auto* both = node.as_date_time()) date << both->get();
    number = std::move(date).str();
  }
  return number;
}

Value value_of(const toml::node& node) {
  Value value;
  value.at = position(node.source().begin);
  if (const auto* table = node.as_table()) {
    value.kind = Value::Kind::Table;
    std::vector<std::pair<config::Position, Member>> members;
    for (const auto& [key, below] : *table) {
      const auto at = position(key.source().begin);
      members.push_back({at, {std::string(key.str()), at.line, value_of(below)}});
    }
    // The library sorts by name; the file's order is the order of the author's thoughts.
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& a, const auto& b) { return before(a.first, b.first); });
    for (auto& member : members) value.members.push_back(std::move(member.second));
  } else if (const auto* list = node.as_array()) {
    value.kind = Value::Kind::List;
    for (const auto& item : *list) value.items.push_back(value_of(item));
  } else {
    value.kind = Value::Kind::Scalar;
    value.text = scalar_text(node);
  }
  return value;
}

std::unexpected<Error> refused(const std::string& file, config::Position at, std::string why) {
  config::Problems problems(file);
  problems.add(at, std::move(why));
  return fail(ErrorKind::InvalidRequest, Origin::Client, problems.text(), "bad_source");
}

// Each dot of a key is a level, of which the library counts none: it would go as deep as they are
// many. Dots of a text are counted too; no text has so many of them.
bool too_many_dots(std::string_view text) {
  constexpr int kMost = 1000;
  int dots = 0;
  for (const char c : text) {
    if (c == '\n' || c == '=' || c == ',' || c == '{' || c == '[') dots = 0;
    if (c == '.' && ++dots > kMost) return true;
  }
  return false;
}

// What is over the bounds of a YAML file is over those of a TOML file.
bool fits(const Value& value, std::size_t depth, std::size_t& count) {
  if (depth > config::kMaxDepth || ++count > config::kMaxNodes) return false;
  const auto below = [&](const Value& inner) { return fits(inner, depth + 1, count); };
  return std::ranges::all_of(value.items, below) &&
         std::ranges::all_of(value.members, [&](const Member& m) { return below(m.value); });
}

}  // namespace

Result<Value> read_toml(std::string_view text, const std::string& file) {
  if (text.size() > kMaxSourceBytes) return refused(file, {}, "more than 10 MB are not read");
  if (!text::utf8_valid(text)) return refused(file, {}, "the file is not UTF-8 text");
  if (too_many_dots(text)) return refused(file, {}, "more than 1000 dots in one key");
  const auto parsed = toml::parse(text);
  if (!parsed) {
    const auto& error = parsed.error();
    return refused(file, position(error.source().begin),
                   "TOML: " + printable(error.description(), 300));
  }
  Value root = value_of(parsed.table());
  std::size_t count = 0;
  if (!fits(root, 0, count)) {
    return refused(file, {}, "nested more than 32 deep, or more than 100,000 values");
  }
  return root;
}

}  // namespace causeway::app::importer
