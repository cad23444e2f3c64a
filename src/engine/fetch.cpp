#include "engine/fetch.h"

#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "engine/download.h"
#include "platform/process/spawner.h"

extern char** environ;

namespace causeway::engine {
namespace {

using namespace std::chrono_literals;

constexpr auto kTerminateGrace = 3s;

// How the fetch tool and pip find index, proxy and certificates. Never our providers' keys.
constexpr std::array<std::string_view, 8> kPrefixes = {
    "CAUSEWAY_CACHE=", "CAUSEWAY_FETCH_", "PIP_",        "SSL_CERT_", "XDG_CONFIG_",
    "REQUESTS_CA_",    "CURL_CA_BUNDLE=", "VIRTUAL_ENV="};
constexpr std::array<std::string_view, 3> kProxies = {"http_proxy=", "https_proxy=", "no_proxy="};

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::vector<std::string> fetch_environment() {
  auto out = process::basic_environment();
  for (char** variable = environ; variable && *variable; ++variable) {
    const std::string_view text = *variable;
    bool wanted = false;
    for (const auto prefix : kPrefixes) wanted = wanted || text.starts_with(prefix);
    for (const auto name : kProxies) {
      wanted = wanted || same_ignoring_case(text.substr(0, name.size()), name);
    }
    if (wanted) out.emplace_back(text);
  }
  return out;
}

/// Debian's own interpreter before another, as scripts/lib.sh does.
std::string python() {
  if (access("/usr/bin/python3", X_OK) == 0) return "/usr/bin/python3";
  const char* path = std::getenv("PATH");
  std::string_view folders = path ? path : "";
  while (!folders.empty()) {
    const auto end = folders.find(':');
    const std::string candidate = std::string(folders.substr(0, end)) + "/python3";
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    folders.remove_prefix(end == folders.npos ? folders.size() : end + 1);
  }
  return "";
}

class ArtifactFetch final : public Fetch {
 public:
  ArtifactFetch(const ModelEntry& entry, const Places& places, process::Spawner& spawner,
                FetchCallbacks callbacks) {
    process::SpawnOptions options;
    options.program = python();
    options.arguments = {places.fetch_tool(),  "--progress",      "json",
                         "--manifest",         places.manifest(), "--",
                         entry.source.artifact};
    options.environment = fetch_environment();
    options.limits.nice = 5;
    // Both run on the spawner's thread.
    auto last_line = std::make_shared<std::string>();
    options.on_line = [last_line,
                       on_progress = std::move(callbacks.on_progress)](std::string_view line) {
      std::uint64_t done = 0, total = 0;
      if (read_progress_line(line, done, total)) {
        if (on_progress) on_progress(done, total);
      } else if (!line.starts_with('{')) {
        *last_line = line;
      }
    };
    options.on_exit = [last_line, on_end = std::move(callbacks.on_end)](const process::Exit& exit) {
      if (exit.ok()) return on_end({});
      const std::string& why = last_line->empty() ? exit.reason : *last_line;
      on_end(fail(ErrorKind::UpstreamFailed, Origin::Upstream, why, "fetch_failed"));
    };
    child_ = spawner.spawn(std::move(options));
  }
  ~ArtifactFetch() override { child_.terminate(kTerminateGrace); }

 private:
  process::Child child_;
};

class UrlFetch final : public Fetch {
 public:
  UrlFetch(const ModelEntry& entry, const Places& places, FetchCallbacks callbacks)
      : download_({.url = entry.source.url,
                   .path = model_path(entry, places),
                   .sha256 = entry.source.sha256,
                   .ca_file = "",
                   .on_progress = std::move(callbacks.on_progress),
                   .on_end = std::move(callbacks.on_end)}) {}

 private:
  Download download_;
};

std::unexpected<Error> cannot(std::string why) {
  return fail(ErrorKind::InvalidRequest, Origin::Client, std::move(why), "nothing_to_fetch");
}

}  // namespace

Result<void> can_fetch(const ModelEntry& entry, const Places& places) {
  if (!entry.source.url.empty()) return {};
  if (!entry.source.path.empty()) {
    return cannot("The model " + entry.name + " is a file of your own: there is nothing to fetch.");
  }
  if (places.share.empty() || access(places.fetch_tool().c_str(), R_OK) != 0) {
    return cannot(
        "The program's own files (scripts/tools/fetch.py) are not beside it; set "
        "CAUSEWAY_SHARE to the folder that holds them.");
  }
  if (python().empty())
    return cannot("python3 with pip is needed to fetch a pinned model (Debian: python3-pip).");
  return {};
}

std::unique_ptr<Fetch> start_fetch(const ModelEntry& entry, const Places& places,
                                   process::Spawner& spawner, FetchCallbacks callbacks) {
  if (!entry.source.url.empty()) {
    return std::make_unique<UrlFetch>(entry, places, std::move(callbacks));
  }
  return std::make_unique<ArtifactFetch>(entry, places, spawner, std::move(callbacks));
}

bool read_progress_line(std::string_view line, std::uint64_t& done, std::uint64_t& total) {
  boost::system::error_code error;
  const auto value = boost::json::parse({line.data(), line.size()}, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto* bytes = object ? object->if_contains("bytes") : nullptr;
  const auto* all = object ? object->if_contains("total") : nullptr;
  if (!bytes || !all || !bytes->is_int64() || !all->is_int64()) return false;
  if (bytes->get_int64() < 0 || all->get_int64() < 0) return false;
  done = static_cast<std::uint64_t>(bytes->get_int64());
  total = static_cast<std::uint64_t>(all->get_int64());
  return true;
}

}  // namespace causeway::engine
