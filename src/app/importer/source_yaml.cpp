#include <charconv>
#include <optional>

#include "app/importer/source.h"
#include "platform/config/yaml_tree.h"

namespace causeway::app::importer {
namespace {

// Aliases are written out: their number is bounded by the tree.
Value value_of(const config::Node& node) {
  Value value;
  value.at = node.at;
  using Kind = config::Node::Kind;
  switch (node.kind) {
    case Kind::Null:
      break;
    case Kind::Scalar:
      value.kind = Value::Kind::Scalar;
      value.text = node.text;
      break;
    case Kind::List:
      value.kind = Value::Kind::List;
      for (const auto* item : node.items) value.items.push_back(value_of(*item));
      break;
    case Kind::Map:
      value.kind = Value::Kind::Table;
      for (const auto& entry : node.entries) {
        value.members.push_back({entry.key, entry.at.line, value_of(*entry.value)});
      }
      break;
  }
  return value;
}

// The number behind `\u` at `at`; nothing: there is none.
std::optional<unsigned> escape_at(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "\\u" || text.size() < at + 6) return std::nullopt;
  unsigned code = 0;
  const char* end = text.data() + at + 6;
  const auto [stop, error] = std::from_chars(text.data() + at + 2, end, code, 16);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return code;
}

// JSON writes a character beyond the first 65,536 as two escapes, which YAML refuses: it is put
// there itself. A half without its other half becomes U+FFFD.
std::string join_surrogates(std::string_view text) {
  std::string joined;
  joined.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto code = escape_at(text, i);
    if (!code || *code < 0xd800 || *code > 0xdfff) {
      const std::size_t taken = text[i] == '\\' ? 2 : 1;
      joined.append(text.substr(i, taken));
      i += taken;
      continue;
    }
    const auto low = escape_at(text, i + 6);
    const bool pair = *code < 0xdc00 && low && *low >= 0xdc00 && *low <= 0xdfff;
    const unsigned whole = pair ? 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00) : 0xfffd;
    if (pair) joined += static_cast<char>(0xf0 | (whole >> 18));
    joined += static_cast<char>(pair ? 0x80 | ((whole >> 12) & 0x3f) : 0xe0 | (whole >> 12));
    joined += static_cast<char>(0x80 | ((whole >> 6) & 0x3f));
    joined += static_cast<char>(0x80 | (whole & 0x3f));
    i += pair ? 12 : 6;
  }
  return joined;
}

}  // namespace

Result<Value> read_json(std::string_view text, const std::string& file) {
  return read_yaml(join_surrogates(text), file);
}

Result<Value> read_yaml(std::string_view text, const std::string& file) {
  config::Problems problems(file);
  config::Tree tree;
  const bool read = config::parse_yaml(text, tree, problems, kMaxSourceBytes);
  if (!read || !problems.ok()) {
    return fail(ErrorKind::InvalidRequest, Origin::Client, problems.text(), "bad_source");
  }
  return tree.root ? value_of(*tree.root) : Value{};
}

}  // namespace causeway::app::importer
