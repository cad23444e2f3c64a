#include "providers/openai/config.h"

#include "platform/http/client.h"

namespace causeway::openai {

using namespace std::chrono_literals;

void describe(config::Fields& f, CallTimeouts& c) {
  f.field("connect", c.connect, "DNS, TCP and TLS together.").range(1ms, 10min);
  f.field("first_byte", c.first_byte, "From the request sent to the head of the answer.")
      .range(1ms, 24h);
  f.field("idle", c.idle, "Between two pieces of the answer.").range(1ms, 24h);
  f.field("total", c.total, "The whole call.").range(1ms, 24h);
}

void describe(config::Fields& f, OpenAiConfig& c) {
  const auto url = [](const std::string& text) -> std::string {
    std::string path;
    auto parsed = http::parse_url(text, path);
    return parsed ? "" : "is " + parsed.error().message;
  };
  f.field("base_url", c.base_url,
          "Where the API begins, with its version: http(s)://host[:port]/v1.")
      .check(url, "^https?://");
  f.field("api_key", c.api_key, "Sent as Authorization: Bearer. A local server may need none.");
  f.field("organization", c.organization, "Sent as OpenAI-Organization.");
  f.field("project", c.project, "Sent as OpenAI-Project.");
  f.field("headers", c.headers, "Further fields of every request.");
  f.field("zone", c.zone, "Whether data that goes there leaves the house.");
  f.field("expose", c.expose,
          "Models of this provider that may be asked for as PROVIDER/MODEL without an entry under "
          "`models`; `*` stands for any text, an empty list for none.")
      .or_single();
  f.field("stream_usage", c.stream_usage,
          "Ask for usage in streams; an old server may refuse the field.");
  f.field("responses", c.responses,
          "The server has the Responses API itself: such requests go there as they came. Otherwise "
          "they "
          "are translated to chat completions. Default: true for api.openai.com, else false.");
  f.field("timeouts", c.timeouts, "Instead of the policy's; its total still holds.");
  f.field("ca_file", c.ca_file, "PEM file of authorities to trust instead of the system's.");
  f.field("proxy", c.proxy,
          "http://host:port of a proxy, `none`, or empty: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of "
          "the environment.");
  f.field("connections", c.connections, "Most connections of one event loop.").range(1, 65535);
}

}  // namespace causeway::openai
