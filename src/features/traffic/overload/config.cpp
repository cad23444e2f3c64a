#include "features/traffic/overload/config.h"

#include <string>

#include "platform/text/glob.h"

namespace causeway::overload {

std::optional<std::uint32_t> OverloadSettings::concurrency_of(std::string_view target) const {
  for (const auto& each : concurrency) {
    if (text::glob_match(each.name, target)) return each.value;
  }
  return std::nullopt;
}

void describe(config::Fields& f, OverloadSettings& c) {
  using namespace std::chrono_literals;
  f.word("off", c.on, false, "Every request goes to its model at once.");
  f.word("on", c.on, true, "With the settings below as they are.");
  f.field(
       "on", c.on,
       "Whether requests wait, fairly by tenant, while their target has as many as it can do. In "
       "a section that says anything it is on; without the section it is off.")
      .in_mapping(true);
  f.field(
       "concurrency", c.concurrency,
       "Requests of a target that may be under way at once, where it is known, as of a server of "
       "one's own, by PROVIDER/MODEL: `gpu/large: 16`; `*` stands for any text, the first that "
       "fits counts. Of others it is learnt, in the bounds that follow.")
      .range(1u, 100'000u);
  f.field(
       "least", c.least,
       "Requests of a target that may be under way at once, however slow it is. Of a server that "
       "works on many together: as many as it does well.")
      .range(1u, 100'000u);
  f.field("most", c.most, "Requests of a target that may be under way at once, however fast it is.")
      .range(1u, 100'000u);
  f.field("slower", c.slower,
          "A target has too much to do when even its fastest answers take so many times as long as "
          "when it has little.")
      .range(1.01, 20.0);
  f.field("wait", c.wait,
          "How long a request waits for its turn, at all of its targets together; then the next "
          "target is asked, and behind the last one it is refused.")
      .range(100ms, 10min);
  f.field("queue", c.queue,
          "Requests of a target that wait. In a full queue the tenant with the most gives way.")
      .range(1u, 100'000u);
  f.field("weight", c.weight, "The share of a tenant, compared with the others' weights.")
      .range(0.01, 100.0);
  f.check<OverloadSettings>(
      c, [](const OverloadSettings& s, config::Position at, config::Problems& problems) {
        if (s.least <= s.most) return;
        problems.add(at, "overload: `least` (" + std::to_string(s.least) + ") is above `most` (" +
                             std::to_string(s.most) + ")");
      });
}

}  // namespace causeway::overload
