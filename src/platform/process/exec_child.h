// The hidden verb `exec-child` of our own program: it prepares a fresh child process and then
// becomes the program that was asked for. What is done here cannot be done safely between fork and
// exec of a threaded parent: a parent-death signal, limits, closed descriptors. Spawner writes its
// arguments.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace causeway::process {

/// What a child may use. 0 = left as the parent has it, where not said otherwise.
struct Limits {
  std::size_t address_space = 0;  // bytes (RLIMIT_AS); mapped files count too
  std::size_t open_files = 0;     // RLIMIT_NOFILE
  int nice = 0;                   // added to the parent's niceness, 0..19
  int oom_score_adjust = 0;       // 0..1000: the kernel ends higher ones first when memory is short
};

/// The word in argv[1] that asks for exec_child_main.
inline constexpr const char* kExecChildVerb = "exec-child";

/// The arguments behind argv[0] for a child of this process.
std::vector<std::string> exec_child_arguments(const Limits& limits, const std::string& folder,
                                              const std::string& program,
                                              const std::vector<std::string>& arguments);

/// main() calls this first of all when argv[1] is kExecChildVerb, before threads or files are
/// there. It asks the kernel for SIGKILL when the parent's thread ends, ends at once when the
/// parent is gone already, sets limits, closes every descriptor from 3 on, and executes the
/// program. Returns only when that failed: 126 for wrong arguments or a limit that could not be
/// set, 127 when the program could not be executed; the reason is on standard error.
int exec_child_main(int argc, char** argv);

}  // namespace causeway::process
