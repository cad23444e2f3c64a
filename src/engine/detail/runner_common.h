// What the two halves of the runner share. Only for runner.cpp and runner_child.cpp.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <string>
#include <utility>

#include "platform/base/clock.h"
#include "platform/base/error.h"

namespace causeway::engine {

inline constexpr std::chrono::seconds kStopGrace{10};     // of a child that is asked to end
inline constexpr std::chrono::seconds kShutdownGrace{2};  // when the program ends, or it hangs

inline Monotonic now() { return std::chrono::steady_clock::now(); }

inline Error unavailable(std::string code, std::string message) {
  Error error;
  error.kind = ErrorKind::Unavailable;
  error.origin = Origin::Us;
  error.retryable = true;
  error.code = std::move(code);
  error.message = std::move(message);
  return error;
}

/// 0 when it is not there.
inline std::uint64_t file_size(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace causeway::engine
