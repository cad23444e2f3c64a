// The process's own metrics, under the names that Prometheus client libraries share.
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>

#include "platform/metrics/exposition.h"

namespace causeway::metrics {
namespace {

/// A field of /proc/self/stat by its number in proc(5); the name in field 2 may hold spaces.
double stat_field(int number) {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= number; ++i) fields >> field;
  return std::strtod(field.c_str(), nullptr);
}

double resident_bytes() {
  constexpr int kResidentPages = 24;
  return stat_field(kResidentPages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double open_files() {
  DIR* directory = opendir("/proc/self/fd");
  if (!directory) return 0;
  int count = 0;
  while (readdir(directory)) ++count;
  closedir(directory);
  return count - 3;  // ".", ".." and the directory's own descriptor
}

double max_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

double threads() {
  constexpr int kThreads = 20;
  return stat_field(kThreads);
}

double start_seconds() {
  constexpr int kStartTicks = 22;  // since boot
  std::ifstream file("/proc/stat");
  std::string word;
  double boot = 0;
  while (file >> word) {
    if (word == "btime") {
      file >> boot;
      break;
    }
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return boot + stat_field(kStartTicks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

void add_process_metrics(Registry& registry) {
  const auto add = [&](Kind kind, const char* name, const char* help, double (*read)()) {
    registry.sampled(kind, {name, help, {}}, [read](SampleSink& sink) { sink.add({}, read()); });
  };
  add(Kind::Gauge, "process_resident_memory_bytes", "Resident memory of the process.",
      resident_bytes);
  add(Kind::Counter, "process_cpu_seconds_total", "User and system CPU time.", cpu_seconds);
  add(Kind::Gauge, "process_open_fds", "Open file descriptors.", open_files);
  add(Kind::Gauge, "process_max_fds", "Limit of open file descriptors.", max_files);
  add(Kind::Gauge, "process_threads", "Threads of the process.", threads);
  add(Kind::Gauge, "process_start_time_seconds", "Start of the process, Unix time.", start_seconds);
}

}  // namespace causeway::metrics
