#include "platform/process/spawner.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "platform/process/detail/spawner_impl.h"

namespace causeway::process {

using std::chrono::milliseconds;

void Child::terminate(milliseconds grace) {
  if (auto impl = impl_.lock()) impl->push(TerminateCommand{id_, grace});
}

Spawner::Spawner(std::string self) : impl_(std::make_shared<SpawnerImpl>(std::move(self))) {}

Spawner::~Spawner() { impl_->stop_and_join(); }

Child Spawner::spawn(SpawnOptions options) {
  const std::uint64_t id = impl_->next_id++;
  ++impl_->running;
  impl_->push(SpawnCommand{id, std::move(options)});
  return Child(impl_, id);
}

std::size_t Spawner::running() const { return impl_->running; }

std::vector<std::string> environment_of(std::span<const std::string_view> names) {
  std::vector<std::string> out;
  for (const auto name : names) {
    const std::string text(name);
    if (const char* value = std::getenv(text.c_str())) out.push_back(text + "=" + value);
  }
  return out;
}

std::vector<std::string> basic_environment() {
  static constexpr std::string_view kNames[] = {"PATH", "HOME",   "LANG",          "LC_ALL",
                                                "TZ",   "TMPDIR", "XDG_CACHE_HOME"};
  return environment_of(kNames);
}

std::size_t resident_bytes(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/statm";
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (!file) return 0;
  unsigned long size = 0, resident = 0;
  const int read = std::fscanf(file, "%lu %lu", &size, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace causeway::process
