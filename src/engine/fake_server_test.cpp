#include "engine/fake_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include "platform/process/exec_child.h"

namespace causeway::engine {
namespace {

using Clock = std::chrono::steady_clock;

struct Behaviour {
  int load_ms = 0, answer_ms = 0, exit_code = -1;
  bool hang = false, stubborn = false;
};

Behaviour read_behaviour(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;  // the magic
  Behaviour out;
  while (file >> word) {
    const int value = std::atoi(word.c_str() + std::min(word.find('=') + 1, word.size()));
    if (word.starts_with("load_ms=")) out.load_ms = value;
    if (word.starts_with("answer_ms=")) out.answer_ms = value;
    if (word.starts_with("exit=")) out.exit_code = value;
    if (word == "hang") out.hang = true;
    if (word == "stubborn") out.stubborn = true;
  }
  return out;
}

std::string argument(int argc, char** argv, std::string_view name) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == name) return argv[i + 1];
  }
  return "";
}

void answer(int connection, int status, const std::string& body) {
  const std::string text =
      "HTTP/1.1 " + std::to_string(status) +
      " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  [[maybe_unused]] const auto sent = write(connection, text.data(), text.size());
}

void serve(int connection, const Behaviour& behaviour, Clock::time_point ready) {
  std::string head;
  char byte = 0;
  while (!head.ends_with("\r\n\r\n") && read(connection, &byte, 1) == 1) head.push_back(byte);
  const bool loading = behaviour.hang || Clock::now() < ready;
  if (head.find(" /crash ") != head.npos) std::abort();
  if (loading) {
    answer(connection, 503, R"({"error":{"message":"Loading model"}})");
  } else if (head.find(" /metrics ") != head.npos) {
    answer(connection, 200,
           "llamacpp:tokens_predicted_total 42\nllamacpp:predicted_tokens_seconds 7.5\n");
  } else {
    if (head.find(" /health ") == head.npos) {
      std::this_thread::sleep_for(std::chrono::milliseconds(behaviour.answer_ms));
    }
    answer(connection, 200, R"({"status":"ok"})");
  }
  close(connection);
}

}  // namespace

int fake_server_main(int argc, char** argv) {
  const auto behaviour = read_behaviour(argument(argc, argv, "--model"));
  std::printf("fake engine for %s\n", argument(argc, argv, "--alias").c_str());
  std::fflush(stdout);
  if (behaviour.stubborn) std::signal(SIGTERM, SIG_IGN);
  if (behaviour.exit_code >= 0) {
    std::fprintf(stderr, "error: the fake model is broken\n");
    return behaviour.exit_code;
  }
  const std::string path = argument(argc, argv, "--host");
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 64) != 0) {
    std::perror("error: bind");
    return 1;
  }
  const auto ready = Clock::now() + std::chrono::milliseconds(behaviour.load_ms);
  for (;;) {
    const int connection = accept(listener, nullptr, nullptr);
    if (connection >= 0) std::thread(serve, connection, behaviour, ready).detach();
  }
}

}  // namespace causeway::engine

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], causeway::process::kExecChildVerb) == 0) {
    return causeway::process::exec_child_main(argc, argv);
  }
  if (std::string_view(argv[0]).ends_with("/llama-server")) {
    return causeway::engine::fake_server_main(argc, argv);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
