// A YAML file as a tree in which every value and every key knows its place, for our own
// configuration and for those of other programs that are imported. Aliases point to the node that
// they name, merge keys (`<<`) are worked in, and what a configuration has no use for (tags,
// several documents, keys that are not text) is refused with its place. JSON is YAML.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "platform/config/problems.h"

namespace causeway::config {

struct Node {
  enum class Kind : std::uint8_t { Null, Scalar, List, Map };
  struct Entry {
    std::string key;
    Position at;
    const Node* value = nullptr;
  };

  Kind kind = Kind::Null;
  bool quoted = false;  // a scalar in quotes or a block: never a number, a switch or nothing
  bool complete = false;
  Position at;
  std::string text;
  std::vector<const Node*> items;
  std::vector<Entry> entries;
  std::size_t weight = 1;  // nodes in it, each alias counted in full
};

struct Tree {
  std::deque<Node> nodes;  // a deque, because nodes point to each other
  const Node* root = nullptr;
};

/// False when the text is not fit to be read at all; then `problems` says why. Errors that leave a
/// tree (a key given twice) are added too, and the answer is true. Bounds: `max_bytes`, and the
/// depth and number of values that config.h names.
bool parse_yaml(std::string_view text, Tree& tree, Problems& problems, std::size_t max_bytes);

}  // namespace causeway::config
