#include "features/insight/traces/config.h"

#include <algorithm>
#include <optional>

#include "platform/text/ascii.h"

namespace causeway::traces {
namespace {

std::optional<double> share_of(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  const auto percent = text::parse_double(text);
  if (!percent || *percent < 0 || *percent > 100) return std::nullopt;
  return *percent / 100;
}

std::string wrong_share(const std::string& text) {
  return share_of(text) ? "" : "must be 0% to 100%, e.g. 10% or 0.5%";
}

}  // namespace

bool TraceSettings::always_has(Always what) const {
  return std::ranges::find(always, what) != always.end();
}

void describe(config::Fields& f, TraceSettings& c) {
  using namespace std::chrono_literals;
  f.word("off", c.off, true, "Nothing is recorded.");
  f.field("contents", c.contents,
          "Whether the request as it went to the provider and its answer as it came from there are "
          "kept, encrypted. Requests with `\"store\": false` are left out.");
  f.field("sample", c.sample, "Share of exchanges that are recorded.")
      .check(wrong_share, R"(^[0-9]+(\.[0-9]+)?%$)");
  f.field("always", c.always, "What is recorded although it is not in the sample.").or_single();
  f.field("slow", c.slow, "From this duration on an exchange is slow.").range(1ms, 24h);
  f.check<TraceSettings>(c, [](const TraceSettings& s, config::Position, config::Problems&) {
    s.share = share_of(s.sample).value_or(1);
  });
}

void describe(config::Fields& f, KeepSettings& c) {
  using namespace std::chrono_literals;
  f.field("keep", c.keep, "Nothing older is kept.").range(60s, std::chrono::days(3650));
  f.field("max_size", c.max_size, "Of all traces on the disk; above, the oldest go.")
      .range(config::Bytes{1 * config::kMiB}, config::Bytes{1024 * config::kGiB});
  f.field("per_second", c.per_second,
          "At most so many exchanges a second are recorded of those that went well, and as many of "
          "those that failed or were slow; 0: all, which costs a busy gateway a third of its "
          "processor time.")
      .range(0, 1'000'000);
}

}  // namespace causeway::traces
