#include "exchange/settings.h"

namespace causeway::exchange {

using namespace std::chrono_literals;

void describe(config::Fields& f, TimeoutSettings& c) {
  f.field("connect", c.connect, "DNS, TCP and TLS together.").range(1ms, 10min);
  f.field("first_byte", c.first_byte, "From the request sent to the head of the provider's answer.")
      .range(1ms, 24h);
  f.field("idle", c.idle, "Between two pieces of an answer.").range(1ms, 24h);
  f.field("total", c.total, "A whole request with all its attempts.").range(1ms, 24h);
}

void describe(config::Fields& f, DisconnectSettings& c) {
  f.word("cancel", c.then, Disconnect::Cancel, "The provider's answer is given up at once.");
  f.word("drain", c.then, Disconnect::Drain,
         "The provider's answer is read on within the caps, so that its usage is known.");
  f.field("drain_time", c.drain_time, "Longest time to read on.").range(1s, 1h);
  f.field("drain_bytes", c.drain_bytes, "Most bytes to read on.");
}

void describe(config::Fields& f, TranslationSettings& c) {
  f.field(
      "unsupported", c.unsupported,
      "A field of the request that changes the answer and that a target of another dialect does "
      "not know: the request is refused (400, the field named), or the field is dropped and "
      "named in x-causeway-dropped.");
}

void describe(config::Fields& f, RetrySettings& c) {
  f.word("off", c.attempts, 0u, "No target is asked twice; the others are still tried in turn.");
  f.field("attempts", c.attempts, "Further tries at the same target, when all have been tried.")
      .range(0, 10);
  f.field("wait", c.wait,
          "Longest time that one request waits in all, for a target that rests or asks to be left "
          "alone, and between tries.")
      .range(0s, 10min);
  f.field("budget", c.budget,
          "Most further tries at a target, as a share of the requests to it: what fails for all is "
          "not made worse. A provider's own \"come back in 2 s\" is not counted.")
      .range(0.0, 1.0);
  f.field("unsure", c.unsure,
          "Also where nobody knows whether the target has worked on the request: the connection "
          "broke off, or no answer came in time. Another target is tried in any case.");
  f.field(
      "continue", c.goes_on,
      "Where a stream is cut behind its first words, the next target is asked for the rest, and "
      "the caller's stream goes on. Not with tool calls, several choices or data by a schema.");
  f.field("prefill", c.prefill,
          "Targets, by PROVIDER/MODEL (`*` stands for any text), that go on with the assistant's "
          "message where a conversation ends with one: Anthropic's models up to Claude 4.5, those "
          "of llama.cpp's server. Others are asked for the rest in words.")
      .or_single();
  f.field("content_filtered", c.content_filtered,
          "Where a target refuses the content, the next one is tried.");
  f.check<RetrySettings>(
      c, [](const RetrySettings& s, config::Position at, config::Problems& problems) {
        if (s.prefill.empty() || s.goes_on) return;
        problems.add(at, "retries: `prefill` says nothing without `continue: true`");
      });
}

SettingKeys register_settings(SectionTable& sections) {
  SettingKeys keys;
  keys.timeouts = sections.add(kTimeouts,
                               "How long a call may take; looked at once a second, so that each "
                               "may fire up to a second late.");
  keys.heartbeat = sections.add(kHeartbeat,
                                "A sign of life is sent into a stream after so much silence; 0s = "
                                "never.",
                                std::chrono::milliseconds(15'000));
  keys.disconnects = sections.add(kDisconnect, "What happens when the caller leaves.");
  keys.translation =
      sections.add(kTranslation, "Between an application and a target of different dialects.");
  keys.retries = sections.add(kRetries, "What happens where no target answered (docs/routing.md).");
  return keys;
}

}  // namespace causeway::exchange
