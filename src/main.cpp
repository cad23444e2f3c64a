#include <cstdio>
#include <exception>

#include "app/cli.h"
#include "app/service.h"

int main(int argc, char** argv) {
  try {
    auto words = causeway::app::mean_the_service({argv, static_cast<std::size_t>(argc)});
    return causeway::app::main_with_arguments(static_cast<int>(words.size()) - 1, words.data());
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "causeway: %s\n", fault.what());
    return 1;
  }
}
