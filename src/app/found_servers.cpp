#include "app/found_servers.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "app/listen_address.h"
#include "app/snapshot_builder.h"

namespace causeway::app {
namespace {

struct Known {
  const char* provider;
  const char* title;
  std::uint16_t port;
};

// The ports that these servers listen on when nobody says otherwise, by their documentation.
constexpr std::array kKnown = {
    Known{"ollama", "Ollama", 11434},
    Known{"vllm", "vLLM", 8000},
    Known{"lmstudio", "LM Studio", 1234},
    Known{"llama-server", "llama-server", 8080},
};

constexpr int kWaitMs = 250;

bool wait_for(int fd, short events) {
  pollfd waiting{fd, events, 0};
  return poll(&waiting, 1, kWaitMs) == 1;
}

// Whether something there answers GET /v1/models as these servers do.
bool lists_models(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool found = false;
  connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  int failed = 0;
  socklen_t size = sizeof failed;
  if (wait_for(fd, POLLOUT) && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 &&
      failed == 0) {
    constexpr std::string_view kRequest =
        "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    std::string answer;
    if (send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) ==
        static_cast<ssize_t>(kRequest.size())) {
      char piece[4096];
      while (answer.size() < 65536 && wait_for(fd, POLLIN)) {
        const auto got = recv(fd, piece, sizeof piece, 0);
        if (got <= 0) break;
        answer.append(piece, static_cast<std::size_t>(got));
      }
    }
    found = (answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200")) &&
            answer.find("\"data\"") != std::string::npos;
  }
  close(fd);
  return found;
}

}  // namespace

std::vector<std::string> add_found_servers(AppConfig& config) {
  std::vector<std::string> lines;
  for (const auto& known : kKnown) {
    bool own = false;
    for (const auto& text : {*config.server.listen, *config.server.admin}) {
      const auto address = parse_listen(text);
      own |= address && address->port == known.port;
    }
    if (own || !lists_models(known.port)) continue;
    const std::string url = "http://127.0.0.1:" + std::to_string(known.port) + "/v1";
    add_local_server(config, known.provider, url);
    lines.push_back(std::string(known.title) + " at " + url + ", as provider \"" + known.provider +
                    "\"");
  }
  return lines;
}

}  // namespace causeway::app
