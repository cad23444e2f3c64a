// For tests: a real redis-server on a Unix socket in a folder of its own, without anything on the
// disk. It ends with the object, and with the thread that started it.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "platform/redis/settings.h"

namespace causeway::redis::testing {

class RedisServer {
 public:
  explicit RedisServer(std::vector<std::string> more = {}) : more_(std::move(more)) {
    std::string pattern = (std::filesystem::temp_directory_path() / "redis-XXXXXX").string();
    if (::mkdtemp(pattern.data())) folder_ = pattern;
    start();
  }
  ~RedisServer() {
    kill();
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  /// False: there is no redis-server, or it does not start.
  bool start() {
    std::vector<std::string> words{"redis-server", "--port",      "0",     "--unixsocket",
                                   path(),         "--save",      "",      "--appendonly",
                                   "no",           "--dir",       folder_, "--logfile",
                                   "/dev/null",    "--daemonize", "no"};
    words.insert(words.end(), more_.begin(), more_.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int nowhere = ::open("/dev/null", O_RDWR);
      ::dup2(nowhere, 1);
      ::dup2(nowhere, 2);
      if (::getppid() == parent) ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    for (int tries = 0; tries < 500; ++tries) {
      if (accepts()) return running_ = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  /// At once, as by kill -9.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    running_ = false;
  }
  void pause() const { ::kill(pid_, SIGSTOP); }
  void go_on() const { ::kill(pid_, SIGCONT); }
  bool running() const { return running_; }

  std::string path() const { return folder_ + "/socket"; }
  Settings settings(std::chrono::milliseconds timeout = std::chrono::milliseconds(50)) const {
    Settings settings;
    settings.unix_path = path();
    settings.timeout = timeout;
    return settings;
  }

 private:
  bool accepts() const {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    const bool ok = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return ok;
  }

  std::vector<std::string> more_;
  std::string folder_;
  pid_t pid_ = -1;
  bool running_ = false;
};

}  // namespace causeway::redis::testing
