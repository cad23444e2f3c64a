#include "features/privacy/minimise/config.h"

#include <algorithm>

#include "features/privacy/minimise/json_fields.h"

namespace causeway::minimise {

bool MinimiseSettings::strips(Strip what) const {
  return std::ranges::find(strip, what) != strip.end();
}

void describe(config::Fields& f, MinimiseSettings& c) {
  f.word("off", c.off, true, "Requests go on as they are.");
  f.field("max_tokens", c.max_tokens,
          "Tokens (estimated) that all messages of a conversation may have. Where they have more, "
          "older messages are left out, the least relevant to the last question first.")
      .at_least(1);
  f.field("max_messages", c.max_messages, "The same for their number; system prompts do not count.")
      .at_least(1);
  f.field("keep_last", c.keep_last,
          "So many messages at the end are kept in any case, with the question that they answer.")
      .range(1, 1000);
  f.field("recency", c.recency,
          "What a message's place counts for beside its relevance: 0 = nothing, 1 = alone.")
      .range(0.0, 1.0);
  f.field("strip", c.strip,
          "What is taken out of the texts of users and tools: parts of e-mails, what links tell "
          "about their reader, files in text form, paragraphs that were there before.")
      .or_single();
  f.field("json_fields", c.json_fields,
          "Where a text of a user or tool is a JSON document, only these of its members stay: "
          "`order.id`, `items.*.price`. Lists are looked into.")
      .or_single()
      .check(JsonFields::what_is_wrong);
}

}  // namespace causeway::minimise
