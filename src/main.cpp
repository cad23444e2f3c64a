#include <cstdio>
#include <exception>
#include <string_view>

#include "app/cli.h"
#include "app/service.h"
#include "platform/process/allocator.h"
#include "platform/process/core_files.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "serve") {
    causeway::process::keep_freed_blocks_at_hand(argv);
  }
  causeway::process::leave_no_core_files();
  try {
    auto words = causeway::app::mean_the_service({argv, static_cast<std::size_t>(argc)});
    return causeway::app::main_with_arguments(static_cast<int>(words.size()) - 1, words.data());
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "causeway: %s\n", fault.what());
    return 1;
  }
}
