// How many tokens OpenAI's models make of a conversation, told without asking them: in their
// published vocabularies, with what their chat form adds to each message.
#pragma once

#include <string_view>

#include "core/chat.h"
#include "core/usage.h"

namespace causeway::bpe {
class Vocabulary;
}

namespace causeway::openai {

/// "o200k_base", "cl100k_base"; empty where a model's vocabulary is not known. Source: model.py of
/// the package tiktoken 0.14.0.
std::string_view vocabulary_of(std::string_view model);

/// Exact for conversations of plain texts with the models for which OpenAI has published how it
/// counts (its cookbook, "How to count tokens with tiktoken"): the families gpt-3.5-turbo, gpt-4
/// and gpt-4o. Tools, pictures and other models are counted likewise, and said to be near.
TokenCount count_tokens(const Chat& chat, std::string_view model,
                        const bpe::Vocabulary& vocabulary);

}  // namespace causeway::openai
