#include "platform/process/supervision.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>

namespace causeway::process {
namespace {

// Stands where systemd would listen.
class Listener {
 public:
  explicit Listener(const std::string& name) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Listener() {
    close(fd_);
    unsetenv("NOTIFY_SOCKET");
  }
  std::string heard() const {
    char text[256];
    const auto size = recv(fd_, text, sizeof text, MSG_DONTWAIT);
    return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
  }

 private:
  int fd_;
};

TEST(Supervision, NobodyIsToldWhereNobodyAsks) {
  unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(is_supervised());
  EXPECT_FALSE(tell_supervisor("READY=1"));
}

TEST(Supervision, TellsASocketInTheFileSystemAndOneInNone) {
  char folder[] = "/tmp/supervision-test-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/notify";
  for (const auto& name : {path, "@causeway-supervision-test-" + std::to_string(getpid())}) {
    const Listener listener(name);
    EXPECT_TRUE(is_supervised());
    EXPECT_TRUE(tell_supervisor("READY=1\nSTATUS=well"));
    EXPECT_EQ(listener.heard(), "READY=1\nSTATUS=well");
    EXPECT_TRUE(tell_supervisor_reloading());
    const std::string heard = listener.heard();
    EXPECT_TRUE(heard.starts_with("RELOADING=1\nMONOTONIC_USEC=")) << heard;
  }
  unlink(path.c_str());
  rmdir(folder);
}

TEST(Supervision, ANameThatIsNoneIsRefused) {
  for (const auto& name : {std::string("relative"), "/" + std::string(200, 'x')}) {
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    EXPECT_FALSE(tell_supervisor("READY=1"));
  }
  unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace causeway::process
