#include "features/traffic/routing/config.h"

namespace causeway::routing {

using namespace std::chrono_literals;

void describe(config::Fields& f, BreakerSettings& c) {
  f.word("off", c.failures, 0u, "No target is left alone, but for one whose probes fail.");
  f.field("failures", c.failures, "In a row: then the target is left alone. 0 = as `off`.")
      .range(0, 1000);
  f.field("failure_rate", c.failure_rate,
          "The same where this share of the calls within 10 s failed, of 20 or more.")
      .range(0.01, 1.0);
  f.field("rest", c.rest, "How long it is left alone first; each relapse doubles it.")
      .range(10ms, 1h);
  f.field("longest_rest", c.longest_rest, "The most that it comes to.").range(10ms, 24h);
}

}  // namespace causeway::routing
