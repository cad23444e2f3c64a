#include "app/importer/source.h"

#include <array>
#include <set>

#include "platform/text/ascii.h"
#include "platform/text/utf8.h"

namespace causeway::app::importer {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  std::size_t i = 0, j = 0;
  while (true) {
    while (i < a.size() && a[i] == '_') ++i;
    while (j < b.size() && b[j] == '_') ++j;
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (text::to_lower(a[i++]) != text::to_lower(b[j++])) return false;
  }
}

// An anchor's value stands in the tree once for each alias, at the place of the anchor: whoever has
// seen one of them has seen all.
using Places = std::set<config::Position>;

void collect_seen(const Value& value, Places& places) {
  if (value.seen) places.insert(value.at);
  for (const Member& member : value.members) collect_seen(member.value, places);
  for (const Value& item : value.items) collect_seen(item, places);
}

void walk(const Value& value, const std::string& path, const Places& seen,
          const std::function<void(const std::string&, const Value&)>& found) {
  for (const Member& member : value.members) {
    walk(member.value, path.empty() ? member.name : path + "." + member.name, seen, found);
  }
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    walk(value.items[i], path + "[" + std::to_string(i) + "]", seen, found);
  }
  if (!value.members.empty() || !value.items.empty() || value.seen) return;
  if (!seen.contains(value.at)) found(path, value);
}

}  // namespace

const Value* Value::find(std::string_view name) const {
  for (const Member& member : members) {
    if (member.name == name) return &member.value;
  }
  for (const Member& member : members) {
    if (same_name(member.name, name)) return &member.value;
  }
  return nullptr;
}

void Value::see() const {
  seen = true;
  for (const Value& item : items) item.see();
  for (const Member& member : members) member.value.see();
}

std::optional<std::string> take_text(const Value& table, std::string_view name) {
  const Value* value = table.find(name);
  if (!value || !value->is_scalar()) return std::nullopt;
  value->see();
  return value->text;
}

std::optional<double> number_in(const Value& value) {
  if (!value.is_scalar()) return std::nullopt;
  std::string digits;
  for (const char c : value.text) {
    if (c != '_') digits += c;
  }
  return text::parse_double(digits);
}

std::optional<double> take_number(const Value& table, std::string_view name) {
  const Value* value = table.find(name);
  const auto number = value ? number_in(*value) : std::nullopt;
  if (number) value->see();
  return number;
}

std::optional<bool> take_switch(const Value& table, std::string_view name) {
  const Value* value = table.find(name);
  if (!value || !value->is_scalar()) return std::nullopt;
  static constexpr std::array<std::string_view, 4> kOn = {"true", "yes", "on", "1"};
  static constexpr std::array<std::string_view, 4> kOff = {"false", "no", "off", "0"};
  for (const auto& [words, on] : {std::pair{kOn, true}, std::pair{kOff, false}}) {
    for (const auto word : words) {
      if (!text::equals_ignore_case(value->text, word)) continue;
      value->see();
      return on;
    }
  }
  return std::nullopt;
}

std::vector<std::string> texts_of(const Value& value) {
  value.seen = true;
  if (value.is_scalar()) return {value.text};
  std::vector<std::string> texts;
  for (const Value& item : value.items) {
    if (!item.is_scalar()) continue;
    item.see();
    texts.push_back(item.text);
  }
  return texts;
}

void for_each_unseen(const Value& root,
                     const std::function<void(const std::string& path, const Value&)>& found) {
  Places seen;
  collect_seen(root, seen);
  walk(root, "", seen, found);
}

std::string printable(std::string_view text, std::size_t most) {
  std::string shown;
  for (const char c : text.substr(0, most * 2)) {
    const auto byte = static_cast<unsigned char>(c);
    shown += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  if (shown.size() <= most) return shown;
  return std::string(text::utf8_cut(shown, most)) + "…";
}

}  // namespace causeway::app::importer
