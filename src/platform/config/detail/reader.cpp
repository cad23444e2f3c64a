// Walks the tree of the file and the tree of types side by side. Nothing stops it: each error is
// noted with its place, and what could not be read keeps its default.
#include <fmt/core.h>

#include <algorithm>

#include "platform/base/secret.h"
#include "platform/config/config.h"
#include "platform/config/detail/resolve.h"
#include "platform/config/detail/scalar.h"
#include "platform/config/yaml_tree.h"

namespace causeway::config::detail {
namespace {

// The way to a value, on the stack of the walk: written out only for messages.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;
  std::size_t index = 0;  // where name is empty

  std::string text() const {
    if (!parent) return {};
    std::string out = parent->text();
    if (name.empty()) return out + fmt::format("[{}]", index);
    if (!out.empty()) out += '.';
    return out + printable(name);
  }
};

class Reader {
 public:
  /// `confidential`, where it is given, receives the scalars that are not to be shown.
  Reader(Problems& problems, const Sources& sources,
         std::vector<const Node*>* confidential = nullptr)
      : problems_(problems), sources_(sources), confidential_(confidential) {}

  void read(const Type& type, void* object, const Node& node, const Path& path) {
    switch (type.kind) {
      case Kind::Optional:
        return read_optional(type, object, node, path);
      case Kind::Located:
        *at<Position>(object, type.position_offset) = node.at;
        return read(*type.inner, type.open(object), node, path);
      case Kind::List:
        return read_list(type, object, node, path);
      case Kind::Map:
        return read_map(type, object, node, path);
      case Kind::Struct:
        return read_struct(type, object, node, path);
      case Kind::Variant:
        return read_variant(type, object, node, path);
      case Kind::Secret:
        return read_secret_field(object, node, path);
      default:
        if (type.confidential) note(node);
        if (auto problem = read_scalar(type, object, node, sources_)) {
          add(node.at, path, problem->message, std::move(problem->suggestions));
        }
    }
  }

 private:
  template <class T>
  static T* at(void* object, std::size_t offset) {
    return reinterpret_cast<T*>(static_cast<char*>(object) + offset);
  }

  void add(Position where, const Path& path, const std::string& message,
           std::vector<std::string> suggestions = {}) {
    const std::string text = path.text();
    problems_.add(where, text.empty() ? message : text + ": " + message, std::move(suggestions));
  }

  // A value that says where a secret is, and not what it is, may be shown.
  void note(const Node& node) {
    if (!confidential_) return;
    const std::string_view text = node.text;
    const bool reference = reference_length(text) == text.size() && text.find(":-") == text.npos;
    const bool nothing = node.kind != Node::Kind::Scalar || text.empty();
    if (!nothing && !reference && !text.starts_with("file:")) confidential_->push_back(&node);
  }

  // All of it: what is not understood may be a secret under a mistyped name.
  void note_all(const Node& node) {
    if (!confidential_) return;
    note(node);
    for (const Node* item : node.items) note_all(*item);
    for (const Node::Entry& entry : node.entries) note_all(*entry.value);
  }

  // A list, a mapping or a struct is expected: the text that stands there instead may be anything,
  // also a key that slipped a line up, and is not shown.
  void add_wrong(const Type& type, const Node& node, const Path& path) {
    note_all(node);
    add(node.at, path,
        fmt::format("expected {}, found {}", expected_text(type), shown(node, false)));
  }

  void read_optional(const Type& type, void* object, const Node& node, const Path& path) {
    if (node.kind == Node::Kind::Null) return type.clear(object);
    read(*type.inner, type.open(object), node, path);
  }

  void read_list(const Type& type, void* object, const Node& node, const Path& path) {
    if (node.kind == Node::Kind::Null) return type.clear(object);
    if (node.kind == Node::Kind::Scalar && !type.words.empty()) {
      return read_word(type, object, node, path);
    }
    if (node.kind != Node::Kind::List && !type.or_single) return add_wrong(type, node, path);
    type.clear(object);
    if (node.kind != Node::Kind::List) {
      return read(*type.inner, type.append(object, {}, {}), node, path);
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      read(*type.inner, type.append(object, {}, {}), *node.items[i], Path{&path, {}, i});
    }
  }

  void read_map(const Type& type, void* object, const Node& node, const Path& path) {
    if (node.kind == Node::Kind::Null) return type.clear(object);
    if (node.kind != Node::Kind::Map) return add_wrong(type, node, path);
    type.clear(object);
    for (const Node::Entry& entry : node.entries) {
      const Path inner{&path, entry.key, 0};
      const std::string wrong = type.check_name ? type.check_name(entry.key) : std::string();
      if (!wrong.empty()) add(entry.at, inner, wrong);
      read(*type.inner, type.append(object, entry.key, entry.at), *entry.value, inner);
    }
  }

  void read_secret_field(void* object, const Node& node, const Path& path) {
    note_all(node);
    if (node.kind != Node::Kind::Scalar) {
      return add(node.at, path, "expected a text, found " + shown(node, false));
    }
    bool plain = false;
    auto text = read_secret(node.text, sources_, plain);
    if (!text) return add(node.at, path, text.error());
    if (text->empty()) return add(node.at, path, "the secret is empty");
    if (plain) {
      problems_.warn(node.at,
                     path.text() + ": a secret in plain text; write ${NAME} or file:/path instead");
    }
    *static_cast<Secret*>(object) = Secret(std::move(*text));
  }

  void read_struct(const Type& type, void* object, const Node& node, const Path& path) {
    if (type.own_position) *at<Position>(object, *type.own_position) = node.at;
    if (node.kind == Node::Kind::Scalar && !type.words.empty()) {
      const std::size_t before = problems_.errors();
      read_word(type, object, node, path);
      return run_checks(type, object, node, before);
    }
    if (const FieldEntry* list = alone(type); list && node.kind == Node::Kind::List) {
      const std::size_t before = problems_.errors();
      read(*list->type, at<void>(object, list->offset), node, path);
      return run_checks(type, object, node, before);
    }
    if (node.kind != Node::Kind::Map && node.kind != Node::Kind::Null) {
      return add_wrong(type, node, path);
    }
    read_keys(type, object, node, path, nullptr);
  }

  void read_word(const Type& type, void* object, const Node& node, const Path& path) {
    const auto resolved = resolve(node.text, sources_);
    if (!resolved) return add(node.at, path, resolved.error());
    std::vector<std::string> names;
    for (const Word& word : type.words) {
      if (word.name == resolved->text) return word.apply(object);
      names.push_back(word.name);
    }
    auto suggestions = nearest(resolved->text, names);
    // YAML 1.1 tools write "off" as false, and back.
    const auto has = [&](const char* name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if ((resolved->text == "false" || resolved->text == "no") && has("off")) suggestions = {"off"};
    if ((resolved->text == "true" || resolved->text == "yes") && has("on")) suggestions = {"on"};
    add(node.at, path, fmt::format("expected {}, found {}", expected_text(type), shown(node)),
        std::move(suggestions));
  }

  void read_keys(const Type& type, void* object, const Node& node, const Path& path,
                 const Type* variant) {
    const std::size_t before = problems_.errors();
    std::vector<bool> given(type.fields.size(), false);
    for (const Node::Entry& entry : node.entries) {
      if (variant && entry.key == "kind") continue;
      const Path inner{&path, entry.key, 0};
      if (read_field(type, object, entry, inner, given)) continue;
      if (read_section(type, object, entry, inner)) continue;
      unknown_key(type, entry, path, variant);
    }
    for (std::size_t i = 0; i < given.size(); ++i) {
      const FieldEntry& field = *type.fields[i];
      if (given[i]) continue;
      // Nothing at all, as where every setting is commented out, is no mapping.
      if (field.in_mapping && node.kind == Node::Kind::Map) field.in_mapping(object);
      if (field.required) add(node.at, path, fmt::format("\"{}\" is missing", field.name));
    }
    run_checks(type, object, node, before);
  }

  // Only where each part by itself was right.
  void run_checks(const Type& type, const void* object, const Node& node, std::size_t before) {
    if (problems_.errors() != before) return;
    for (const auto& check : type.checks) check(object, node.at, problems_);
  }

  bool read_field(const Type& type, void* object, const Node::Entry& entry, const Path& path,
                  std::vector<bool>& given) {
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
      const FieldEntry& field = *type.fields[i];
      if (field.name != entry.key) continue;
      given[i] = true;
      read(*field.type, at<void>(object, field.offset), *entry.value, path);
      return true;
    }
    return false;
  }

  bool read_section(const Type& type, void* object, const Node::Entry& entry, const Path& path) {
    if (!type.sections) return false;
    for (const Part& part : type.parts) {
      if (part.name != entry.key) continue;
      auto value = part.make();
      read(*part.type, value.get(), *entry.value, path);
      at<Sections>(object, *type.sections)
          ->put({part.name, entry.at, std::move(value), part.index});
      return true;
    }
    return false;
  }

  // `variant` is the type around it where the keys depend on a kind, else null.
  void unknown_key(const Type& type, const Node::Entry& entry, const Path& path,
                   const Type* variant) {
    note_all(*entry.value);
    std::vector<std::string> names;
    std::string hint;
    // Nobody reads suggestions beyond what is kept, and a file may have many thousand keys.
    if (problems_.errors() < Problems::kMaxKept) {
      for (const auto& field : type.fields) names.push_back(field->name);
      for (const Part& part : type.parts) names.push_back(part.name);
      if (variant) {
        names.push_back("kind");
        hint = other_kinds(*variant, entry.key);
      }
    }
    const std::string where = path.text();
    problems_.add(entry.at,
                  fmt::format("unknown key \"{}\" {}{}", printable(entry.key),
                              where.empty() ? "at the top level" : "in \"" + where + '"', hint),
                  hint.empty() ? nearest(entry.key, names) : std::vector<std::string>());
  }

  static std::string other_kinds(const Type& variant, const std::string& key) {
    std::string out;
    for (const Part& part : variant.parts) {
      for (const auto& field : part.type->fields) {
        if (field->name == key) out += (out.empty() ? "" : ", ") + part.name;
      }
    }
    return out.empty() ? out : "; it belongs to kind " + out;
  }

  void read_variant(const Type& type, void* object, const Node& node, const Path& path) {
    if (node.kind != Node::Kind::Map) return add_wrong(type, node, path);
    std::vector<std::string> names;
    std::string listed;
    for (const Part& part : type.parts) {
      names.push_back(part.name);
      listed += (listed.empty() ? "" : ", ") + part.name;
    }
    const Node* kind = nullptr;
    for (const Node::Entry& entry : node.entries) {
      if (entry.key == "kind") kind = entry.value;
    }
    if (!kind) {
      note_all(node);
      return add(node.at, path, "\"kind\" is missing: one of " + listed);
    }
    std::string name;
    Type any;
    any.kind = Kind::Text;
    if (auto problem = read_scalar(any, &name, *kind, sources_)) {
      return add(kind->at, Path{&path, "kind", 0}, problem->message);
    }
    for (const Part& part : type.parts) {
      if (part.name != name) continue;
      auto value = part.make();
      if (part.type->own_position) *at<Position>(value.get(), *part.type->own_position) = node.at;
      read_keys(*part.type, value.get(), node, path, &type);
      *static_cast<Variant*>(object) = Variant(name, node.at, std::move(value), part.index);
      return;
    }
    for (const Node::Entry& entry : node.entries) {
      if (entry.value != kind) note_all(*entry.value);
    }
    add(kind->at, Path{&path, "kind", 0},
        fmt::format("expected one of {}, found {}", listed, shown(*kind)), nearest(name, names));
  }

  Problems& problems_;
  const Sources& sources_;
  std::vector<const Node*>* confidential_;
};

}  // namespace

void read(const Type& type, void* object, std::string_view text, Problems& problems,
          const Sources& sources) {
  Tree tree;
  if (!parse_yaml(text, tree, problems, kMaxFileBytes)) return;
  // An empty file is an empty mapping: whatever is required is missed there.
  Node nothing;
  nothing.at = {1, 1};
  Reader(problems, sources).read(type, object, tree.root ? *tree.root : nothing, Path{});
}

std::vector<const Node*> confidential(const Type& type, void* object, const Node& root,
                                      const Sources& sources) {
  std::vector<const Node*> found;
  Problems unread("");
  Reader(unread, sources, &found).read(type, object, root, Path{});
  return found;
}

void read_file(const Type& type, void* object, const std::string& path, Problems& problems,
               Sources sources) {
  const auto text = read_whole_file(path, kMaxFileBytes);
  if (!text) return problems.add({}, "cannot be read: " + text.error());
  const std::size_t slash = path.rfind('/');
  if (sources.folder.empty() && slash != std::string::npos) {
    sources.folder = slash == 0 ? "/" : path.substr(0, slash);
  }
  read(type, object, *text, problems, sources);
}

}  // namespace causeway::config::detail
