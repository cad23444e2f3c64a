#include "features/privacy/minimise/json_fields.h"

#include <algorithm>
#include <utility>

#include "platform/json/on_demand.h"
#include "platform/text/ascii.h"
#include "platform/text/json_writer.h"

namespace causeway::minimise {
namespace {

namespace od = simdjson::ondemand;
using Node = JsonFields::Node;

class Filter {
 public:
  explicit Filter(std::string& out) : out_(out) {}

  /// The nodes of all paths that have come to this value; none of them ends here.
  void value(od::value value, const std::vector<const Node*>& nodes) {
    if (++depth_ > kDeepest) throw simdjson::simdjson_error(simdjson::DEPTH_ERROR);
    if (value.type() == od::json_type::object) {
      object(value.get_object(), nodes);
    } else {
      list(value.get_array(), nodes);
    }
    --depth_;
  }

  void object(od::object object, const std::vector<const Node*>& nodes) {
    out_ += '{';
    bool first = true;
    json::each_member(std::move(object), [&](std::string_view key, od::value member) {
      const auto next = nodes_at(nodes, key);
      const bool whole = std::ranges::any_of(next, [](const Node* node) { return node->whole; });
      if (next.empty() || (!whole && !is_container(member))) return;
      if (!std::exchange(first, false)) out_ += ',';
      text::append_json_string(out_, key);
      out_ += ':';
      if (whole) {
        out_ += json::raw_of(member);
      } else {
        value(member, next);
      }
    });
    out_ += '}';
  }

  void list(od::array array, const std::vector<const Node*>& nodes) {
    out_ += '[';
    bool first = true;
    for (auto element : array) {
      od::value one = json::take(std::move(element));
      if (!is_container(one)) continue;
      if (!std::exchange(first, false)) out_ += ',';
      value(one, nodes);
    }
    out_ += ']';
  }

 private:
  static bool is_container(od::value& value) {
    return value.type() == od::json_type::object || value.type() == od::json_type::array;
  }

  static std::vector<const Node*> nodes_at(const std::vector<const Node*>& nodes,
                                           std::string_view key) {
    std::vector<const Node*> next;
    for (const Node* node : nodes) {
      for (const Node& inner : node->members) {
        if (inner.name == key || inner.name == "*") next.push_back(&inner);
      }
    }
    return next;
  }

  static constexpr int kDeepest = 64;
  std::string& out_;
  int depth_ = 0;
};

}  // namespace

Node& JsonFields::Node::at(std::string_view member) {
  const auto known = std::ranges::find(members, member, &Node::name);
  if (known != members.end()) return *known;
  return members.emplace_back(std::string(member));
}

JsonFields::JsonFields(std::span<const std::string> paths) {
  for (std::string_view path : paths) {
    Node* node = &root_;
    for (bool more = true; more;) {
      const auto dot = path.find('.');
      node = &node->at(path.substr(0, dot));
      more = dot != std::string_view::npos;
      if (more) path.remove_prefix(dot + 1);
    }
    node->whole = true;
  }
}

std::string JsonFields::what_is_wrong(const std::string& path) {
  const bool empty_name = path.empty() || path.front() == '.' || path.back() == '.' ||
                          path.find("..") != std::string::npos;
  return empty_name ? "must be names with dots between them, like items.*.price" : "";
}

bool looks_like_json(std::string_view text) {
  text = text::trim(text);
  if (text.size() < 2) return false;
  return (text.front() == '{' && text.back() == '}') || (text.front() == '[' && text.back() == ']');
}

std::optional<std::string> JsonFields::filter(std::string_view text) const {
  if (!looks_like_json(text)) return std::nullopt;
  const simdjson::padded_string padded(text);
  std::string out;
  try {
    json::with_parser(text.size(), [&](od::parser& parser) {
      od::document document = parser.iterate(padded);
      Filter filter(out);
      const std::vector<const Node*> roots{&root_};
      if (document.type() == od::json_type::object) {
        filter.object(document.get_object(), roots);
      } else {
        filter.list(document.get_array(), roots);
      }
      const char* behind = nullptr;
      if (!document.current_location().get(behind)) out.clear();
    });
  } catch (const simdjson::simdjson_error&) {
    return std::nullopt;
  }
  if (out.empty()) return std::nullopt;
  return out;
}

}  // namespace causeway::minimise
