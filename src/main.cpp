#include <cstdio>
#include <exception>

#include "app/cli.h"
#include "app/service.h"

int main(int argc, char** argv) {
  try {
    causeway::app::mean_the_service(argc, argv);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "causeway: %s\n", fault.what());
    return 1;
  }
  return causeway::app::main_with_arguments(argc, argv);
}
