#include "platform/config/detail/resolve.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "platform/config/detail/scalar.h"

namespace causeway::config::detail {
namespace {

// Keeps the search for the end of each "${" in a hostile file short.
constexpr std::size_t kMaxReference = 1024;

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::string> variable(const Sources& sources, const std::string& name) {
  if (sources.variable) return sources.variable(name);
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace

std::size_t reference_length(std::string_view text) {
  text = text.substr(0, kMaxReference);
  if (!text.starts_with("${") || text.size() < 4 || !is_name_start(text[2])) return 0;
  std::size_t i = 3;
  while (i < text.size() && (is_name_start(text[i]) || is_digit(text[i]))) ++i;
  if (i < text.size() && text[i] == '}') return i + 1;
  if (!text.substr(i).starts_with(":-")) return 0;
  const std::size_t end = text.find_first_of("}\n\r\"'\\", i);
  if (end == std::string_view::npos || text[end] != '}') return 0;
  return text.substr(i, end - i).find("${") == std::string_view::npos ? end + 1 : 0;
}

std::expected<Resolved, std::string> resolve(std::string_view text, const Sources& sources) {
  Resolved out;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    out.text += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (text.starts_with("$${")) {
      out.text += "${";
      text.remove_prefix(3);
      continue;
    }
    if (!text.starts_with("${")) {
      out.text += '$';
      text.remove_prefix(1);
      continue;
    }
    const std::size_t length = reference_length(text);
    if (length == 0) {
      return std::unexpected(
          "\"${\" begins no valid reference; write ${NAME} or ${NAME:-default}, "
          "and $${ for the characters themselves");
    }
    const std::string_view inside = text.substr(2, length - 3);
    const std::size_t colon = inside.find(":-");
    const std::string name(inside.substr(0, colon));
    const auto value = variable(sources, name);
    out.replaced = true;
    if (value && (!value->empty() || colon == std::string_view::npos)) {
      out.text += *value;
      out.outside = true;
    } else if (colon != std::string_view::npos) {
      out.text += inside.substr(colon + 2);
    } else {
      return std::unexpected(
          fmt::format("the environment variable {0} is not set; "
                      "${{{0}:-default}} would give a default",
                      name));
    }
    text.remove_prefix(length);
  }
  return out;
}

std::expected<std::string, std::string> read_secret(std::string_view text, const Sources& sources,
                                                    bool& plain) {
  plain = false;
  if (!text.starts_with("file:")) {
    auto resolved = resolve(text, sources);
    if (!resolved) return std::unexpected(resolved.error());
    plain = !resolved->outside && !resolved->text.empty();
    return std::move(resolved->text);
  }
  const auto path = resolve(text.substr(5), sources);
  if (!path) return std::unexpected(path.error());
  std::string full = path->text;
  if (!full.starts_with('/') && !sources.folder.empty()) full = sources.folder + "/" + full;
  auto content = sources.file ? sources.file(full) : read_whole_file(full, kMaxSecretFileBytes);
  // The path as written: where it holds a reference, its value is not shown.
  if (!content) {
    return std::unexpected(fmt::format("cannot read the file {}: {}",
                                       printable(path->replaced ? text.substr(5) : full),
                                       content.error()));
  }
  while (content->ends_with('\n') || content->ends_with('\r')) content->pop_back();
  return std::move(*content);
}

std::expected<std::string, std::string> read_whole_file(const std::string& path,
                                                        std::size_t limit) {
  // Without waiting: the path may be a pipe that nobody writes into.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::unexpected(std::string(std::strerror(errno)));
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  struct stat status{};
  if (::fstat(fd, &status) != 0) return std::unexpected(std::string(std::strerror(errno)));
  if (!S_ISREG(status.st_mode)) return std::unexpected("it is not a regular file");
  std::string out(limit + 1, '\0');
  std::size_t have = 0;
  while (have < out.size()) {
    const ssize_t got = ::read(fd, out.data() + have, out.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(std::string(std::strerror(errno)));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  if (have > limit) {
    return std::unexpected(fmt::format("it is larger than {}", print_bytes(Bytes{limit})));
  }
  out.resize(have);
  return out;
}

}  // namespace causeway::config::detail
