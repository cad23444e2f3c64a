#include "features/traffic/overload/config.h"

namespace causeway::overload {

void describe(config::Fields& f, OverloadSettings& c) {
  using namespace std::chrono_literals;
  f.word("off", c.on, false, "Every request goes to its model at once.");
  f.word("on", c.on, true, "With the settings below as they are.");
  f.field("on", c.on,
          "Whether requests wait, fairly by tenant, while their model has as many as it can do. A "
          "section that says anything else wants this, too.");
  f.field("concurrency", c.concurrency,
          "Requests of a model that may be under way at once, where it is known, as of a server of "
          "one's own; else it is learnt, in the bounds that follow.")
      .range(1u, 100'000u);
  f.field("least", c.least,
          "Requests of a model that may be under way at once, however slow it is. Of a server that "
          "works on many together: as many as it does well.")
      .range(1u, 100'000u);
  f.field("most", c.most, "Requests of a model that may be under way at once, however fast it is.")
      .range(1u, 100'000u);
  f.field("slower", c.slower,
          "A model has too much to do when even its fastest answers take so many times as long as "
          "when it has little.")
      .range(1.01, 20.0);
  f.field("wait", c.wait, "How long a request waits for its turn; then it is refused.")
      .range(100ms, 10min);
  f.field("queue", c.queue,
          "Requests of a model that wait. In a full queue the tenant with the most gives way.")
      .range(1u, 100'000u);
  f.field("weight", c.weight, "The share of a tenant, compared with the others' weights.")
      .range(0.01, 100.0);
}

}  // namespace causeway::overload
