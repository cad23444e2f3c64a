#include "providers/gemini/config.h"

namespace causeway::gemini {

void describe(config::Fields& f, GeminiConfig& c) {
  describe_upstream(f, c, "Where the API begins, with its version: http(s)://host[:port]/v1beta.",
                    "Sent as x-goog-api-key.");
}

}  // namespace causeway::gemini
