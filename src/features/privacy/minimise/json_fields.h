// JSON documents inside of texts: only listed members stay.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::minimise {

/// Members by path: names with dots between them, `*` for any name. Lists on the way are looked
/// into. A member that a path ends at stays whole.
class JsonFields {
 public:
  explicit JsonFields(std::span<const std::string> paths);
  /// Of a path, as the end of a sentence; "" = nothing.
  static std::string what_is_wrong(const std::string& path);

  /// The document with these members only, in their order and as they are written. Nothing where
  /// the text is no JSON document (an object or a list, with nothing else around it).
  std::optional<std::string> filter(std::string_view text) const;

  struct Node {
    std::string name;
    bool whole = false;
    std::vector<Node> members;
    Node& at(std::string_view member);
  };

 private:
  Node root_;
};

/// Whether a text looks like a JSON document, which is not to be read as mail.
bool looks_like_json(std::string_view text);

}  // namespace causeway::minimise
