// What the routing sees of questions: for every line of JSON ({"text": …, "bytes": …, "turns": …,
// "tools": …, "schema": …}) on its input a line with the score and the signs; the first line has
// their names and the usual threshold. With --speed the nanoseconds of a call, by length instead.
#include <boost/json.hpp>
#include <chrono>
#include <iostream>
#include <string>

#include "features/traffic/routing/complexity.h"
#include "features/traffic/routing/language.h"

using namespace causeway::routing;

namespace {

long long nanoseconds_of(int calls, const auto& call) {
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) call();
  const auto took = std::chrono::steady_clock::now() - began;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(took).count() / calls;
}

void print_speed() {
  const std::string sentence =
      "If the tenant leaves in March, which notice must he give, and why? ";
  for (const std::size_t length : {50, 500, 4'000, 1'000'000}) {
    std::string text, language;
    while (text.size() < length) text += sentence;
    text.resize(length);
    double score = 0;
    const auto scored =
        nanoseconds_of(5'000, [&] { score = complexity_score({.question = text}); });
    const auto named = nanoseconds_of(500, [&] { language = language_of(text); });
    std::cout << length << " bytes: score " << scored << " ns, language " << named << " ns ("
              << score << ", " << language << ")\n";
  }
}

template <class T>
T member(const boost::json::object& line, const char* name, T otherwise) {
  const auto* found = line.if_contains(name);
  return found ? boost::json::value_to<T>(*found) : otherwise;
}

void print_one(const boost::json::object& line) {
  const auto text = boost::json::value_to<std::string>(line.at("text"));
  const ChatShape chat{.question = text,
                       .bytes = member(line, "bytes", std::size_t{0}),
                       .turns = member(line, "turns", 1u),
                       .tools = member(line, "tools", false),
                       .schema = member(line, "schema", false)};
  std::cout << complexity_score(chat);
  for (const float sign : signs_of(chat)) std::cout << ' ' << sign;
  std::cout << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--speed") return print_speed(), 0;
  std::cout << kUsualThreshold;
  for (const auto name : kSignNames) std::cout << ' ' << name;
  std::cout << '\n';
  for (std::string line; std::getline(std::cin, line);)
    print_one(boost::json::parse(line).as_object());
}
