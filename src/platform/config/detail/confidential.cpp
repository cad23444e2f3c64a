#include "platform/config/detail/confidential.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace causeway::config::detail {
namespace {

constexpr std::size_t kShortestSecret = 16;  // that is looked for in comments

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The byte at a place of the file, whose columns count characters.
std::size_t offset_of(std::string_view text, Position at) {
  std::size_t offset = 0;
  for (std::uint32_t line = 1; line < at.line; ++line) {
    const auto end = text.find('\n', offset);
    if (end == text.npos) return text.size();
    offset = end + 1;
  }
  for (std::uint32_t column = 1; column < at.column && offset < text.size(); ++column) {
    ++offset;
    while (offset < text.size() && continues_character(text[offset])) ++offset;
  }
  return offset;
}

// Where a quoted scalar ends, behind its quote; 0 where that is not in this line.
std::size_t quoted_size(std::string_view text) {
  const char quote = text[0];
  for (std::size_t i = 1; i < text.size() && text[i] != '\n'; ++i) {
    if (quote == '"' && text[i] == '\\') {
      if (++i < text.size() && text[i] == '\n') return 0;  // it goes on in the next one
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != '\'') return i + 1;
      ++i;
    }
  }
  return 0;
}

// A scalar as it stands in the text, with its quotes and without its anchor.
std::optional<Slice> slice_of(std::string_view text, const Node& node) {
  std::size_t at = offset_of(text, node.at);
  while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
    at = text.find_first_of(" \t\n", at);
    at = text.find_first_not_of(" \t", std::min(at, text.size()));
  }
  if (at >= text.size()) return std::nullopt;
  const auto rest = text.substr(at);
  if (rest[0] == '"' || rest[0] == '\'') {
    const std::size_t size = quoted_size(rest);
    return size > 0 ? std::optional(Slice{at, size}) : std::nullopt;
  }
  // Written over several lines it reads otherwise than it is written.
  if (!rest.starts_with(node.text) || node.text.find('\n') != node.text.npos) return std::nullopt;
  return Slice{at, node.text.size()};
}

// A URL with a name and a password in it.
bool has_user(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == text.npos) return false;
  const auto authority = text.substr(scheme + 3, text.find('/', scheme + 3) - scheme - 3);
  return authority.find('@') != authority.npos;
}

void add_users(const Tree& tree, std::vector<const Node*>& found) {
  for (const Node& node : tree.nodes) {
    if (node.kind == Node::Kind::Scalar && has_user(node.text)) found.push_back(&node);
  }
}

// Long words of letters and digits in comments: keys that somebody has put aside.
void add_from_comments(std::string_view text, std::vector<Slice>& slices) {
  const auto in_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_+/=.").find(c) != std::string_view::npos;
  };
  bool comment = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') comment = false;
    const bool begins = text[i] == '#' && (i == 0 || std::string_view(" \t\n").find(text[i - 1]) !=
                                                         std::string_view::npos);
    comment = comment || begins;
    if (!comment || !in_word(text[i])) continue;
    std::size_t end = i;
    bool digit = false, letter = false;
    for (; end < text.size() && in_word(text[end]); ++end) {
      const bool is_digit = text[end] >= '0' && text[end] <= '9';
      digit = digit || is_digit;
      letter = letter || (!is_digit && text[end] >= 'A');
    }
    if (digit && letter && end - i >= kShortestSecret) slices.push_back({i, end - i});
    i = end - 1;
  }
}

}  // namespace

std::expected<std::vector<Slice>, std::string> confidential(const Type& type, void* object,
                                                            std::string_view text) {
  Tree tree;
  Problems problems("");
  if (!parse_yaml(text, tree, problems, kMaxFileBytes)) {
    const auto sorted = problems.sorted();
    const Problem& first = sorted.front();
    return std::unexpected(fmt::format("it cannot be read: line {}, column {}: {}", first.at.line,
                                       first.at.column, first.message));
  }
  Sources sources;  // the content of secrets' files is of no matter
  sources.file = [](const std::string&) { return std::string("x"); };
  std::vector<const Node*> found;
  if (tree.root) found = confidential(type, object, *tree.root, sources);
  add_users(tree, found);
  const std::size_t mark = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  std::vector<Slice> slices;
  for (const Node* node : found) {
    auto slice = slice_of(text.substr(mark), *node);
    if (!slice) {
      return std::unexpected("a secret stands in line " + std::to_string(node->at.line) +
                             " in a form that cannot be hidden; write ${NAME} or file:/path");
    }
    slices.push_back({slice->begin + mark, slice->size});
  }
  add_from_comments(text, slices);
  std::ranges::stable_sort(slices, {}, &Slice::begin);
  std::vector<Slice> apart;
  for (const Slice& slice : slices) {
    if (!apart.empty() && slice.begin < apart.back().begin + apart.back().size) continue;
    apart.push_back(slice);
  }
  return apart;
}

}  // namespace causeway::config::detail
