// Keeps a number of streams open and counts their events in a steady window: streams that end are
// started again at once. Prints "begin" when the window begins, one line of JSON when it ends, so
// that the harness reads the gateway's CPU at exactly these moments. Every answer must be 200 and
// every stream must end with [DONE].
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "net.h"

namespace {

constexpr std::string_view kEventStart = "data: ";

struct Stream {
  int fd = -1;
  std::string tail;  // end of what was received, so that marks split over two reads are found
  bool head_seen = false;
};

class SseLoad {
 public:
  SseLoad(int port, std::string request) : port_(port), request_(std::move(request)) {}

  void start(std::size_t streams) {
    streams_.resize(streams);
    for (std::size_t i = 0; i < streams; ++i) {
      open(i);
      usleep(static_cast<useconds_t>(10'000 / streams));  // spread over one usual gap of 10 ms
    }
  }

  void run_for(double seconds) {
    const auto end = bench::now_us() + static_cast<std::uint64_t>(seconds * 1e6);
    epoll_event events[256];
    while (bench::now_us() < end) {
      const int count = epoll_.wait(events, 20);
      for (int i = 0; i < count; ++i) receive(by_fd_[static_cast<std::size_t>(events[i].data.fd)]);
    }
  }

  long events = 0;
  long reads = 0;
  long finished = 0;
  long errors = 0;

 private:
  void open(std::size_t index) {
    Stream& stream = streams_[index];
    if (stream.fd < 0) {
      stream.fd = bench::connect_to(port_);
      if (stream.fd < 0) bench::die("connect");
      by_fd_.resize(std::max(by_fd_.size(), static_cast<std::size_t>(stream.fd) + 1));
      by_fd_[static_cast<std::size_t>(stream.fd)] = index;
      epoll_.add(stream.fd, EPOLLIN);
    }
    stream.tail.clear();
    stream.head_seen = false;
    if (send(stream.fd, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size())) {
      bench::die("send");
    }
  }

  void receive(std::size_t index) {
    static char buffer[64 * 1024];
    Stream& stream = streams_[index];
    const ssize_t got = recv(stream.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return lost(index);
    ++reads;
    std::string text = stream.tail + std::string(buffer, static_cast<std::size_t>(got));
    if (!stream.head_seen) {
      if (text.find("\r\n\r\n") == std::string::npos) {
        stream.tail = std::move(text);
        return;
      }
      stream.head_seen = true;
      if (text.compare(9, 3, "200") != 0) return refused(text);
      stream.tail.clear();
    }
    count_events(text, stream.tail.size());
    if (text.ends_with("0\r\n\r\n")) {
      text.find("[DONE]") != std::string::npos ? ++finished : ++errors;
      return open(index);
    }
    stream.tail = text.substr(text.size() - std::min<std::size_t>(text.size(), 32));
  }

  /// Counts the marks that end in the new part of the text.
  void count_events(std::string_view text, std::size_t old) {
    for (auto at = text.find(kEventStart); at != std::string_view::npos;
         at = text.find(kEventStart, at + kEventStart.size())) {
      if (at + kEventStart.size() > old) ++events;
    }
  }

  void lost(std::size_t index) {
    ++errors;
    close(streams_[index].fd);
    streams_[index].fd = -1;
    open(index);
  }

  [[noreturn]] void refused(const std::string& answer) {
    std::fprintf(stderr, "not 200: %.600s\n", answer.c_str());
    std::exit(1);
  }

  const int port_;
  const std::string request_;
  bench::Epoll epoll_;
  std::vector<Stream> streams_;
  std::vector<std::size_t> by_fd_;
};

std::string build_request(const bench::Options& options) {
  std::ifstream file(options.text("--body"));
  const std::string body{std::istreambuf_iterator<char>(file), {}};
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
         "Content-Type: application/json\r\nAuthorization: Bearer " +
         options.text("--key") + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(argc, argv,
                               {{"--port", "0"},
                                {"--body", ""},
                                {"--key", ""},
                                {"--streams", "128"},
                                {"--warm-ms", "1000"},
                                {"--window-ms", "3000"}});
  SseLoad load(static_cast<int>(options.number("--port")), build_request(options));
  load.start(static_cast<std::size_t>(options.number("--streams")));
  load.run_for(static_cast<double>(options.number("--warm-ms")) / 1e3);
  load.events = load.reads = load.finished = load.errors = 0;
  std::printf("begin\n");
  std::fflush(stdout);
  load.run_for(static_cast<double>(options.number("--window-ms")) / 1e3);
  std::printf("{\"events\":%ld,\"reads\":%ld,\"finished\":%ld,\"errors\":%ld}\n", load.events,
              load.reads, load.finished, load.errors);
}
