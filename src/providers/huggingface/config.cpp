#include "providers/huggingface/config.h"

namespace causeway::huggingface {

using namespace std::chrono_literals;

void describe(config::Fields& f, HuggingFaceConfig& c) {
  describe_upstream(f, c,
                    "The router, or the address of a dedicated endpoint; `/v1` is added to an "
                    "address without a path.",
                    "A token of the account, sent as Authorization: Bearer.");
  f.field("bill_to", c.bill_to, "The organisation that pays, sent as X-HF-Bill-To.");
  f.field("hold", c.hold,
          "How long a dedicated endpoint that has no replica holds a request while one starts "
          "(X-Scale-Up-Timeout); 0 = it answers 503 at once, and the next target is tried.")
      .range(0s, 1h);
  f.field("stream_usage", c.stream_usage,
          "Ask for usage in streams; an old server may refuse the field.");
}

}  // namespace causeway::huggingface
