#include "platform/process/exec_child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include "platform/process/core_files.h"

namespace causeway::process {
namespace {

constexpr int kBadArguments = 126;
constexpr int kNotExecutable = 127;

int complain(const char* what, const char* about, int code) {
  std::fprintf(stderr, "causeway exec-child: %s %s: %s\n", what, about, std::strerror(errno));
  return code;
}

std::optional<long long> number(std::string_view text) {
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool lower_limit(int resource, rlim_t value) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return false;
  if (limit.rlim_max != RLIM_INFINITY && value > limit.rlim_max) value = limit.rlim_max;
  limit.rlim_cur = limit.rlim_max = value;
  return setrlimit(resource, &limit) == 0;
}

// Raising one's own score needs no privilege; where /proc is not there, it is no reason to fail.
void adjust_oom_score(std::string_view text) {
  const int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const auto written = write(file, text.data(), text.size());
  close(file);
}

// The signal comes when the *thread* that spawned us ends. It may have ended before we asked.
bool tie_to_parent(long long parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
  return getppid() == static_cast<pid_t>(parent);
}

// True when the option was understood and done.
bool apply(std::string_view name, std::string_view text) {
  if (name == "--folder") return chdir(std::string(text).c_str()) == 0;
  const auto value = number(text);
  errno = EINVAL;
  if (!value) return false;
  if (name == "--parent") return tie_to_parent(*value);
  if (name == "--address-space") return lower_limit(RLIMIT_AS, static_cast<rlim_t>(*value));
  if (name == "--open-files") return lower_limit(RLIMIT_NOFILE, static_cast<rlim_t>(*value));
  if (name == "--oom-score") return adjust_oom_score(text), true;
  if (name == "--nice") {
    errno = 0;
    return nice(static_cast<int>(*value)) != -1 || errno == 0;
  }
  return false;
}

}  // namespace

std::vector<std::string> exec_child_arguments(const Limits& limits, const std::string& folder,
                                              const std::string& program,
                                              const std::vector<std::string>& arguments) {
  std::vector<std::string> out{kExecChildVerb, "--parent=" + std::to_string(getpid())};
  if (!folder.empty()) out.push_back("--folder=" + folder);
  if (limits.open_files) out.push_back("--open-files=" + std::to_string(limits.open_files));
  if (limits.nice) out.push_back("--nice=" + std::to_string(limits.nice));
  if (limits.oom_score_adjust) {
    out.push_back("--oom-score=" + std::to_string(limits.oom_score_adjust));
  }
  if (limits.address_space) {  // the last one: it counts for ourselves as well until the exec
    out.push_back("--address-space=" + std::to_string(limits.address_space));
  }
  out.emplace_back("--");
  out.push_back(program);
  out.insert(out.end(), arguments.begin(), arguments.end());
  return out;
}

int exec_child_main(int argc, char** argv) {
  bool tied = false;
  int i = 2;
  for (; i < argc && std::strcmp(argv[i], "--") != 0; ++i) {
    const std::string_view option = argv[i];
    const auto equals = option.find('=');
    if (equals == option.npos) return complain("unknown option", argv[i], kBadArguments);
    if (!apply(option.substr(0, equals), option.substr(equals + 1))) {
      return complain("cannot apply", argv[i], kBadArguments);
    }
    tied = tied || option.starts_with("--parent=");
  }
  if (!tied || i + 1 >= argc) {
    std::fputs(
        "usage: causeway exec-child --parent=PID [--option=VALUE ...] -- PROGRAM [ARG ...]\n",
        stderr);
    return kBadArguments;
  }
  std::signal(SIGPIPE, SIG_DFL);  // our main() may have set it aside by now, and exec keeps that
  leave_no_core_files();
  if (close_range(3, ~0U, 0) != 0 && errno != ENOSYS) {
    return complain("cannot close", "descriptors", kBadArguments);
  }
  execv(argv[i + 1], argv + i + 1);
  return complain("cannot execute", argv[i + 1], kNotExecutable);
}

}  // namespace causeway::process
