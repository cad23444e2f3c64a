// The reference page of a described type, in Markdown: a table for each section, in the order of
// the descriptions, so that the page changes only where the program does.
#include <fmt/core.h>

#include "platform/config/config.h"
#include "platform/config/detail/scalar.h"
#include "platform/config/detail/type.h"

namespace causeway::config::detail {
namespace {

const Type& plain(const Type& type) {
  const Type* at = &type;
  while (at->kind == Kind::Optional || at->kind == Kind::Located) at = at->inner.get();
  return *at;
}

// In a table cell a bar or a line break would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string type_text(const Type& any, bool many = false);

std::string choices_text(const Type& type) {
  std::string out;
  for (const Choice& choice : type.choices) {
    out += (out.empty() ? "" : ", ") + code(choice.name);
  }
  return out;
}

std::string scalar_text(const Type& type, bool many) {
  if (!type.choices.empty()) return choices_text(type);
  const std::string end = many ? "s" : "";
  switch (type.kind) {
    case Kind::Bool:
      return "true or false";
    case Kind::Integer:
      return "whole number" + end;
    case Kind::Real:
      return "number" + end;
    case Kind::Duration:
      return "duration" + end;
    case Kind::Bytes:
      return "size" + end;
    case Kind::Money:
      return "amount" + end;
    case Kind::Secret:
      return "secret" + end;
    default:
      return "text" + end;
  }
}

// The limits that a number has only because of its size in memory say nothing to a reader.
std::string range_text(const Type& type) {
  const bool of_memory = type.kind == Kind::Integer && type.size == 4 && type.max &&
                         (*type.max == std::numeric_limits<std::int32_t>::max() ||
                          *type.max == std::numeric_limits<std::uint32_t>::max());
  if (of_memory && type.min && *type.min <= 0) return {};
  if (type.kind == Kind::Money && !type.max && type.min == 0) return {};
  const std::string text = limits_text(type);
  return text.empty() ? text : ", " + text;
}

std::string type_text(const Type& any, bool many) {
  const Type& type = plain(any);
  switch (type.kind) {
    case Kind::List: {
      const std::string inner = type_text(*type.inner, true);
      std::string out;
      for (const Word& word : type.words) out += code(word.name) + " or ";
      return out + (type.or_single ? "one or a list of " : "list of ") + inner;
    }
    case Kind::Map:
      return "`<name>`: " + type_text(*type.inner, false);
    case Kind::Struct: {
      std::string out;
      for (const Word& word : type.words) out += code(word.name) + " or ";
      if (const FieldEntry* list = alone(type)) out += type_text(*list->type) + " or ";
      return out + (many ? "mappings" : "mapping");
    }
    case Kind::Variant:
      return "mapping by `kind`";
    default:
      return scalar_text(type, many) + range_text(type);
  }
}

class Page {
 public:
  std::string document(const Type& type, std::string_view title) {
    out_ = fmt::format("# {}\n", title);
    keys(plain(type), {}, "Top level", 2);
    return std::move(out_);
  }

 private:
  struct Below {
    std::string path;
    std::string doc;
    const Type* type;
  };

  void keys(const Type& type, const std::string& path, const std::string& heading,
            std::size_t level, std::string_view doc = {}) {
    out_ += fmt::format("\n{} {}\n", std::string(std::min<std::size_t>(level, 4), '#'), heading);
    if (!doc.empty()) out_ += fmt::format("\n{}\n", doc);
    words(type);
    std::vector<Below> below;
    if (!type.fields.empty() || !type.parts.empty()) {
      out_ += "\n| key | type | default | meaning |\n|---|---|---|---|\n";
    }
    for (const auto& field : type.fields) {
      row(path, field->name, field->doc, *field->type,
          field->required ? "required" : default_text(*field), below);
    }
    if (type.sections) {
      for (const Part& part : type.parts) row(path, part.name, part.doc, *part.type, "", below);
    }
    for (const Below& next : below) section(next, level + 1);
  }

  static std::string default_text(const FieldEntry& field) {
    if (!field.default_text) return "";
    return code(field.default_text->empty() ? "\"\"" : *field.default_text);
  }

  void row(const std::string& path, const std::string& name, const std::string& doc,
           const Type& type, const std::string& standard, std::vector<Below>& below) {
    out_ += fmt::format("| {} | {} | {} | {} |\n", code(name), cell(type_text(type)),
                        cell(standard), cell(doc));
    std::string full = path.empty() ? name : path + "." + name;
    const Type* inner = &plain(type);
    while (inner->kind == Kind::List || inner->kind == Kind::Map) {
      full += inner->kind == Kind::List ? "[]" : ".<name>";
      inner = &plain(*inner->inner);
    }
    if (inner->kind == Kind::Struct || inner->kind == Kind::Variant) {
      below.push_back({full, doc, inner});
    }
  }

  void words(const Type& type) {
    if (type.words.empty()) return;
    out_ += "\nOne word may stand instead of the mapping:\n\n";
    for (const Word& word : type.words) {
      out_ += fmt::format("- {}: {}\n", code(word.name), word.doc);
    }
  }

  void section(const Below& next, std::size_t level) {
    if (next.type->kind == Kind::Struct) {
      return keys(*next.type, next.path, code(next.path), level, next.doc);
    }
    for (const Part& part : next.type->parts) {
      keys(*part.type, next.path, fmt::format("`{}` with `kind: {}`", next.path, part.name), level,
           part.doc);
    }
  }

  std::string out_;
};

}  // namespace

std::string reference(const Type& type, std::string_view title) {
  return Page().document(type, title);
}

}  // namespace causeway::config::detail
