#include "app/importer/secrets.h"

#include <algorithm>

#include "platform/text/ascii.h"

namespace causeway::app::importer {
namespace {

bool is_variable(std::string_view name) {
  if (name.empty() || name.size() > 100 || text::is_digit(name[0])) return false;
  return std::ranges::all_of(name, [](char c) { return text::is_alnum(c) || c == '_'; });
}

std::string_view between(std::string_view text, std::string_view front, std::string_view back) {
  if (text.size() < front.size() + back.size() || !text.starts_with(front) ||
      !text.ends_with(back)) {
    return {};
  }
  return text::trim(text.substr(front.size(), text.size() - front.size() - back.size()));
}

}  // namespace

std::optional<std::string> variable_in(std::string_view text) {
  text = text::trim(text);
  std::string_view name;
  for (const std::string_view front : {"os.environ/", "env::", "env:"}) {
    if (name.empty()) name = between(text, front, "");
  }
  if (name.empty()) name = between(text, "{{", "}}");
  if (name.empty()) name = between(text, "${", "}");
  for (const std::string_view front : {"env.", "process.env.", "ENV."}) {
    if (name.starts_with(front)) name.remove_prefix(front.size());
  }
  if (!is_variable(name)) return std::nullopt;
  return std::string(name);
}

Scalar setting_from(std::string_view text) {
  const auto variable = variable_in(text);
  return variable ? reference(*variable) : literal(std::string(text));
}

Secrets::Secrets(const Value& root, Imported& imported) : imported_(imported) { collect(root); }

void Secrets::collect(const Value& value) {
  if (const auto name = variable_in(value.text)) taken_.insert(*name);
  for (const Value& item : value.items) collect(item);
  for (const Member& member : value.members) collect(member.value);
}

Scalar Secrets::take(const Value& value, const std::string& about, std::string variable) {
  value.see();
  if (const auto name = variable_in(value.text)) return reference(*name);
  const auto known = in_clear_.find(value.text);
  if (known != in_clear_.end()) return reference(known->second);
  const std::string wanted = variable;
  for (int i = 2; !taken_.insert(variable).second; ++i) variable = wanted + "_" + std::to_string(i);
  in_clear_.emplace(value.text, variable);
  imported_.remark(value.at.line, about,
                   "a secret in clear was not copied; put it into the environment variable " +
                       variable + ", and change it where others may have read this file");
  return reference(variable);
}

std::string variable_for(std::string_view provider, std::string_view ending) {
  std::string name;
  for (const char c : provider) {
    const char lower = text::to_lower(c);
    name += text::is_alnum(c) ? (lower >= 'a' && lower <= 'z' ? static_cast<char>(lower - 32) : c)
                              : '_';
  }
  if (name.empty() || text::is_digit(name[0])) name = "P_" + name;
  return name.substr(0, 60) + std::string(ending);
}

}  // namespace causeway::app::importer
