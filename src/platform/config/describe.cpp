#include "platform/config/describe.h"

#include <algorithm>

namespace causeway::config {

std::size_t Fields::offset(const void* member) const {
  const auto from = reinterpret_cast<std::uintptr_t>(sample_);
  const auto at = reinterpret_cast<std::uintptr_t>(member);
  if (at < from || at >= from + size_) {
    throw std::logic_error("describe(): the value is no part of the object");
  }
  return at - from;
}

detail::FieldEntry& Fields::add(std::string_view name, std::string_view doc, std::size_t offset,
                                detail::TypePtr type, const void* value) {
  for (const auto& other : type_.fields) {
    if (other->name == name) throw std::logic_error("key described twice: " + other->name);
  }
  auto entry = std::make_unique<detail::FieldEntry>();
  entry->name = name;
  entry->doc = doc;
  entry->offset = offset;
  entry->default_text = detail::print_value(*type, value);
  entry->default_json = detail::print_json(*type, value);
  entry->type = std::move(type);
  type_.fields.push_back(std::move(entry));
  return *type_.fields.back();
}

void Fields::sections(Sections& value, std::string_view group) {
  if (type_.sections) throw std::logic_error("describe(): sections() twice in one struct");
  type_.sections = offset(&value);
  type_.group = group;
  type_.parts = registry_.parts(group);
}

std::vector<detail::Part> Registry::parts(std::string_view group) const {
  std::vector<detail::Part> out;
  for (const Entry& entry : entries_) {
    if (entry.group != group) continue;
    out.push_back(entry.make(*this));
    out.back().name = entry.name;
    out.back().doc = entry.doc;
  }
  return out;
}

void Registry::add(std::string_view group, std::string_view name, std::string_view doc,
                   MakePart make) {
  for (const Entry& entry : entries_) {
    if (entry.group == group && entry.name == name) {
      throw std::logic_error("registered twice in " + entry.group + ": " + entry.name);
    }
  }
  entries_.push_back({std::string(group), std::string(name), std::string(doc), std::move(make)});
}

}  // namespace causeway::config
