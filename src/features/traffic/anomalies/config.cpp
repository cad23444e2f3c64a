#include "features/traffic/anomalies/config.h"

#include "platform/net/network.h"

namespace causeway::anomalies {

void describe(config::Fields& f, AnomalySettings& c) {
  using namespace std::chrono_literals;
  f.word("off", c.on, false, "Nobody is blocked but by an operator.");
  f.word("on", c.on, true, "With the settings below as they are.");
  f.field(
       "on", c.on,
       "Whether spikes are blocked. In a section that says anything it is on; without the section "
       "it is off.")
      .in_mapping(true);
  f.field("floor", c.floor, "So many requests in ten seconds are never too many.")
      .range(5u, 1'000'000u);
  f.field("factor", c.factor, "How many times what is usual is too much.").range(1.5, 1000.0);
  f.field("watch", c.watch,
          "Who is watched: addresses, users, keys. A key stands for all who use its application.");
  f.field("first", c.first, "How long somebody is blocked for the first time.").range(1s, 24h);
  f.field("longest", c.longest, "No block grows longer than this.").range(1s, 720h);
  f.field("forget", c.forget, "After so long without a block, the next is a step shorter again.")
      .range(1s, 720h);
  f.field("exempt", c.exempt, "Addresses and networks that are never blocked by themselves.")
      .check([](const std::string& text) {
        return net::Network::parse(text) ? std::string()
                                         : "must be an IP address or a network like 10.0.0.0/8";
      });
  f.field("subjects", c.subjects,
          "Of so many addresses, users and keys together it is known what is usual for them.")
      .range(1024u, 4'194'304u);
}

}  // namespace causeway::anomalies
