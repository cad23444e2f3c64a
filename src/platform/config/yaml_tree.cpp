#include "platform/config/yaml_tree.h"

#include <fmt/core.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include "platform/config/config.h"
#include "platform/config/detail/resolve.h"
#include "platform/config/detail/scalar.h"
#include "platform/config/detail/source_text.h"

namespace causeway::config {

using detail::printable, detail::show_references;

namespace {

// yaml-cpp counts columns in bytes; people and editors count characters.
class Places {
 public:
  explicit Places(std::string_view text) : text_(text) {
    lines_.push_back(0);
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    const bool ascii = std::all_of(text.begin(), text.end(), is_ascii);
    if (!ascii) columns_.reserve(text.size() + 1);
    std::uint32_t column = 1;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (!ascii) columns_.push_back(column);
      if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) ++column;
      if (text[i] != '\n') continue;
      lines_.push_back(i + 1);
      column = 1;
    }
    if (!ascii) columns_.push_back(column);
  }

  Position at(const YAML::Mark& mark) const {
    if (mark.line < 0 || mark.column < 0) return {1, 1};
    const auto line = static_cast<std::size_t>(mark.line);
    const auto column = static_cast<std::size_t>(mark.column);
    Position out{static_cast<std::uint32_t>(line + 1), static_cast<std::uint32_t>(column + 1)};
    if (line < lines_.size() && lines_[line] + column < columns_.size()) {
      out.column = columns_[lines_[line] + column];
    }
    return out;
  }
  /// YAML takes spaces only, and says something else when it meets a tab.
  bool has_tab_in_indentation(std::uint32_t line) const {
    if (line == 0 || line > lines_.size()) return false;
    const std::string_view rest = text_.substr(lines_[line - 1]);
    const std::size_t end = rest.find_first_not_of(" \t");
    return rest.substr(0, end).find('\t') != std::string_view::npos;
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> lines_;      // where each begins
  std::vector<std::uint32_t> columns_;  // of each byte; empty when all is ASCII
};

// Ends the parsing from inside a handler.
struct Refused {
  Position at;
  std::string why;
};

// Builds the tree from the parser's events. yaml-cpp's own Node is not used: it forgets duplicate
// keys and the places of keys.
class Builder : public YAML::EventHandler {
 public:
  Builder(Tree& tree, Problems& problems, const Places& places)
      : tree_(tree), problems_(problems), places_(places) {}

  /// The innermost list or mapping that has not ended.
  const Node* unfinished() const { return levels_.empty() ? nullptr : levels_.back().node; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Refused{places_.at(mark), "only one YAML document is read"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    put(make(Node::Kind::Null, mark, anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end() || !found->second->complete) {
      throw Refused{places_.at(mark), "the alias stands inside the value that it names"};
    }
    put(found->second);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tag != "?" && tag != "!" && !tag.empty()) refuse_tag(mark, tag);
    Node* node = make(Node::Kind::Scalar, mark, anchor);
    node->quoted = tag == "!";
    node->text = show_references(value);
    put(node);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::List, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::Map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Node* node;
    const Node* key = nullptr;  // in a mapping, when its value is the next to come
    std::unordered_map<std::string, Position> seen;
  };

  [[noreturn]] void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    throw Refused{places_.at(mark), "tags are not read here: " + show_references(tag)};
  }

  Node* make(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    Node& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.at = places_.at(mark);
    node.complete = kind == Node::Kind::Null || kind == Node::Kind::Scalar;
    if (anchor != 0) anchors_[anchor] = &node;
    return &node;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    if (tag != "?" && tag != "!" && !tag.empty()) refuse_tag(mark, tag);
    if (levels_.size() >= kMaxDepth) {
      throw Refused{places_.at(mark), fmt::format("nested more than {} deep", kMaxDepth)};
    }
    levels_.push_back({make(kind, mark, anchor), nullptr, {}});
  }

  void close() {
    Node* node = levels_.back().node;
    if (node->kind == Node::Kind::Map) merge(*node, levels_.back().seen);
    node->complete = true;
    levels_.pop_back();
    put(node);
  }

  void put(const Node* node) {
    if (levels_.empty()) {
      tree_.root = node;
      return;
    }
    Level& level = levels_.back();
    if (level.node->kind == Node::Kind::List) {
      level.node->items.push_back(node);
    } else if (!level.key) {
      put_key(level, node);
      return;
    } else {
      level.node->entries.push_back({level.key->text, level.key->at, value_at(level, node)});
      level.key = nullptr;
    }
    level.node->weight += node->weight;
    if (level.node->weight > kMaxNodes) {
      throw Refused{node->at,
                    fmt::format("more than {} values (each alias counts in full)", kMaxNodes)};
    }
  }

  void put_key(Level& level, const Node* node) {
    if (node->kind != Node::Kind::Scalar) {
      throw Refused{node->at,
                    "a key must be a text; a value that begins with {, [ or * may need quotes"};
    }
    const auto [first, fresh] = level.seen.emplace(node->text, node->at);
    if (!fresh && !(node->text == "<<" && !node->quoted)) {
      problems_.add(node->at, fmt::format("duplicate key \"{}\"; first given in line {}",
                                          printable(node->text), first->second.line));
    }
    level.key = node;
  }

  // The parser's place for a missing value is where the next thing begins, maybe lines below.
  const Node* value_at(const Level& level, const Node* node) {
    if (node->kind != Node::Kind::Null) return node;
    Node& moved = tree_.nodes.emplace_back(*node);
    moved.at = level.key->at;
    return &moved;
  }

  // `<<: *base` and `<<: [*a, *b]`: keys that the mapping does not have itself; the first wins.
  void merge(Node& node, std::unordered_map<std::string, Position>& seen) {
    if (!seen.contains("<<")) return;
    std::vector<Node::Entry> own;
    std::vector<const Node*> bases;
    for (Node::Entry& entry : node.entries) {
      if (entry.key != "<<") {
        own.push_back(std::move(entry));
      } else if (entry.value->kind == Node::Kind::List) {
        bases.insert(bases.end(), entry.value->items.begin(), entry.value->items.end());
      } else {
        bases.push_back(entry.value);
      }
    }
    for (const Node* base : bases) {
      if (base->kind != Node::Kind::Map) {
        problems_.add(base->at, "a merge key (<<) takes a mapping or a list of mappings");
        continue;
      }
      for (const Node::Entry& entry : base->entries) {
        if (seen.emplace(entry.key, entry.at).second) own.push_back(entry);
      }
    }
    node.entries = std::move(own);
  }

  Tree& tree_;
  Problems& problems_;
  const Places& places_;
  std::vector<Level> levels_;
  std::unordered_map<YAML::anchor_t, Node*> anchors_;
  int documents_ = 0;
};

// yaml-cpp names the rule that was broken; these are the ones that people meet.
std::string syntax_text(const std::string& message) {
  const auto has = [&](std::string_view part) { return message.find(part) != std::string::npos; };
  if (has("illegal tab")) return "a tab in the indentation; use spaces";
  if (has("end of map flow")) return "a comma or a closing } is missing before here";
  if (has("end of sequence flow")) return "a comma or a closing ] is missing before here";
  if (has("end of map not found")) return "the indentation does not fit the mapping above";
  if (has("end of sequence not found")) return "the indentation does not fit the list above";
  if (has("illegal map value"))
    return "a second ': ' in one line; a text that holds one needs quotes";
  if (has("EOF in scalar")) return "a quote that is not closed";
  return show_references(message);
}

void add_syntax_error(const YAML::Exception& error, const Places& places, const Builder& builder,
                      Problems& problems) {
  const Node* open = builder.unfinished();
  const bool in_flow = error.msg.find("flow not found") != std::string::npos;
  // At the end of the file yaml-cpp gives no place; what was never closed is of more use anyway.
  if (in_flow && error.mark.line == 0 && error.mark.column == 0 && open) {
    return problems.add(open->at, fmt::format("YAML: this {} is never closed",
                                              open->kind == Node::Kind::List ? '[' : '{'));
  }
  const Position at = places.at(error.mark);
  const bool tab = places.has_tab_in_indentation(at.line);
  problems.add(at, "YAML: " + syntax_text(tab ? "illegal tab" : error.msg));
}

}  // namespace

bool parse_yaml(std::string_view text, Tree& tree, Problems& problems, std::size_t max_bytes) {
  if (const auto refused = detail::refuse_bytes(text, max_bytes)) {
    problems.add(refused->at, refused->why);
    return false;
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const Places places(text);
  Builder builder(tree, problems, places);
  try {
    std::istringstream in(detail::hide_references(text));
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
    return true;
  } catch (const Refused& refused) {
    problems.add(refused.at, refused.why);
  } catch (const YAML::DeepRecursion& error) {
    problems.add(places.at(error.mark), fmt::format("nested more than {} deep", kMaxDepth));
  } catch (const YAML::Exception& error) {
    add_syntax_error(error, places, builder, problems);
  } catch (const std::exception& error) {
    problems.add({}, std::string("the file cannot be parsed: ") + error.what());
  }
  return false;
}

}  // namespace causeway::config
