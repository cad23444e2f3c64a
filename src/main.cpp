#include "app/cli.h"

int main(int argc, char** argv) { return causeway::app::main_with_arguments(argc, argv); }
