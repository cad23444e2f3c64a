#include "providers/anthropic/config.h"

namespace causeway::anthropic {

void describe(config::Fields& f, AnthropicConfig& c) {
  describe_upstream(f, c, "Where the API is, without its version: http(s)://host[:port].",
                    "Sent as x-api-key. A local server may need none.");
  f.field("version", c.version,
          "Sent as anthropic-version where the application does not say one. Newer versions than "
          "the default refuse temperature and top_p.");
}

}  // namespace causeway::anthropic
