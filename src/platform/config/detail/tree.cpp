#include "platform/config/detail/tree.h"

#include <fmt/core.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include "platform/config/config.h"
#include "platform/config/detail/scalar.h"
#include "platform/config/detail/source_text.h"

namespace causeway::config::detail {
namespace {

Position position(const YAML::Mark& mark) {
  if (mark.is_null()) return {1, 1};
  return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

// Ends the parsing from inside a handler.
struct Refused {
  Position at;
  std::string why;
};

// Builds the tree from the parser's events. yaml-cpp's own Node is not used: it forgets duplicate
// keys and the places of keys.
class Builder : public YAML::EventHandler {
 public:
  Builder(Tree& tree, Problems& problems) : tree_(tree), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Refused{position(mark), "only one YAML document is read"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    put(make(Node::Kind::Null, mark, anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end() || !found->second->complete) {
      throw Refused{position(mark), "the alias stands inside the value that it names"};
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

  [[noreturn]] static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    throw Refused{position(mark), "tags are not read here: " + show_references(tag)};
  }

  Node* make(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    Node& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.at = position(mark);
    node.complete = kind == Node::Kind::Null || kind == Node::Kind::Scalar;
    if (anchor != 0) anchors_[anchor] = &node;
    return &node;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    if (tag != "?" && tag != "!" && !tag.empty()) refuse_tag(mark, tag);
    if (levels_.size() >= kMaxDepth) {
      throw Refused{position(mark), fmt::format("nested more than {} deep", kMaxDepth)};
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
  std::vector<Level> levels_;
  std::unordered_map<YAML::anchor_t, Node*> anchors_;
  int documents_ = 0;
};

// yaml-cpp names the rule that was broken; these are the ones that people meet.
std::string syntax_text(const std::string& message) {
  const auto has = [&](std::string_view part) { return message.find(part) != std::string::npos; };
  if (has("illegal tab")) return "a tab in the indentation; use spaces";
  if (has("end of map flow")) return "a `{` that is not closed, or a comma missing before here";
  if (has("end of sequence flow"))
    return "a `[` that is not closed, or a comma missing before here";
  if (has("end of map not found")) return "the indentation does not fit the mapping above";
  if (has("end of sequence not found")) return "the indentation does not fit the list above";
  if (has("illegal map value"))
    return "a second `: ` in one line; a text that holds one needs quotes";
  if (has("EOF in scalar") || has("illegal EOF")) return "a quote that is not closed";
  return show_references(message);
}

}  // namespace

bool parse_yaml(std::string_view text, Tree& tree, Problems& problems) {
  if (const auto refused = refuse_bytes(text)) {
    problems.add(refused->at, refused->why);
    return false;
  }
  try {
    std::istringstream in(hide_references(text));
    YAML::Parser parser(in);
    Builder builder(tree, problems);
    while (parser.HandleNextDocument(builder)) {
    }
    return true;
  } catch (const Refused& refused) {
    problems.add(refused.at, refused.why);
  } catch (const YAML::DeepRecursion& error) {
    problems.add(position(error.mark), fmt::format("nested more than {} deep", kMaxDepth));
  } catch (const YAML::Exception& error) {
    problems.add(position(error.mark), "YAML: " + syntax_text(error.msg));
  } catch (const std::exception& error) {
    problems.add({}, std::string("the file cannot be parsed: ") + error.what());
  }
  return false;
}

}  // namespace causeway::config::detail
