// What the second gate says of pairs of questions: for every line "one<tab>other" on its input
// "same", or why the two may not share an answer. With --speed the nanoseconds of reading and
// comparing; scripts/bench semantic.
#include <chrono>
#include <iostream>
#include <string>

#include "platform/similar/gate.h"

using namespace causeway::similar;

namespace {

void print_speed() {
  const std::string one =
      "How do I convert 20 euros from my savings account to US dollars in Python?";
  const std::string other =
      "What is the way to change 20 EUR of my savings into dollars using Python?";
  constexpr int kCalls = 20'000;
  const auto time = [](const char* what, const auto& call) {
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) call();
    const auto took = std::chrono::steady_clock::now() - began;
    std::cout << what << ' '
              << std::chrono::duration_cast<std::chrono::nanoseconds>(took).count() / kCalls
              << " ns\n";
  };
  std::size_t seen = 0;
  const auto a = read_question(one), b = read_question(other);
  time("read_question", [&] { seen += read_question(one).words.size(); });
  time("differs      ", [&] { seen += static_cast<std::size_t>(differs(a, b)); });
  std::cout << "(" << seen << ")\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--speed") return print_speed(), 0;
  for (std::string line; std::getline(std::cin, line);) {
    const auto tab = line.find('\t');
    const auto one = read_question(line.substr(0, tab));
    const auto other = read_question(tab == std::string::npos ? "" : line.substr(tab + 1));
    std::cout << name_of(differs(one, other)) << '\n';
  }
}
