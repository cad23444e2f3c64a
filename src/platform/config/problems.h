// What is wrong with a configuration file, all of it at once. The reader adds its findings here,
// and so does every later check (a target that names no provider): each finding has the place in
// the file, and where a name was mistyped, the names that come near. A message never holds a
// secret.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::config {

/// A place in the file; both count from 1, the column in characters. Line 0: the file as a whole.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

enum class Severity : std::uint8_t { Error, Warning };

struct Problem {
  Severity severity = Severity::Error;
  Position at;
  std::string message;
  std::vector<std::string> suggestions;  // nearest valid names, best first
};

class Problems {
 public:
  /// More than this many are counted, not kept: a file of garbage must not fill the memory.
  static constexpr std::size_t kMaxKept = 200;

  /// `file` is shown in front of each line, as the user named it.
  explicit Problems(std::string file) : file_(std::move(file)) {}

  /// An error. `suggestions` is what nearest() gave; shown as `; did you mean "listen"?`.
  void add(Position at, std::string message, std::vector<std::string> suggestions = {});
  /// Something that works and should not stay so, e.g. a key in plain text.
  void warn(Position at, std::string message);

  bool ok() const { return errors_ == 0; }
  std::size_t errors() const { return errors_; }
  bool empty() const { return kept_.empty(); }
  const std::string& file() const { return file_; }
  /// By position, in the order of adding where that is the same.
  const std::vector<Problem>& sorted() const { return kept_; }
  /// `causeway.yaml:12:7: unknown key "listn" in "server"; did you mean "listen"?`
  std::string line(const Problem& problem) const;
  /// Every problem, sorted, a line each, with the final line break; empty when there is none.
  std::string text() const;

 private:
  void keep(Problem problem);

  std::string file_;
  std::vector<Problem> kept_;
  std::size_t errors_ = 0;
  std::size_t dropped_ = 0;
};

/// Those of `candidates` that somebody who wrote `name` most likely meant: at most three, all at
/// the same smallest edit distance (swapped neighbours count once; case, `-` and `_` count
/// nothing), or the one that holds `name` as a whole word. Empty when nothing is near.
std::vector<std::string> nearest(std::string_view name, std::span<const std::string> candidates);

}  // namespace causeway::config
