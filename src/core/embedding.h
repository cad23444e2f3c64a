// A request for embeddings and its answer in no dialect's own form, as chat.h and chat_event.h have
// them for conversations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/chat.h"
#include "core/usage.h"

namespace causeway {

struct EmbeddingRequest {
  std::string model;
  std::vector<std::string> inputs;
  std::optional<std::uint32_t> dimensions;
  std::string user;                 // the application's identifier of its user
  std::vector<Chat::Other> others;  // as in a Chat
};

struct EmbeddingAnswer {
  std::string model;  // as the provider calls it; empty = not told
  std::vector<RawJson>
      vectors;  // one for each input: an array of numbers, as the provider wrote it
  Usage usage;
};

}  // namespace causeway
