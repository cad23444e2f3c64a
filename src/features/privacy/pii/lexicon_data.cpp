// The lexicon as it stands in lists/, put into the program by the assembler.
#include "features/privacy/pii/lexicon_data.h"

// clang-format off
__asm__(
    ".section .rodata\n"
    ".balign 16\n"
    "causeway_pii_lexicon:\n"
    ".incbin \"features/privacy/pii/lists/lexicon.txt\"\n"
    "causeway_pii_lexicon_end:\n"
    ".byte 0\n"
    ".text\n");
// clang-format on

extern "C" {
extern const char causeway_pii_lexicon[] __attribute__((visibility("hidden")));
extern const char causeway_pii_lexicon_end[] __attribute__((visibility("hidden")));
}

namespace causeway::pii {

std::string_view lexicon_text() {
  return {causeway_pii_lexicon,
          static_cast<std::size_t>(causeway_pii_lexicon_end - causeway_pii_lexicon)};
}

}  // namespace causeway::pii
