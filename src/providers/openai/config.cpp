#include "providers/openai/config.h"

namespace causeway::openai {

void describe(config::Fields& f, OpenAiConfig& c) {
  describe_upstream(f, c, "Where the API begins, with its version: http(s)://host[:port]/v1.",
                    "Sent as Authorization: Bearer. A local server may need none.");
  f.field("organization", c.organization, "Sent as OpenAI-Organization.");
  f.field("project", c.project, "Sent as OpenAI-Project.");
  f.field("stream_usage", c.stream_usage,
          "Ask for usage in streams; an old server may refuse the field.");
  f.field("responses", c.responses,
          "The server has the Responses API itself: such requests go there as they came. Otherwise "
          "they "
          "are translated to chat completions. Default: true for api.openai.com, else false.");
}

}  // namespace causeway::openai
