#include "platform/process/supervision.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace causeway::process {
namespace {

std::string_view socket_name() {
  const char* name = std::getenv("NOTIFY_SOCKET");
  return name ? name : "";
}

}  // namespace

bool is_supervised() { return !socket_name().empty(); }

bool tell_supervisor(std::string_view state) {
  const auto name = socket_name();
  sockaddr_un address{};
  const bool known = name.starts_with('/') || name.starts_with('@');
  if (!known || name.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';  // a name in no file system
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const auto sent = sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                           reinterpret_cast<const sockaddr*>(&address), size);
  close(fd);
  return sent == static_cast<ssize_t>(state.size());
}

bool tell_supervisor_reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto micros = now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
  return tell_supervisor("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(micros));
}

}  // namespace causeway::process
