// The JSON Schema (draft 2020-12) of a described type, for editors: yaml-language-server and the
// like show the texts, complete the keys and mark what the reader would refuse. `${NAME}` is
// allowed wherever the reader allows it.
#include <fmt/core.h>

#include "platform/config/config.h"
#include "platform/config/detail/type.h"

namespace causeway::config::detail {
namespace {

constexpr std::string_view kReference = R"(\$\{)";

// Writes indented JSON; the caller opens, names and closes.
class Writer {
 public:
  void open(char bracket) {
    out_ += bracket;
    ++depth_;
    fresh_ = true;
  }
  void close(char bracket) {
    --depth_;
    if (!fresh_) new_line();
    out_ += bracket;
    fresh_ = false;
  }
  void next() {
    if (!fresh_) out_ += ',';
    new_line();
    fresh_ = false;
  }
  Writer& key(std::string_view name) {
    next();
    out_ += quote_json(name) + ": ";
    return *this;
  }
  void raw(std::string_view json) { out_ += json; }
  void text(std::string_view value) { out_ += quote_json(value); }
  std::string take() { return std::move(out_) + "\n"; }

 private:
  void new_line() { out_ += '\n' + std::string(2 * depth_, ' '); }

  std::string out_;
  std::size_t depth_ = 0;
  bool fresh_ = true;
};

class SchemaWriter {
 public:
  std::string document(const Type& type, std::string_view title) {
    json_.open('{');
    json_.key("$schema").text("https://json-schema.org/draft/2020-12/schema");
    json_.key("title").text(title);
    body(type);
    json_.close('}');
    return json_.take();
  }

 private:
  // The members of the schema object, which the caller has opened.
  void body(const Type& type) {
    switch (type.kind) {
      case Kind::Optional:
      case Kind::Located:
        return body(*type.inner);
      case Kind::List:
        return list(type);
      case Kind::Map:
        json_.key("type").raw(R"(["object", "null"])");
        json_.key("additionalProperties");
        return object(*type.inner);
      case Kind::Struct:
        return structure(type);
      case Kind::Variant:
        return variant(type);
      default:
        return scalar(type);
    }
  }

  void object(const Type& type) {
    json_.open('{');
    body(type);
    json_.close('}');
  }

  void scalar(const Type& type) {
    if (!type.choices.empty()) return choices(type);
    switch (type.kind) {
      case Kind::Bool:
        return with_reference("boolean");
      case Kind::Integer:
        with_reference("integer");
        return numbers(type);
      case Kind::Real:
        with_reference("number");
        return numbers(type);
      case Kind::Money:
        json_.key("type").raw(R"(["number", "string"])");
        return pattern(R"(-?\d+(\.\d{1,6})?)");
      case Kind::Duration:
        json_.key("type").text("string");
        return pattern(R"((?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?(\d+us)?)");
      case Kind::Bytes:
        json_.key("type").text("string");
        return pattern(R"(\d+ ?([KkMmGgTt][Ii]?)?[Bb])");
      default:
        json_.key("type").text("string");
        if (!type.pattern.empty()) pattern(type.pattern);
    }
  }

  void with_reference(std::string_view name) {
    json_.key("type").raw(fmt::format(R"(["{}", "string"])", name));
    json_.key("pattern").text(kReference);
  }

  // Money's limits are left out: its schema admits texts, and an editor's number is a double.
  void numbers(const Type& type) {
    if (type.min) json_.key("minimum").raw(std::to_string(*type.min));
    if (type.max) json_.key("maximum").raw(std::to_string(*type.max));
    if (type.real_min) json_.key("minimum").raw(fmt::format("{}", *type.real_min));
    if (type.real_max) json_.key("maximum").raw(fmt::format("{}", *type.real_max));
  }

  void pattern(std::string_view what) {
    json_.key("pattern").text(fmt::format("{}|^(?:{})$", kReference, what));
  }

  void choices(const Type& type) {
    json_.key("anyOf").open('[');
    json_.next();
    json_.open('{');
    names("enum", type.choices);
    json_.close('}');
    json_.next();
    json_.open('{');
    json_.key("type").text("string");
    json_.key("pattern").text(kReference);
    json_.close('}');
    json_.close(']');
  }

  template <class List>
  void names(std::string_view key, const List& list) {
    std::string out;
    for (const auto& item : list) out += (out.empty() ? "" : ", ") + quote_json(item.name);
    json_.key(key).raw("[" + out + "]");
  }

  void list(const Type& type) {
    if (!type.or_single && type.words.empty()) {
      json_.key("type").raw(R"(["array", "null"])");
      json_.key("items");
      return object(*type.inner);
    }
    json_.key("anyOf").open('[');
    words(type);
    json_.next();
    json_.open('{');
    json_.key("type").raw(R"(["array", "null"])");
    json_.key("items");
    object(*type.inner);
    json_.close('}');
    if (type.or_single) {
      json_.next();
      object(*type.inner);
    }
    json_.close(']');
  }

  void words(const Type& type) {
    for (const Word& word : type.words) {
      json_.next();
      json_.open('{');
      json_.key("const").text(word.name);
      if (!word.doc.empty()) json_.key("description").text(word.doc);
      json_.close('}');
    }
  }

  void structure(const Type& type) {
    const FieldEntry* list = alone(type);
    if (type.words.empty() && !list) return keys(type, nullptr);
    json_.key("anyOf").open('[');
    if (list) {
      json_.next();
      object(*list->type);
    }
    words(type);
    json_.next();
    json_.open('{');
    keys(type, nullptr);
    json_.close('}');
    json_.close(']');
  }

  void keys(const Type& type, const Part* kind) {
    std::string required = kind ? quote_json("kind") : std::string();
    for (const auto& field : type.fields) {
      if (!field->required) continue;
      required += (required.empty() ? "" : ", ") + quote_json(field->name);
    }
    // A section whose settings are all commented out is as good as none.
    json_.key("type").raw(required.empty() ? R"(["object", "null"])" : R"("object")");
    json_.key("properties").open('{');
    if (kind) {
      json_.key("kind").open('{');
      json_.key("const").text(kind->name);
      if (!kind->doc.empty()) json_.key("description").text(kind->doc);
      json_.close('}');
    }
    for (const auto& field : type.fields) {
      property(field->name, field->doc, *field->type, field->default_json);
    }
    if (type.sections) {
      for (const Part& part : type.parts) property(part.name, part.doc, *part.type, {});
    }
    json_.close('}');
    if (!required.empty()) json_.key("required").raw("[" + required + "]");
    json_.key("additionalProperties").raw("false");
  }

  void property(const std::string& name, const std::string& doc, const Type& type,
                const std::string& standard) {
    json_.key(name).open('{');
    if (!doc.empty()) json_.key("description").text(doc);
    body(type);
    if (!standard.empty()) json_.key("default").raw(standard);
    json_.close('}');
  }

  void variant(const Type& type) {
    json_.key("type").text("object");
    json_.key("required").raw(R"(["kind"])");
    if (type.parts.empty()) return;
    json_.key("oneOf").open('[');
    for (const Part& part : type.parts) {
      json_.next();
      json_.open('{');
      keys(*part.type, &part);
      json_.close('}');
    }
    json_.close(']');
  }

  Writer json_;
};

}  // namespace

std::string json_schema(const Type& type, std::string_view title) {
  return SchemaWriter().document(type, title);
}

}  // namespace causeway::config::detail
