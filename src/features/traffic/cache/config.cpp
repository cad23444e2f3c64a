#include "features/traffic/cache/config.h"

namespace causeway::cache {

void describe(config::Fields& f, MeaningSettings& c) {
  using namespace std::chrono_literals;
  f.field(
      "model", c.model,
      "A model for embeddings (`local/minilm`): a question in other words has the same answer, "
      "where nothing else differs and no number, negation, name or kind of question does. Empty: "
      "only the very same request.");
  f.field("threshold", c.threshold,
          "How near two questions must be (cosine); the default is for all-MiniLM-L6-v2.")
      .range(0.5, 1.0);
  f.field("wait", c.wait, "How long the model may take; then the request is asked as it is.")
      .range(10ms, 60s);
}

void describe(config::Fields& f, CacheSettings& c) {
  using namespace std::chrono_literals;
  f.word("off", c.on, false, "Every request is answered anew.");
  f.word("on", c.on, true, "With the settings below as they are.");
  f.field("on", c.on,
          "Whether answers are kept and given again. In a section that says anything it is on; "
          "without "
          "the section it is off.")
      .in_mapping(true);
  f.field("ttl", c.ttl, "How long an answer is given again.").range(1s, 720h);
  f.field("scope", c.scope, "Who shares an answer.");
  f.field("max_temperature", c.max_temperature,
          "Requests that ask for more are always answered anew.")
      .range(0.0, 2.0);
  f.field("tool_calls", c.tool_calls, "Whether answers that call tools are kept.");
  f.field("personal_data", c.personal_data,
          "Whether answers are kept to requests in which `pii` found something that went on as it "
          "was. What it replaced is in no answer that is kept.");
  f.field("largest", c.largest, "Larger answers are not kept.")
      .range(config::kKiB, 16 * config::kMiB);
  f.field("meaning", c.meaning, "Questions in other words; off without a model.");
  f.field("wait", c.wait,
          "How long a request waits for the answer to the same request of another caller; 0 = it "
          "does not.")
      .range(0s, 10min);
}

void describe(config::Fields& f, CacheLimits& c) {
  f.field("memory", c.memory, "For answers, compressed. What was not used longest goes first.")
      .range(config::kMiB, 64 * config::kGiB);
  f.field("disk", c.disk,
          "For answers that outlive a restart, encrypted, in the data folder; 0B = none.")
      .range(std::uint64_t{0}, 1024 * config::kGiB);
  f.field(
       "questions", c.questions,
       "So many questions are known by their meaning, about 3 KB each. Up to 50,000 are looked at "
       "one by one, more in a graph, which misses a few. Wants a restart.")
      .range(1'000, 1'000'000);
}

}  // namespace causeway::cache
