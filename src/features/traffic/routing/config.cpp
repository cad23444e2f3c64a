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

namespace causeway {

void describe(config::Fields& f, Escalation& c) {
  f.word("off", c.below, 0.0, "No answer is judged.");
  f.field("below", c.below,
          "Confidence below which an answer is thrown away: the geometric mean of the "
          "probabilities that the model gave to the tokens of its answer.")
      .required()
      .range(0.01, 0.99);
  f.field("tokens", c.tokens,
          "So many first tokens decide, behind which a stream goes on as it comes. 0 = all: an "
          "answer goes out when it is whole.")
      .range(0, 100'000);
}

}  // namespace causeway
