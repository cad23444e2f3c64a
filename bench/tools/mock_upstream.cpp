// A model server that costs nothing: every POST gets the same chat completion, or a stream of
// events when the body says "stream": true; every GET a list with one model. Single-threaded,
// HTTP/1.1 with keep-alive, bodies with Content-Length only (as gateways send them). Streams send
// an event each --gap-us, each on its own clock, so that many streams are spread evenly over time.
// --anthropic 1: the same answers in the form of Anthropic's Messages API. --stand-ins 1: with
// stand-ins of personal data in whole answers.
#include <strings.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <cstring>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net.h"

namespace {

constexpr std::size_t kMaxDescriptors = 65536;

std::string with_head(const std::string& body, const char* type) {
  return std::string("HTTP/1.1 200 OK\r\nContent-Type: ") + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string content() {
  std::string text;
  while (text.size() < 600) {
    text += "The quick brown fox jumps over the lazy dog near the river bank. ";
  }
  return text;
}

std::string chunk(const std::string& data) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return size + data + "\r\n";
}

// What a request with personal data, masked, would have in its answer (harness/configs.py).
constexpr const char* kStandIns = " [PERSON], [EMAIL], [PHONE], [CARD] and [IBAN].";

/// What is sent, whole and in pieces.
struct Answers {
  std::string models = with_head(R"({"object":"list","data":[{"id":"gpt-4o-mini",)"
                                 R"("object":"model","created":1,"owned_by":"mock"}]})",
                                 "application/json");
  std::string stream_head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
      "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string chat, first_events, middle_event, last_events;
};

Answers of_openai(bool stand_ins) {
  Answers answers;
  answers.chat = with_head(
      R"({"id":"chatcmpl-mock0001","object":"chat.completion","created":1760000000,)"
      R"("model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":")" +
          content() + (stand_ins ? kStandIns : "") +
          R"(","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":412,)"
          R"("completion_tokens":150,"total_tokens":562},"system_fingerprint":"fp_mock"})",
      "application/json");
  const auto event = [](const std::string& delta, const std::string& finish) {
    return chunk(
        R"(data: {"id":"chatcmpl-mock0001","object":"chat.completion.chunk","created":1760000000,)"
        R"("model":"gpt-4o-mini","system_fingerprint":"fp_mock","choices":[{"index":0,"delta":)" +
        delta + R"(,"logprobs":null,"finish_reason":)" + finish + "}]}\n\n");
  };
  answers.first_events = event(R"({"role":"assistant","content":""})", "null");
  answers.middle_event = event(R"({"content":" token"})", "null");
  answers.last_events = event("{}", R"("stop")") + chunk("data: [DONE]\n\n") + "0\r\n\r\n";
  return answers;
}

Answers of_anthropic() {
  Answers answers;
  answers.chat = with_head(
      R"({"id":"msg_mock0001","type":"message","role":"assistant","model":"claude-sonnet-4-5",)"
      R"("content":[{"type":"text","text":")" +
          content() +
          R"("}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":412,)"
          R"("cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":150}})",
      "application/json");
  const auto event = [](const std::string& type, const std::string& members) {
    return chunk("event: " + type + "\ndata: {\"type\":\"" + type + "\"," + members + "}\n\n");
  };
  answers.first_events =
      event("message_start",
            R"("message":{"id":"msg_mock0001","type":"message","role":"assistant","model":)"
            R"("claude-sonnet-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":)"
            R"({"input_tokens":412,"output_tokens":1}})") +
      event("content_block_start", R"("index":0,"content_block":{"type":"text","text":""})");
  answers.middle_event =
      event("content_block_delta", R"("index":0,"delta":{"type":"text_delta","text":" token"})");
  answers.last_events =
      event("content_block_stop", R"("index":0)") +
      event(
          "message_delta",
          R"("delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":150})") +
      chunk("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n") + "0\r\n\r\n";
  return answers;
}

struct Connection {
  bool open = false;
  std::uint32_t generation = 0;  // so that a timer of a closed stream finds nobody
  std::string in;
  std::string out;
  long events_left = -1;  // of the running stream; -1 = none
};

/// The length of the first request in `text`; 0 while it is not complete.
std::size_t request_length(std::string_view text, std::size_t& body_start) {
  const auto head_end = text.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return 0;
  body_start = head_end + 4;
  std::size_t body = 0;
  for (auto at = text.find("\r\n"); at < head_end; at = text.find("\r\n", at + 2)) {
    const char* line = text.data() + at + 2;
    if (strncasecmp(line, "content-length:", 15) == 0) body = std::strtoul(line + 15, nullptr, 10);
  }
  return text.size() >= body_start + body ? body_start + body : 0;
}

bool asks_for_stream(std::string_view body) {
  auto at = body.find("\"stream\"");
  if (at == std::string_view::npos) return false;
  at = body.find_first_not_of(": ", at + 8);
  return at != std::string_view::npos && body.substr(at, 4) == "true";
}

class MockUpstream {
 public:
  MockUpstream(int port, long chunks, long gap_us, Answers answers)
      : chunks_(chunks),
        gap_us_(static_cast<std::uint64_t>(gap_us)),
        listener_(bench::listen_on(port)),
        timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
        answers_(std::move(answers)) {
    epoll_.add(listener_, EPOLLIN);
    epoll_.add(timer_, EPOLLIN);
  }

  [[noreturn]] void run() {
    epoll_event events[512];
    while (true) {
      arm_timer();
      const int count = epoll_.wait(events, -1);
      for (int i = 0; i < count; ++i) handle(events[i]);
      send_due_events();
    }
  }

 private:
  struct Due {
    std::uint64_t at;
    int fd;
    std::uint32_t generation;
    bool operator<(const Due& other) const { return at > other.at; }  // the earliest on top
  };

  void handle(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == listener_) return accept_all();
    if (fd == timer_) {
      std::uint64_t ticks;
      if (read(timer_, &ticks, sizeof ticks) > 0) armed_ = 0;
      return;
    }
    if (!connections_[fd].open) return;
    if ((event.events & EPOLLOUT) && !flush(fd)) return;
    if (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(fd);
  }

  void accept_all() {
    int fd;
    while ((fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
      if (fd >= static_cast<int>(kMaxDescriptors)) {
        close(fd);
        continue;
      }
      bench::no_delay(fd);
      connections_[fd].open = true;
      epoll_.add(fd, EPOLLIN);
    }
  }

  void receive(int fd) {
    static char buffer[256 * 1024];
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return drop(fd);
    connections_[fd].in.append(buffer, static_cast<std::size_t>(got));
    answer_requests(fd);
  }

  void answer_requests(int fd) {
    auto& connection = connections_[fd];
    std::size_t body_start = 0;
    while (connection.open && connection.events_left < 0) {
      const auto length = request_length(connection.in, body_start);
      if (length == 0) return;
      const bool get = connection.in[0] == 'G';
      const auto body = std::string_view(connection.in).substr(body_start, length - body_start);
      const bool stream = !get && asks_for_stream(body);
      connection.in.erase(0, length);
      if (stream) {
        start_stream(fd);
      } else {
        connection.out += get ? answers_.models : answers_.chat;
        flush(fd);
      }
    }
  }

  void start_stream(int fd) {
    auto& connection = connections_[fd];
    connection.events_left = chunks_;
    connection.out += answers_.stream_head + answers_.first_events;
    if (!flush(fd)) return;
    if (gap_us_ > 0) {
      due_.push({bench::now_us() + gap_us_, fd, connection.generation});
    } else {
      while (connection.open && connection.events_left >= 0) send_event(fd);
    }
  }

  void send_event(int fd) {
    auto& connection = connections_[fd];
    const bool last = connection.events_left == 0;
    connection.out += last ? answers_.last_events : answers_.middle_event;
    --connection.events_left;
    flush(fd);
  }

  void send_due_events() {
    const auto now = bench::now_us();
    while (!due_.empty() && due_.top().at <= now) {
      const Due due = due_.top();
      due_.pop();
      auto& connection = connections_[due.fd];
      if (!connection.open || connection.generation != due.generation) continue;
      send_event(due.fd);
      if (!connection.open) continue;
      if (connection.events_left >= 0) {
        due_.push({due.at + gap_us_, due.fd, due.generation});
      } else {
        answer_requests(due.fd);
      }
    }
  }

  void arm_timer() {
    if (due_.empty() || due_.top().at == armed_) return;
    armed_ = due_.top().at;
    itimerspec time{};
    time.it_value.tv_sec = static_cast<time_t>(armed_ / 1'000'000);
    time.it_value.tv_nsec = static_cast<long>(armed_ % 1'000'000 * 1'000);
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &time, nullptr);
  }

  /// Sends what it can; false when the connection is gone.
  bool flush(int fd) {
    auto& connection = connections_[fd];
    const auto sent = send(fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
      drop(fd);
      return false;
    }
    if (sent > 0) connection.out.erase(0, static_cast<std::size_t>(sent));
    const bool waits = !connection.out.empty();
    if (waits || waiting_[fd]) epoll_.change(fd, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
    waiting_[fd] = waits;
    return true;
  }

  void drop(int fd) {
    auto& connection = connections_[fd];
    const auto generation = connection.generation + 1;
    connection = {};
    connection.generation = generation;
    waiting_[fd] = false;
    close(fd);
  }

  const long chunks_;
  const std::uint64_t gap_us_;
  const int listener_;
  const int timer_;
  const Answers answers_;
  bench::Epoll epoll_;
  std::vector<Connection> connections_ = std::vector<Connection>(kMaxDescriptors);
  std::vector<bool> waiting_ = std::vector<bool>(kMaxDescriptors);  // for room to send
  std::priority_queue<Due> due_;
  std::uint64_t armed_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(argc, argv,
                               {{"--port", "0"},
                                {"--chunks", "50"},
                                {"--gap-us", "0"},
                                {"--anthropic", "0"},
                                {"--stand-ins", "0"}});
  MockUpstream(static_cast<int>(options.number("--port")), options.number("--chunks"),
               options.number("--gap-us"),
               options.number("--anthropic") ? of_anthropic()
                                             : of_openai(options.number("--stand-ins") != 0))
      .run();
}
