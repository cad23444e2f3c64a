#include "engine/places.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace causeway::engine {
namespace {

namespace fs = std::filesystem;

constexpr int kLevelsUp = 5;  // build/release/causeway stands two folders below the source tree

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string find_cache() {
  if (auto cache = environment("CAUSEWAY_CACHE"); !cache.empty()) return cache;
  auto base = environment("XDG_CACHE_HOME");
  if (base.empty()) base = environment("HOME") + "/.cache";
  return base + "/causeway";
}

bool is_share(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "third_party/manifest", ignored);
}

void find_share(const fs::path& program, Places& places) {
  places.share = environment("CAUSEWAY_SHARE");
  places.looked_at = places.share;
  if (!places.share.empty()) return;
  const fs::path folder = program.parent_path();
  const fs::path installed = folder.parent_path() / "share/causeway";
  places.looked_at = installed.string() + ", and " + folder.string() + " and the folders above it";
  if (is_share(installed)) {
    places.share = installed.string();
    return;
  }
  fs::path above = folder;
  for (int i = 0; i < kLevelsUp && above.has_relative_path(); ++i) {
    if (is_share(above)) {
      places.share = above.string();
      return;
    }
    above = above.parent_path();
  }
}

bool is_executable(const std::string& path) { return access(path.c_str(), X_OK) == 0; }

bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

/// A package has the engine twice on x86: for today's processors, and for all.
std::string installed_program(const Places& places) {
  if (places.share.empty()) return "";
  const auto folder = fs::path(places.share).parent_path().parent_path() / "lib/causeway";
  const auto fast = (folder / "avx2/llama-server").string();
  if (has_avx2() && is_executable(fast)) return fast;
  const auto any = (folder / "llama-server").string();
  return is_executable(any) ? any : "";
}

std::unexpected<Error> unavailable(std::string code, std::string message) {
  auto failed = fail(ErrorKind::Unavailable, Origin::Us, std::move(message), std::move(code));
  failed.error().retryable = true;  // another target may do
  return failed;
}

/// Whether somebody holds this lock of the scripts. It goes with its process, however that ends.
bool is_held(const Places& places, const char* name) {
  const int lock = open((places.cache + "/locks/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (lock < 0) return false;
  const bool held = flock(lock, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(lock);
  return held;
}

/// The last part of an address's path, made harmless as a file name.
std::string file_name_of(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  std::string name(url.substr(url.rfind('/') + 1));
  for (char& c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
    if (!plain && (c != '.' || &c == name.data())) c = '_';
  }
  return name.empty() ? "model.gguf" : name;
}

bool begins_as_gguf(const std::string& path) {
  std::array<char, 4> magic{};
  std::ifstream(path, std::ios::binary).read(magic.data(), magic.size());
  return std::string_view(magic.data(), magic.size()) == "GGUF";
}

}  // namespace

Places find_places(const std::string& program) {
  std::error_code error;
  const auto resolved = fs::canonical(program, error);
  Places places;
  places.cache = find_cache();
  find_share(error ? fs::path(program) : resolved, places);
  return places;
}

std::string catalogue_problem(const Places& places) {
  if (!places.share.empty() && is_share(places.share)) return "";
  return "The list of models (third_party/manifest) was not found; it was looked for in " +
         places.looked_at +
         ". Set CAUSEWAY_SHARE to the folder that has it: share/causeway of an installation, or "
         "the source tree.";
}

Result<std::string> find_program(const Places& places) {
  if (!places.program.empty()) {
    if (is_executable(places.program)) return places.program;
    return unavailable("engine_missing", "The engine's program " + places.program +
                                             " is not there or cannot be executed.");
  }
  std::error_code error;
  const auto current = fs::canonical(places.cache + "/engine/current/llama-server", error);
  if (!error && is_executable(current.string())) return current.string();
  if (auto installed = installed_program(places); !installed.empty()) return installed;
  // scripts/run writes a log; scripts/deps shows how far it is where it was typed.
  const bool in_background = is_held(places, "embedded");
  if (in_background || is_held(places, "engine")) {
    return unavailable("engine_missing",
                       "The engine (llama-server) is being built; it is used as soon as it is "
                       "there." +
                           (in_background ? " How far it is: " + places.cache + "/log/engine.log"
                                          : std::string()));
  }
  return unavailable("engine_missing",
                     "The engine (llama-server) is not built yet. `scripts/deps --only engine` "
                     "builds it; it is used as soon as it is there.");
}

std::string model_path(const ModelEntry& entry, const Places& places) {
  if (!entry.source.path.empty()) return entry.source.path;
  std::string name = entry.source.file_name;
  if (name.empty()) name = file_name_of(entry.source.url);
  const std::string file = "/files/" + entry.source.sha256 + "/" + name;
  if (!places.share.empty() && access((places.share + file).c_str(), R_OK) == 0) {
    return places.share + file;
  }
  return places.cache + file;
}

Result<std::string> find_model(const ModelEntry& entry, const Places& places) {
  std::string path = model_path(entry, places);
  if (access(path.c_str(), R_OK) != 0) {
    if (!entry.source.path.empty()) {
      return unavailable("model_missing", "The model's file " + path + " is not there.");
    }
    return unavailable("model_missing", "The model's file is not there. `causeway engine pull " +
                                            entry.name + "` fetches it.");
  }
  if (!begins_as_gguf(path)) {
    return unavailable("model_invalid", "The model's file " + path + " is not a GGUF file.");
  }
  return path;
}

}  // namespace causeway::engine
