// One set of plain structs gives the YAML reader, its error messages, the JSON Schema for editors
// and the reference page. describe.h says how a struct is described; README.md has an example.
//
//   config::Registry registry;                       // kinds and sections, from their owners
//   config::Schema<AppConfig> schema(registry);
//   config::Problems problems("causeway.yaml");
//   AppConfig app = schema.read_file("causeway.yaml", problems);
//   check_names(app, problems);                      // whatever else can be wrong
//   if (!problems.ok()) { print(problems.text()); … }
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/config/describe.h"
#include "platform/config/problems.h"
#include "platform/config/values.h"

namespace causeway::config {

/// Limits on a file; over them it is refused.
inline constexpr std::size_t kMaxFileBytes = kMiB;
inline constexpr std::size_t kMaxSecretFileBytes = 64 * kKiB;
inline constexpr std::size_t kMaxDepth = 32;
/// Scalars, lists and mappings, each alias counted as often as it is used.
inline constexpr std::size_t kMaxNodes = 100'000;

/// Where `${NAME}` and `file:` take their values from. What is left out is the real thing.
struct Sources {
  /// The value of an environment variable; nothing when it is not set.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  /// The content of a file, or what is wrong ("No such file or directory").
  std::function<std::expected<std::string, std::string>(const std::string& path)> file;
  /// What a relative `file:` path starts from; empty = the working directory. read_file() sets it
  /// to the folder of the configuration file where it is empty.
  std::string folder;
};

/// A piece of the file's text, in bytes.
struct Slice {
  std::size_t begin = 0, size = 0;
};

namespace detail {
std::expected<std::vector<Slice>, std::string> confidential(const Type& type, void* object,
                                                            std::string_view text);
void read(const Type& type, void* object, std::string_view text, Problems& problems,
          const Sources& sources);
void read_file(const Type& type, void* object, const std::string& path, Problems& problems,
               Sources sources);
std::string json_schema(const Type& type, std::string_view title);
std::string reference(const Type& type, std::string_view title);
}  // namespace detail

/// Immutable once built; may be used by several threads. A fault in the descriptions themselves
/// (a key twice, a section named as a field) throws std::logic_error here.
template <class T>
class Schema {
 public:
  explicit Schema(const Registry& registry = {}) {
    T sample{};
    type_ = detail::make_type(registry, sample);
  }

  /// Reads everything that can be read and adds every error to `problems`; what could not be read
  /// keeps its default, so that later checks find the rest. Use the value only if problems.ok().
  T read(std::string_view text, Problems& problems, const Sources& sources = {}) const {
    T value{};
    detail::read(*type_, &value, text, problems, sources);
    return value;
  }
  T read_file(const std::string& path, Problems& problems, const Sources& sources = {}) const {
    T value{};
    detail::read_file(*type_, &value, path, problems, sources);
    return value;
  }
  /// The values of a file that are not for everybody's eyes, in order: secrets written in clear,
  /// what may hold one, what was not understood (a secret under a mistyped name), and in comments
  /// what looks like one. The error is the end of a sentence: the text is no YAML, or such a value
  /// goes over several lines.
  std::expected<std::vector<Slice>, std::string> confidential(std::string_view text) const {
    T value{};
    return detail::confidential(*type_, &value, text);
  }
  /// JSON Schema, draft 2020-12, indented.
  std::string json_schema(std::string_view title) const {
    return detail::json_schema(*type_, title);
  }
  /// A page of Markdown: a table for each section, in the order of the descriptions.
  std::string reference(std::string_view title) const { return detail::reference(*type_, title); }

 private:
  detail::TypePtr type_;
};

}  // namespace causeway::config
