// The price catalogue as it stands in prices.tsv, put into the program by the assembler: no file to
// find when it runs, no parsing when it starts.
#include "features/insight/ledger/catalogue_data.h"

// clang-format off
__asm__(
    ".section .rodata\n"
    ".balign 16\n"
    "causeway_price_catalogue:\n"
    ".incbin \"features/insight/ledger/prices.tsv\"\n"
    "causeway_price_catalogue_end:\n"
    ".byte 0\n"
    ".text\n");
// clang-format on

extern "C" {
extern const char causeway_price_catalogue[] __attribute__((visibility("hidden")));
extern const char causeway_price_catalogue_end[] __attribute__((visibility("hidden")));
}

namespace causeway::ledger {

std::string_view catalogue_text() {
  return {causeway_price_catalogue,
          static_cast<std::size_t>(causeway_price_catalogue_end - causeway_price_catalogue)};
}

}  // namespace causeway::ledger
