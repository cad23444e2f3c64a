// Fetches a file from an http(s) address into its place: resumed where an earlier try was cut,
// checked against its SHA-256 before it gets its name. Runs on a thread and a loop of its own, so
// that neither writing nor hashing gigabytes ever holds up anything else.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "platform/base/error.h"

namespace causeway::net {
class Loop;
}

namespace causeway::engine {

struct DownloadOptions {
  std::string url;      // http or https; redirections are followed, but not from https to http
  std::string path;     // where the file goes; "<path>.part" while it is not complete
  std::string sha256;   // lower-case hex
  std::string ca_file;  // PEM bundle instead of the system's; empty = the system's
  // On the download's thread, a few times a second; total 0 = not known.
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
  // On the download's thread, once, at the end.
  std::function<void(Result<void>)> on_end;
};

class Download {
 public:
  /// Starts at once.
  explicit Download(DownloadOptions options);
  /// Cancels, and waits for the thread; on_end has been called by then.
  ~Download();
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

 private:
  struct Job;
  std::unique_ptr<Job> job_;
  std::thread thread_;
};

}  // namespace causeway::engine
